#!/bin/bash
# Another machine has the address that Kea gives us: the client finds out by duplicate address detection, declines,
# and boots with another address.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net6
serve_disk6
in_server sysctl -qw net.ipv6.conf.vs0.accept_dad=0
ip -n "$server_ns" addr add 2001:db8:77::100/64 dev vs0 nodad
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
start_kea6 <<CONF
"preferred-lifetime": 3600, "valid-lifetime": 7200,
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0",
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::101" }],
    "option-data": [ { "name": "bootfile-url", "data": "$rootpath" } ] }]
CONF

start_capture "$server_ns" vs0
boot_then_read
succeeds "a boot whose first address is taken ends with a disk"
stop_capture
saw 'inet6 2001:db8:77::101/128' "the address is the other one"
grep -q DHCP6_DECLINE_LEASE "$scratch/kea6.log" || fail "Kea saw no Decline"
ok "Kea was told by a Decline"
declined=$(tshark -r "$scratch/capture.pcap" -Y 'dhcpv6.msgtype == 9 && !_ws.malformed' -T fields \
    -e dhcpv6.iaaddr.ip 2>/dev/null | sed -n 1p)
[ "$declined" = 2001:db8:77::100 ] || fail "the Decline names '$declined'"
ok "which names the address and is well formed"
read_the_loader
pass
