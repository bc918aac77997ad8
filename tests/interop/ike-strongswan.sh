#!/bin/bash
# IKEv2 and ESP of core against strongSwan: INIT, AUTH by a pre-shared key and ID_FQDN, pings through the
# tunnel, new keys with PFS of the child and of the IKE SA, Delete, a sign of life, the end; and a wrong key.
# strongSwan's ESP is in user space (kernel-libipsec), for not every kernel has one: always in UDP, without
# extended sequence numbers.
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
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = client.example }
    children { disk {
        local_ts = $inner/32
        remote_ts = 10.9.0.2/32
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

# try WHAT PSK [GROUP]: a life of an association; its output is in ike.log.
try() {
    in_client "$test_ike" 192.0.2.100 "$server_ip" 10.9.0.2 "$inner" client.example server.example \
        "$@" >"$scratch/ike.log" 2>&1
}
for group in x25519 p256; do
    try "$secret" "$group" || fail "an association by $group"
    for step in 'INIT and AUTH' 'pings through the tunnel' 'new keys' 'the old ones are deleted' \
        'pings with the new keys' 'new keys of the IKE SA' "the child's new keys by the new IKE SA" \
        'pings with those' 'a sign of life' 'the end'; do
        grep -q "^ok: $step" "$scratch/ike.log" || fail "$group: $step"
    done
    ok "$group: INIT, AUTH, pings, new keys with PFS, Delete, of the IKE SA too, a sign of life, the end"
done
[ "$(grep -c 'CHILD_SA disk{[0-9]*} established' "$scratch/charon.log")" -ge 2 ] || fail "charon saw fewer"
ok "charon established the children"
[ "$(grep -c 'IKE_SA boot\[[0-9]*\] rekeyed between' "$scratch/charon.log")" = 2 ] || fail "charon saw no new IKE SA"
ok "charon renewed its IKE SA as we asked"
! try 'another secret of 16 bytes' || fail "a wrong key is taken"
grep -q 'ipsec-auth: .*AUTHENTICATION_FAILED' "$scratch/ike.log" || fail "a wrong key is not named as such"
ok "a wrong key is named as such"
pass
