#!/bin/bash
# open-isns has two portals of the target, and nobody is at the first: the second boots. And its iSNS server
# is the backup of option 83, as nobody is at the first one's address either (RFC 4174).
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_isnsd
isns_target "$iqn" 192.0.2.77 192.0.2.1
isns_domain boot boot "$iqn" "$isns_host"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=83,00:00:00:00:00:00:00:00:00:00:c0:00:02:4e:c0:00:02:01
CONF
rootpath=iscsi:192.0.2.1:::1:$iqn
boot_then_read --initiator="$isns_host" --discovery=isns --lun=1
succeeds "with the first iSNS server and the first portal dead, the second ones boot"
saw "LUNBOOT_TARGET=$iqn" "it is the target of the boot list"
read_the_loader
pass
