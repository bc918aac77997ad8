#!/bin/bash
# SLP on a network without IPv4: the groups of RFC 3111, one for each type of service.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_slp_net
in_server ip -4 addr flush dev br0
serve_disk "[$server_ip6]"
slp_service "$iqn" "[$server_ip6]:3260" | start_slp_agent 1
slp_service iqn.2026-11.test:other "[$server_ip6]:3260" | start_slp_agent 2
ip -n "$client_ns" addr add 2001:db8:77::50/64 dev vc0 nodad
ip -n "$client_ns" link set vc0 up
wait_for 5 "the link" link_is_up
start_capture "$client_ns" vc0 udp port 427
discover --json --target="$iqn"
succeeds "discovery without IPv4 ends well"
found "^$iqn 2001:db8:77::2:3260 SLP agent 2001:db8:77::31 allowed" "a target is found by its name"
stop_capture
sent_to() {
    [ -n "$(tshark -r "$scratch/capture.pcap" -Y "ipv6.dst == $1 && srvloc.function == 1" 2>/dev/null)" ]
}
sent_to ff05::1:13e7 || fail "nothing went to the group of service:iscsi:target"
ok "the query goes to the group of service:iscsi:target, ff05::1:13e7"
sent_to ff05::123 || fail "nothing went to the group of directory agents"
ok "the search for directory agents goes to theirs, ff05::123"
none_malformed "nothing on the wire is malformed"

ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" link set vc0 down
in_server ip addr add fe80::1/64 dev br0 nodad
server_interface=br0 start_radvd <<CONF
prefix 2001:db8:77::/64 { AdvOnLink on; AdvAutonomous on; };
CONF
rootpath="iscsi:[$server_ip6]:::1:$iqn"
boot_then_read --target="$iqn" --lun=1 --discovery=slp
succeeds "a boot that knows the target's name alone ends with the disk"
read_the_loader
pass
