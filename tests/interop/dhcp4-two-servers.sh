#!/bin/bash
# Two DHCP servers on one segment: the quick one (dnsmasq) knows no disk, the other (Kea) names one. The
# offer with the iSCSI Root Path wins.
. "$(dirname "$0")/lib.sh"
need_lunboot
need kea-dhcp4 dnsmasq bridge
make_bridged_net
make_namespace "$relay_ns" # the second server lives there
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.3/24 dev vs0
in_relay ip link set vs0 up
server_ip=192.0.2.2
serve_disk
start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.149,1h
CONF
server_interface=br0 start_kea <<CONF
"subnet4": [{ "subnet": "192.0.2.0/24", "pools": [{ "pool": "192.0.2.150 - 192.0.2.199" }],
              "option-data": [{ "name": "root-path", "data": "$rootpath" }] }]
CONF

boot_then_read
succeeds "a boot between two servers ends with a disk"
saw 'inet 192\.0\.2\.1[5-9][0-9]/24' "the address is from the server that names a disk"
read_the_loader
pass
