# Sourced by scripts after lib.sh: strongSwan's charon in the server's namespace, with ESP in user space
# (kernel-libipsec), for not every kernel has one: always in UDP, tunnel mode, without extended sequence numbers.
# shellcheck shell=bash disable=SC2154,SC2034

charon=/usr/lib/ipsec/charon
psk='a secret of 16 bytes or more'

need_strongswan() {
    [ -x "$charon" ] || skip "strongSwan's charon is not installed (strongswan-charon)"
    [ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] ||
        skip "strongSwan's kernel-libipsec is not installed (libcharon-extra-plugins)"
    [ -e /dev/net/tun ] || skip "there is no /dev/net/tun"
    need swanctl
}

# start_charon [PLUGINS]: with these lines in its section of plugins. $scratch/swanctl/swanctl.conf is its
# configuration.
start_charon() {
    need_strongswan
    mkdir -p "$scratch/swanctl/conf.d"
    cat >"$scratch/strongswan.conf" <<CONF
charon {
    load = random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-libipsec kernel-netlink socket-default vici
    filelog { log { path = $scratch/charon.log
        default = 1
        flush_line = yes } }
    plugins { vici { socket = unix://$scratch/vici }
        ${1:-} }
}
swanctl { socket = unix://$scratch/vici }
CONF
    # Its pid file is at a fixed place: that of this run is its own.
    spawn charon-out ip netns exec "$server_ns" sh -c "mount -t tmpfs t /run &&
        STRONGSWAN_CONF=$scratch/strongswan.conf exec $charon"
    wait_for 15 "charon's socket" test -S "$scratch/vici"
    swan --load-all || fail "swanctl did not load the configuration"
}

# start_strongswan SERVER [PSK]: charon at SERVER as server.example, for client.example, by the recipe of
# integration/ipsec: tunnel mode between the two addresses.
# What the tunnel's own packets carry is a mark, for their way is not into the tunnel.
start_strongswan() {
    mkdir -p "$scratch/swanctl"
    sed -e "s/192\.0\.2\.1\$/$1/" -e "s/secret = .*\"/secret = \"${2:-$psk}\"/" \
        "$top/integration/ipsec/swanctl.conf" >"$scratch/swanctl/swanctl.conf"
    start_charon 'kernel-libipsec { allow_peer_ts = yes }
        kernel-netlink { fwmark = !0x42 }
        socket-default { fwmark = 0x42 }'
}

# block_clear: what the servers of disks say goes by charon's own routes (table 220, which is looked at first), or
# nowhere: their last words to a machine that is gone would be in clear.
block_clear() {
    local family port
    for family in -4 -6; do
        in_server ip "$family" route add blackhole default table 300
        for port in 3260 3205 427; do
            in_server ip "$family" rule add pref 300 ipproto tcp sport $port lookup 300
        done
    done
}

# start_inner_strongswan [RENEWS_S]: charon at $server_ip for the tunnel of tests/ike-client.c, between $inner and
# 10.9.0.2: the packets of its own IKE must not go through it. RENEWS_S: it renews all keys after so many seconds.
start_inner_strongswan() {
    local renews=${1:+rekey_time = ${1}s}
    inner=10.9.0.1
    in_server ip addr add "$inner/32" dev lo
    mkdir -p "$scratch/swanctl"
    cat >"$scratch/swanctl/swanctl.conf" <<CONF
connections { boot {
    version = 2
    local_addrs = $server_ip
    remote_addrs = %any
    $renews
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = client.example }
    children { disk {
        local_ts = $inner/32
        remote_ts = 10.9.0.2/32
        $renews
        esp_proposals = aes256gcm16-x25519-ecp256 } } } }
secrets { ike-1 { id-1 = client.example
    id-2 = server.example
    secret = "$psk" } }
CONF
    start_charon
}

# ike_client ARGUMENTS...: tests/ike-client.c in the client's namespace, at 192.0.2.100; what it says is in ike.log.
ike_client() {
    in_client "$test_ike" 192.0.2.100 "$server_ip" 10.9.0.2 "$inner" client.example server.example \
        "$@" >"$scratch/ike.log" 2>&1
}

# swan ARGUMENTS...: swanctl, as for the charon of start_charon.
swan() {
    in_server env STRONGSWAN_CONF="$scratch/strongswan.conf" SWANCTL_DIR="$scratch/swanctl" \
        swanctl "$@" >"$scratch/swanctl.log" 2>&1
}
