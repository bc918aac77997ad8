#!/bin/bash
# DHCPv4 from Kea through ISC's relay agent: the server and the disk are on another network.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_routed_net
serve_disk
start_kea <<CONF
"subnet4": [{ "subnet": "192.0.2.0/24", "pools": [{ "pool": "192.0.2.100 - 192.0.2.199" }],
    "option-data": [
        { "name": "routers", "data": "192.0.2.254" },
        { "name": "root-path", "data": "$rootpath" } ] }]
CONF
start_isc_relay "$server_ip"

boot_then_read
succeeds "a boot through a relay ends with a disk"
saw 'inet 192\.0\.2\.1[0-9][0-9]/24' "the address is of the client's own network"
saw 'default via 192\.0\.2\.254' "the default route goes over the router"
read_the_loader
grep -q 'Forwarded BOOTREQUEST' "$scratch/dhcrelay.log" || fail "the relay forwarded nothing"
ok "the relay agent stood between"
pass
