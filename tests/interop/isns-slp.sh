#!/bin/bash
# Nobody names the iSNS server: an SLP agent on the link does (service:iscsi:sms, RFC 4018), and open-isns knows
# the target of the Root Path.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_slp_net
serve_disk
start_isnsd
isns_target "$iqn" "$server_ip"
isns_domain boot boot "$iqn" "$isns_host"
echo "service:iscsi:sms://$server_ip:3205 DEFAULT (protocols=isns)" | start_slp_agent 1
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
CONF
boot_then_read --initiator="$isns_host" --connect-timeout=2s
succeeds "with an iSNS server that only SLP knows, the target is found and booted"
saw "LUNBOOT_TARGET=$iqn" "it is the target of the Root Path"
read_the_loader
pass
