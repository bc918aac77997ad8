#!/bin/bash
# Errors: packets to the server vanish; there is no way to it; its address has no machine.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
in_server sysctl -qw net.ipv4.ip_forward=1
ip -n "$server_ns" route add blackhole 198.51.100.0/24
ip -n "$server_ns" route add unreachable 203.0.113.0/24

rootpath="iscsi:198.51.100.1:::1:$iqn"
probe
fails_with connect-unreachable "no route to the server" '198\.51\.100\.1'
ip -n "$client_ns" route add default via 192.0.2.1
TIME_LIMIT=120 probe --connect-timeout=3s
fails_with connect-timeout "packets that vanish" '198\.51\.100\.1' 3260
rootpath="iscsi:203.0.113.1:::1:$iqn"
probe
fails_with connect-unreachable "a router that knows no way" '203\.0\.113\.1'
rootpath="iscsi:192.0.2.99:::1:$iqn"
probe
fails_with 'connect-(unreachable|timeout)' "an address that no machine has" '192\.0\.2\.99'
pass
