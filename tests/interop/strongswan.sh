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

# start_strongswan SERVER [PSK]: charon at SERVER as server.example, for client.example, by the recipe of
# integration/ipsec: tunnel mode between the two addresses.
# What the tunnel's own packets carry is a mark, for their way is not into the tunnel.
start_strongswan() {
    need_strongswan
    mkdir -p "$scratch/swanctl/conf.d"
    cat >"$scratch/strongswan.conf" <<CONF
charon {
    load = random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-libipsec kernel-netlink socket-default vici
    filelog { log { path = $scratch/charon.log
        default = 1
        flush_line = yes } }
    plugins { vici { socket = unix://$scratch/vici }
        kernel-libipsec { allow_peer_ts = yes }
        kernel-netlink { fwmark = !0x42 }
        socket-default { fwmark = 0x42 } }
}
swanctl { socket = unix://$scratch/vici }
CONF
    sed -e "s/192\.0\.2\.1\$/$1/" -e "s/secret = .*\"/secret = \"${2:-$psk}\"/" \
        "$top/integration/ipsec/swanctl.conf" >"$scratch/swanctl/swanctl.conf"
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
