#!/bin/bash
# A network without IPv4: dnsmasq is its router and its DHCPv6 server, and names the disk in option 59.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
start_dnsmasq <<CONF
port=0
enable-ra
dhcp-range=2001:db8:77::100,2001:db8:77::1ff,64,1h
dhcp-option=option6:dns-server,[2001:db8:77::53]
dhcp-option=option6:domain-search,boot.example
dhcp-option=option6:bootfile-url,"$rootpath"
CONF

boot_then_read --trace
succeeds "a bare interface boots from dnsmasq and tgt without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "the address is dnsmasq's"
pass
