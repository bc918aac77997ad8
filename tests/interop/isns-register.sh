#!/bin/bash
# A server that answers registered nodes alone (core/isns's own: open-isns does not demand it). We register,
# boot, and the registration stays for the operating system; where the boot fails it is taken back.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_isns --strict --node="$iqn,1,192.0.2.1" --boot="$iqn,$isns_host"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
CONF
rootpath=iscsi:192.0.2.1:::1:$iqn
start_capture "$server_ns" vs0 port 3205
boot_then_read --initiator="$isns_host" --discovery=isns --lun=1
succeeds "who registers where it is demanded boots"
read_the_loader
stop_capture
tshark -r "$scratch/capture.pcap" -Y isns -T fields -e isns.functionid 2>/dev/null >"$scratch/functions"
grep -q '^1$' "$scratch/functions" || fail "no DevAttrReg was sent" "$scratch/functions"
ok "a registration was sent"
! grep -q '^4$' "$scratch/functions" || fail "it was taken back" "$scratch/functions"
ok "it stays for the operating system"

boot --initiator="$isns_host" --discovery=isns --lun=1 --isns-register=never --isns-server=192.0.2.1
# The first boot's registration still holds, under the same name.
succeeds "a registered node needs no second registration"
boot --initiator=iqn.2026-11.test:host9 --discovery=isns --lun=1 --isns-register=never
fails_with isns-source "a server that demands what is not allowed to us"
pass
