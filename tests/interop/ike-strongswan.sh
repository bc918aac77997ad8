#!/bin/bash
# IKEv2 and ESP of core against strongSwan: INIT, AUTH by a pre-shared key and ID_FQDN, pings through the
# tunnel, new keys with PFS of the child and of the IKE SA, Delete, a sign of life, the end; and a wrong key.
# strongSwan's ESP is in user space (kernel-libipsec), for not every kernel has one: always in UDP, without
# extended sequence numbers.
. "$(dirname "$0")/lib.sh"
. "$interop/strongswan.sh"
test_ike=${LUNBOOT_TEST_IKE:-$top/build/lunboot-test-ike}
[ -x "$test_ike" ] || skip "$test_ike has not been built"
need_strongswan
make_net
give_client_address 192.0.2.100
start_inner_strongswan

for group in x25519 p256; do
    ike_client "$psk" "$group" || fail "an association by $group"
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
! ike_client 'another secret of 16 bytes' || fail "a wrong key is taken"
grep -q 'ipsec-auth: .*AUTHENTICATION_FAILED' "$scratch/ike.log" || fail "a wrong key is not named as such"
ok "a wrong key is named as such"
pass
