#!/bin/bash
# Keys are renewed every ten seconds while pings go through the tunnel: by strongSwan alone, those of the child and
# of the IKE SA, then by both ends at once. No answer may be missing for long. LUNBOOT_SOAK_S: for how long each.
. "$(dirname "$0")/lib.sh"
. "$interop/strongswan.sh"
test_ike=${LUNBOOT_TEST_IKE:-$top/build/lunboot-test-ike}
[ -x "$test_ike" ] || skip "$test_ike has not been built"
need_strongswan
make_net
give_client_address 192.0.2.100
start_inner_strongswan 10

seconds=${LUNBOOT_SOAK_S:-30}

# count PATTERN: how often charon says so.
count() { grep -c "$1" "$scratch/charon.log"; }

# hold WHO RENEW: pings for so long; RENEW: after how many seconds we renew, too; 0: we do not.
hold() {
    local who=$1 children ikes gap
    ike_client "$psk" x25519 "$seconds" "$2" || fail "$who: the association did not hold"
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
