#!/bin/bash
# open-isns: there is no Root Path at all. What is booted is the target that shares a Discovery Domain with
# us whose boot list is enabled; one in another domain of ours is passed over (RFC 4171 6.11.2.9).
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_isnsd
isns_target "$iqn" 192.0.2.1
isns_target iqn.2026-11.test:data 192.0.2.2
isns_as "$isns_host" --register "initiator=$isns_host"
isns_domain data none iqn.2026-11.test:data "$isns_host"
isns_domain boot boot "$iqn" "$isns_host"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
CONF
rootpath=iscsi:192.0.2.1:::1:$iqn # for the reading afterwards
boot_then_read --initiator="$isns_host" --discovery=isns --lun=1
succeeds "a machine that knows nothing but its own name boots"
saw "LUNBOOT_TARGET=$iqn" "the target is the one of the boot list"
read_the_loader

give_client_address 192.0.2.51
run_lunboot discover --initiator="$isns_host" --discovery=isns --isns-server=192.0.2.1
succeeds "lunboot discover asks the same server"
says "$iqn" "it lists the target of the boot list"
says iqn.2026-11.test:data "and the one that is in no boot list"
pass
