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

# start_strongswan SERVER CLIENT [PSK [REKEY]]: charon at SERVER as server.example, for client.example at CLIENT, in
# tunnel mode between the two addresses; a new connection's keys are renewed after REKEY (a time of strongSwan).
# What the tunnel's own packets carry is a mark, for their way is not into the tunnel.
start_strongswan() {
    need_strongswan
    mkdir -p "$scratch/swanctl/conf.d"
    cat >"$scratch/strongswan.conf" <<CONF
charon {
    load = random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-libipsec kernel-netlink socket-default vici
    filelog { log { path = $scratch/charon.log
        default = 1 } }
    plugins { vici { socket = unix://$scratch/vici }
        kernel-libipsec { allow_peer_ts = yes }
        kernel-netlink { fwmark = !0x42 }
        socket-default { fwmark = 0x42 } }
}
swanctl { socket = unix://$scratch/vici }
CONF
    cat >"$scratch/swanctl/swanctl.conf" <<CONF
connections { boot {
    version = 2
    local_addrs = $1
    remote_addrs = %any
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    ${4:+rekey_time = $4}
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = client.example }
    children { disk {
        local_ts = dynamic
        remote_ts = dynamic
        ${4:+rekey_time = $4}
        esp_proposals = aes256gcm16-x25519-ecp256 } } } }
secrets { ike-1 { id-1 = client.example
    id-2 = server.example
    secret = "${3:-$psk}" } }
CONF
    # Its pid file is at a fixed place: that of this run is its own.
    spawn charon-out ip netns exec "$server_ns" sh -c "mount -t tmpfs t /run &&
        STRONGSWAN_CONF=$scratch/strongswan.conf exec $charon"
    wait_for 15 "charon's socket" test -S "$scratch/vici"
    swan --load-all || fail "swanctl did not load the configuration"
}

# swan ARGUMENTS...: swanctl, as for the charon of start_strongswan.
swan() {
    in_server env STRONGSWAN_CONF="$scratch/strongswan.conf" SWANCTL_DIR="$scratch/swanctl" \
        swanctl "$@" >"$scratch/swanctl.log" 2>&1
}
