#!/bin/bash
# DHCPv6 in two messages: Kea with rapid commit, and a client that was told of Kea by radvd.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net6
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on; AdvOtherConfigFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
start_kea6 <<CONF
"preferred-lifetime": 3600, "valid-lifetime": 7200,
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0", "rapid-commit": true,
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::1ff" }],
    "option-data": [ { "name": "bootfile-url", "data": "$rootpath" } ] }]
CONF

# It is the routers' word that allows us to take a lease by a Solicit alone. So that it comes before the
# Solicit, the link-local address is made to take its time.
lock_settings
start_capture "$server_ns" vs0
boot_then_read
succeeds "a bare interface boots from Kea with rapid commit"
stop_capture
sent() {
    tshark -r "$scratch/capture.pcap" -Y "dhcpv6.msgtype == $1" -T fields -e frame.number 2>/dev/null | wc -l
}
[ "$(sent 1)" -ge 1 ] || fail "no Solicit was sent"
[ "$(sent 3)" = 0 ] || fail "a Request was sent"
[ "$(sent 2)" = 0 ] || fail "Kea advertised"
[ "$(sent 7)" -ge 1 ] || fail "Kea replied nothing"
ok "a Solicit and a Reply were all"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "the address is Kea's"
read_the_loader
pass
