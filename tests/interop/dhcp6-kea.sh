#!/bin/bash
# DHCPv6 from Kea, where radvd says so: addresses and the rest (M), with option 59.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
start_kea6 <<CONF
"preferred-lifetime": 3600, "valid-lifetime": 7200,
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0",
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::1ff" }],
    "option-data": [
        { "name": "dns-servers", "data": "2001:db8:77::53" },
        { "name": "domain-search", "data": "boot.example, example" },
        { "name": "bootfile-url", "data": "$rootpath" } ] }]
CONF

boot_then_read
succeeds "a bare interface boots from Kea and tgt without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128 .*valid_lft 7[12][0-9][0-9]sec preferred_lft 3[56][0-9][0-9]sec' \
    "the address is Kea's, with its lifetimes"
saw '^default via fe80::1 ' "the router is radvd's"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
saw 'search boot\.example example' "the search list stands in resolv.conf"
read_the_loader
grep -q DHCP6_LEASE_ALLOC "$scratch/kea6.log" || fail "Kea allocated no lease"
ok "Kea allocated the lease"
pass
