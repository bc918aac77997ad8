#!/bin/bash
# DHCPv4 from dnsmasq: a bare interface gets everything from one server, and holds the disk.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.199,1h
dhcp-option=option:router,192.0.2.254
dhcp-option=option:dns-server,192.0.2.53,192.0.2.54
dhcp-option=option:domain-name,boot.example
dhcp-option=option:mtu,1400
dhcp-option=option:root-path,"$rootpath"
CONF

boot_then_read
succeeds "a bare interface boots from dnsmasq and tgt"
saw 'inet 192\.0\.2\.1[0-9][0-9]/24' "the address and the mask are dnsmasq's"
saw 'default via 192\.0\.2\.254' "the router is dnsmasq's"
saw 'mtu 1400' "the MTU is dnsmasq's"
saw 'nameserver 192\.0\.2\.53' "the DNS server stands in resolv.conf"
saw 'search .*boot\.example|domain boot\.example' "the domain stands in resolv.conf"
read_the_loader
grep -q 192.0.2.1 "$scratch/dnsmasq.leases" || fail "dnsmasq holds no lease"
ok "dnsmasq holds the lease"
pass
