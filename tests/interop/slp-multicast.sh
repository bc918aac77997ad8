#!/bin/bash
# Three service agents on one link, asked by multicast: all are heard, and a Root Path that has only a target
# name ends at its disk.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_slp_net
serve_disk
slp_service "$iqn" "" "(boot-list=iscsi)" | start_slp_agent 1
slp_service "$iqn" 192.0.2.99:3260 | start_slp_agent 2
slp_service iqn.2026-11.test:other | start_slp_agent 3
give_client_address
start_capture "$client_ns" vc0 udp port 427

discover --json --trust-open-slp=yes --discovery-timeout=20s
succeeds "discovery by multicast ends well"
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "what may be booted by its boot-list is allowed"
found "^$iqn 192.0.2.99:3260 SLP agent .*32 not-offered" "what nobody offers us is shown, and not booted"
found "^iqn.2026-11.test:other .* SLP agent .*33 not-offered" "the third agent is heard, too"
discover --json --target="$iqn"
succeeds "discovery of one target ends well"
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "a target is found by its name"
found "^$iqn 192.0.2.99:3260 SLP agent .*32 allowed" "by every agent that knows it"
! grep -q other "$scratch/found" || fail "another target was found" "$scratch/found"
ok "and no other target is"

stop_capture
decode() {
    tshark -r "$scratch/capture.pcap" -Y "$1" -T fields -e "$2" 2>/dev/null
}
decode 'ip.src == 192.0.2.50 && ip.dst == 239.255.255.253' srvloc.srvreq.prlist >"$scratch/prlist"
for agent in 31 32 33; do
    grep -q "192.0.2.$agent" "$scratch/prlist" || fail "192.0.2.$agent is never listed" "$scratch/prlist"
done
ok "who has answered is named in the next round"
none_malformed "nothing on the wire is malformed"

# A boot of the bare interface: DHCP names the target alone.
ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" link set vc0 down
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
CONF
boot_then_read --connect-timeout=2s
succeeds "a boot with a target name alone ends with the disk"
read_the_loader
pass
