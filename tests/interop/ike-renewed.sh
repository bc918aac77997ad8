#!/bin/bash
# Keys are renewed every ten seconds while pings go through the tunnel: by strongSwan alone, those of the child and
# of the IKE SA, then by both ends at once. No answer may be missing for long. LUNBOOT_SOAK_S: for how long each.
. "$(dirname "$0")/lib.sh"
test_ike=${LUNBOOT_TEST_IKE:-$top/build/lunboot-test-ike}
charon=/usr/lib/ipsec/charon
[ -x "$test_ike" ] || skip "$test_ike has not been built"
[ -x "$charon" ] || skip "strongSwan's charon is not installed (strongswan-charon)"
[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] ||
    skip "strongSwan's kernel-libipsec is not installed (libcharon-extra-plugins)"
[ -e /dev/net/tun ] || skip "there is no /dev/net/tun"
need swanctl
make_net
give_client_address 192.0.2.100
inner=10.9.0.1 # strongSwan's: the packets of its own IKE must not go through the tunnel
in_server ip addr add "$inner/32" dev lo
secret='a secret of 16 bytes or more'
mkdir -p "$scratch/swanctl/conf.d"

cat >"$scratch/strongswan.conf" <<CONF
charon {
    load = random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-libipsec kernel-netlink socket-default vici
    filelog { log { path = $scratch/charon.log
        default = 1
        flush_line = yes } }
    plugins { vici { socket = unix://$scratch/vici } }
}
swanctl { socket = unix://$scratch/vici }
CONF
cat >"$scratch/swanctl/swanctl.conf" <<CONF
connections { boot {
    version = 2
    local_addrs = $server_ip
    remote_addrs = %any
    rekey_time = 10s
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = client.example }
    children { disk {
        local_ts = $inner/32
        remote_ts = 10.9.0.2/32
        rekey_time = 10s
        esp_proposals = aes256gcm16-x25519-ecp256 } } } }
secrets { ike-1 { id-1 = client.example
    id-2 = server.example
    secret = "$secret" } }
CONF
# Its pid file is at a fixed place: that of this run is its own.
spawn charon-out ip netns exec "$server_ns" sh -c "mount -t tmpfs t /run &&
    STRONGSWAN_CONF=$scratch/strongswan.conf exec $charon"
wait_for 15 "charon's socket" test -S "$scratch/vici"
in_server env STRONGSWAN_CONF="$scratch/strongswan.conf" SWANCTL_DIR="$scratch/swanctl" \
    swanctl --load-all >"$scratch/swanctl.log" 2>&1 || fail "swanctl did not load the configuration"

seconds=${LUNBOOT_SOAK_S:-30}

# count PATTERN: how often charon says so.
count() { grep -c "$1" "$scratch/charon.log"; }

# hold WHO RENEW: pings for so long; RENEW: after how many seconds we renew, too; 0: we do not.
hold() {
    local who=$1 children ikes gap
    in_client "$test_ike" 192.0.2.100 "$server_ip" 10.9.0.2 "$inner" client.example server.example \
        "$secret" x25519 "$seconds" "$2" >"$scratch/ike.log" 2>&1 || fail "$who: the association did not hold"
    read -r children ikes gap < <(sed -n \
        's/^ok: held.*pongs, \([0-9]*\) children, \([0-9]*\) IKE SAs, \([0-9]*\) ms.*/\1 \2 \3/p' "$scratch/ike.log")
    [ "$children" -ge $((seconds / 15)) ] || fail "$who: $children children in $seconds s"
    [ "$ikes" -ge $((seconds / 15)) ] || fail "$who: $ikes IKE SAs in $seconds s"
    [ "$gap" -lt 3000 ] || fail "$who: no answer for $gap ms"
    ok "$who: $children children and $ikes IKE SAs in $seconds s, at most $gap ms without an answer"
}

hold "strongSwan renews" 0
renewed=$(count 'IKE_SA boot.* rekeyed between')
[ "$renewed" -ge $((seconds / 15)) ] || fail "charon has renewed $renewed IKE SAs"
hold "both renew" 10
! grep -qi 'peer not responding\|giving up' "$scratch/charon.log" || fail "charon missed an answer"
ok "charon missed no answer"
pass
