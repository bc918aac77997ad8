#!/bin/bash
# Agents that lie, repeat, cut off and come late, and an honest one: the boot ends at the honest one's disk.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_slp_net
serve_disk
n=1
for lie in truncate length xid count repeat late garbage; do
    n=$((n + 1))
    slp_service "$iqn" "192.0.2.9$n:3260" "(boot-list=iscsi)" | start_slp_agent "$n" --lie="$lie"
done
{
    slp_service "$iqn" 127.0.0.1:3260
    slp_service "$iqn" 224.0.0.1:3260
    slp_service "$iqn" "[::1]:3260"
    slp_service iqn.2026-11.test:evil 192.0.2.98:3260 "(iscsi-name=$iqn)"
    echo "service:iscsi:target://192.0.2.97/not-a-name DEFAULT (iscsi-name=$iqn)"
    echo "service:iscsi:target://192.0.2.97:99999/$iqn DEFAULT (iscsi-name=$iqn)"
} | start_slp_agent 9
slp_service "$iqn" "" "(boot-list=iscsi)" | start_slp_agent 1
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
CONF
boot_then_read --connect-timeout=1s
succeeds "a boot among liars ends with a disk"
read_the_loader

ip -n "$client_ns" addr flush dev vc0
give_client_address
discover --json --target="$iqn" --discovery-timeout=8s
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "the honest agent is heard"
found "^$iqn 192.0.2.97:3260 SLP agent .*37 allowed" "a late one, too"
found "^$iqn 192.0.2.96:3260 SLP agent .*36 allowed" "one that repeats itself is heard"
[ "$(grep -c 'SLP agent .*36 ' "$scratch/found")" = 1 ] || fail "it is heard more than once" "$scratch/found"
ok "once"
for agent in 2 3 4 8; do
    ! grep -q "SLP agent .*3$agent " "$scratch/found" || fail "agent $agent was believed" "$scratch/found"
done
ok "broken messages are not"
! grep -qE 'evil|:99999|not-a-name|^[^ ]* (127|224|::1).* allowed$' "$scratch/found" ||
    fail "a lie was believed" "$scratch/found"
ok "nor other targets, loopback and multicast addresses, and names that are none"
pass
