#!/bin/bash
# A directory agent: found by multicast, configured, or named by DHCP option 78, which may forbid multicast.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_slp_net
serve_disk
slp_service "$iqn" "" "(boot-list=iscsi)" | start_slp_agent 1 --directory
slp_service iqn.2026-11.test:other | start_slp_agent 2
give_client_address

discover --json --target="$iqn"
succeeds "discovery ends well"
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "a directory agent that multicast finds is asked"
grep -q 'unicast SrvRqst' "$scratch/agent1.log" || fail "it was not asked by unicast"
ok "by unicast"

multicasts() {
    grep -c multicast "$scratch/agent2.log" || true
}
before=$(multicasts)
discover --json --target="$iqn" --slp-agent=192.0.2.31 --discovery-timeout=3s
succeeds "discovery by a configured agent ends well"
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "a configured directory agent is asked"
grep -q "2001:db8:77::31" "$scratch/found" && fail "IPv6 asked an agent it does not know"
ok "over the family that its address has"

# Nobody is there: all others are asked then.
discover --json --target=iqn.2026-11.test:other --slp-agent=192.0.2.77
found "^iqn.2026-11.test:other .* SLP agent .*32 allowed" "where the configured agent is silent, multicast finds others"
[ "$(multicasts)" -gt "$before" ] || fail "nothing was asked by multicast"

ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" link set vc0 down
start_capture "$server_ns" vs0 udp port 427
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi::::1:$iqn"
dhcp-option=78,01:c0:00:02:1f
CONF
boot_then_read
succeeds "a boot by the directory agent of option 78 ends with the disk"
read_the_loader
stop_capture
[ -z "$(tshark -r "$scratch/capture.pcap" -Y 'ip.dst == 239.255.255.253' 2>/dev/null)" ] ||
    fail "multicast was used, which option 78 forbids"
ok "where option 78 is mandatory, nothing goes by IPv4 multicast"
none_malformed "nothing on the wire is malformed"
pass
