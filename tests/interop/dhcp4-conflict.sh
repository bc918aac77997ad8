#!/bin/bash
# Another machine has the address that dnsmasq gives us: the client finds out by ARP, declines, and boots
# with another address.
. "$(dirname "$0")/lib.sh"
need_lunboot
need bridge
make_bridged_net
make_namespace "$relay_ns" # the other machine; one within the server's namespace would get our offers
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.77/24 dev vs0
in_relay ip link set vs0 up
server_ip=192.0.2.2
serve_disk
mac=$(in_client cat /sys/class/net/vc0/address)
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.199,1h
dhcp-host=$mac,192.0.2.77
dhcp-broadcast # else the OFFER goes to the other machine, which is in this namespace
dhcp-option=option:root-path,"$rootpath"
CONF

boot_then_read
succeeds "a boot whose first address is taken ends with a disk"
saw 'inet 192\.0\.2\.1[0-9][0-9]/24' "the address is another one"
grep -q 'DHCPDECLINE.*192\.0\.2\.77' "$scratch/dnsmasq.log" || fail "dnsmasq saw no DECLINE"
ok "dnsmasq was told by a DECLINE"
read_the_loader
pass
