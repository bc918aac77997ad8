#!/bin/bash
# open-isns: the Root Path names the target alone, and option 83 of DHCP the iSNS server that knows where
# it is (RFC 4173 section 6, RFC 4174).
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_isnsd
isns_target "$iqn" 192.0.2.1
isns_target iqn.2026-11.test:other 192.0.2.2
isns_as "$isns_host" --register "initiator=$isns_host"
isns_domain plain none "$iqn" "$isns_host" iqn.2026-11.test:other
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
dhcp-option=$isns_option
CONF
boot_then_read --initiator="$isns_host" --discovery=isns
succeeds "a target without a server is found by its name, and booted"
saw "LUNBOOT_TARGET=$iqn" "it is the target of the Root Path"
saw '192\.0\.2\.1' "at the portal that open-isns has for it"
read_the_loader
pass
