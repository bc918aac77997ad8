#!/bin/bash
# Option 121 (RFC 3442) from Kea: the disk is reached by a classless route, and the router of option 3,
# which leads nowhere, must be ignored.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_routed_net
serve_disk
start_kea <<CONF
"subnet4": [{ "subnet": "192.0.2.0/24", "pools": [{ "pool": "192.0.2.100 - 192.0.2.199" }],
    "option-data": [
        { "name": "routers", "data": "192.0.2.77" },
        { "code": 121, "space": "dhcp4", "csv-format": false, "data": "18C63364C00002FE18CB007100000000" },
        { "name": "root-path", "data": "$rootpath" } ] }]
CONF
start_isc_relay "$server_ip"

boot_then_read
succeeds "a boot over a classless route ends with a disk"
saw '198\.51\.100\.0/24 via 192\.0\.2\.254' "the route of option 121 is there"
saw '203\.0\.113\.0/24 dev vc0' "the on-link route of option 121 is there"
if grep -q '^default' "$scratch/then.log"; then fail "the router of option 3 was used beside 121"; fi
ok "the router of option 3 is ignored beside option 121"
read_the_loader
pass
