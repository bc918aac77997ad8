#!/bin/bash
# tgt registers its targets in open-isns by itself, and we find one of them there by its name.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
start_isnsd
# The domain first: a notification to tgtd of 1.0.85 ends in a read that waits for ever (isnsd keeps the
# connection open), and with it all of tgtd.
isns_domain plain none "$iqn" "$isns_host"
serve_disk
tgt --mode sys --op update --name iSNSServerIP -v 192.0.2.1
tgt --mode sys --op update --name iSNSServerPort -v 3205
tgt --mode sys --op update --name iSNSAccessControl -v Off
tgt --mode sys --op update --name iSNS -v On
is_registered() {
    isns_as "$isns_host" --query "iscsi-name=$iqn" && grep -q "$iqn" "$scratch/isnsadm.log"
}
wait_for 20 "tgt's registration" is_registered
ok "tgt has registered its target"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
dhcp-option=$isns_option
CONF
rootpath=iscsi:192.0.2.1:::1:$iqn
boot_then_read --initiator="$isns_host" --discovery=isns
succeeds "a target that tgt registered is found by its name, and booted"
read_the_loader
pass
