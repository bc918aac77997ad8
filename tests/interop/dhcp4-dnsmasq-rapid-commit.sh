#!/bin/bash
# RFC 4039 with dnsmasq: two packets instead of four.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-rapid-commit
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF
start_capture "$server_ns" vs0 port 67 or port 68

boot --rapid-commit=yes
succeeds "a boot with rapid commit ends with a disk"
stop_capture
messages=$(tshark -r "$scratch/capture.pcap" -T fields -e dhcp.option.dhcp 2>/dev/null | xargs)
[ "$messages" = "1 5" ] || fail "expected DISCOVER and ACK (1 5) alone, saw: $messages"
ok "DISCOVER and ACK were the whole conversation"
pass
