#!/bin/bash
# DHCPv4 from ISC dhcpd, with static routes (option 33) and a host declaration.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
mac=$(in_client cat /sys/class/net/vc0/address)
start_isc <<CONF
authoritative;
default-lease-time 3600;
option root-path "$rootpath";
subnet 192.0.2.0 netmask 255.255.255.0 {
    option routers 192.0.2.254;
    option domain-name-servers 192.0.2.53;
    option static-routes 198.51.100.7 192.0.2.253;
}
host diskless {
    hardware ethernet $mac;
    fixed-address 192.0.2.77;
    option host-name "diskless";
}
CONF

boot_then_read
succeeds "a bare interface boots from ISC dhcpd and tgt"
saw 'inet 192\.0\.2\.77/24' "the address is the one of the host declaration"
saw 'default via 192\.0\.2\.254' "the router is dhcpd's"
saw '198\.51\.100\.7 via 192\.0\.2\.253' "the static route of option 33 is there"
saw 'LUNBOOT_HOSTNAME=diskless' "the host name is in the program's environment"
read_the_loader
grep -q 'DHCPACK on 192.0.2.77' "$scratch/dhcpd.log" || fail "dhcpd acknowledged nothing"
ok "dhcpd acknowledged the address"
pass
