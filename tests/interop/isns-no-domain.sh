#!/bin/bash
# open-isns: we share no Discovery Domain with any target. The end is explained: who was asked for what,
# and what came of it. The iSNS server keeps no registration of ours.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_isnsd
isns_target "$iqn" 192.0.2.1
isns_domain boot boot "$iqn" iqn.2026-11.test:host2
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
CONF
boot --initiator="$isns_host" --discovery=isns --lun=1
fails_with discovery-empty "a boot list that is empty"
says '192\.0\.2\.1:3205' "the server that was asked is named"
says "$isns_host" "and the name it was asked under"
says 'no Discovery Domain' "and why there was nothing"
boot --initiator="$isns_host" --discovery=isns --target="$iqn" --lun=1
fails_with discovery-empty "a target that we may not see"
says "$iqn" "the target that was asked for is named"
grep -rq "$iqn" "$scratch/isns.db" || fail "the target is not in isnsd's database"
! grep -rq "$isns_host" "$scratch/isns.db" || fail "a registration is left behind"
ok "no registration is left behind"
pass
