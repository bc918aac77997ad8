#!/bin/bash
# DHCPv4 from Kea.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_kea <<CONF
"valid-lifetime": 3600,
"subnet4": [{ "subnet": "192.0.2.0/24", "pools": [{ "pool": "192.0.2.100 - 192.0.2.199" }],
    "option-data": [
        { "name": "routers", "data": "192.0.2.254" },
        { "name": "domain-name-servers", "data": "192.0.2.53" },
        { "name": "domain-search", "data": "boot.example, example" },
        { "name": "root-path", "data": "$rootpath" } ] }]
CONF

boot_then_read
succeeds "a bare interface boots from Kea and tgt"
saw 'inet 192\.0\.2\.1[0-9][0-9]/24' "the address and the mask are Kea's"
saw 'default via 192\.0\.2\.254' "the router is Kea's"
saw 'nameserver 192\.0\.2\.53' "the DNS server stands in resolv.conf"
saw 'search boot\.example example' "the search list (option 119) stands in resolv.conf"
read_the_loader
grep -q DHCP4_LEASE_ALLOC "$scratch/kea.log" || fail "Kea allocated no lease"
ok "Kea allocated the lease"
pass
