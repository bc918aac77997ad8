#!/bin/bash
# Router advertisements alone, by radvd: the machine makes its own address, and a person named the disk.
# Two routers: the preferred one is used. Another machine that has our address has it to itself.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
ip -n "$client_ns" link set vc0 address 02:00:00:00:00:77
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvDefaultPreference low; AdvLinkMTU 1400;
  prefix 2001:db8:77::/64 { AdvValidLifetime 7200; AdvPreferredLifetime 3600; };
  route 2001:db8:99::/48 { AdvRoutePreference high; };
  RDNSS 2001:db8:77::53 fe80::53 { };
  DNSSL boot.example { };
CONF

boot_then_read --rootpath="$rootpath"
succeeds "a bare interface boots by router advertisements alone"
saw 'inet6 2001:db8:77::ff:fe00:77/64 .*valid_lft 7[12][0-9][0-9]sec preferred_lft 3[56][0-9][0-9]sec' \
    "the address is made of the prefix and the MAC address, with radvd's lifetimes"
saw '^default via fe80::1 ' "the router is the one that advertises itself"
saw '^2001:db8:99::/48 via fe80::1 ' "the more specific route is there"
saw 'mtu 1400' "the MTU is radvd's"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
saw 'nameserver fe80::53%vc0' "a link-local one with its interface"
saw 'search boot\.example' "the domain stands in resolv.conf"
read_the_loader

in_server sysctl -qw net.ipv6.conf.vs0.accept_dad=0
ip -n "$server_ns" addr add 2001:db8:77::ff:fe00:77/64 dev vs0 nodad
ip -n "$server_ns" addr add fe80::ff:fe00:77/64 dev vs0 nodad
in_client ip link set vc0 down
boot_then_read --rootpath="$rootpath"
succeeds "a boot where others have the addresses made of our MAC address"
# (The kernel, once it has the interface back, may try its luck with the link-local one, too.)
! grep -qv tentative <(grep 'inet6 .*:ff:fe00:77/' "$scratch/then.log") ||
    fail "an address is used that another machine has"
saw 'inet6 2001:db8:77:' "another address is used instead"
saw 'inet6 fe80::' "and another link-local one"
read_the_loader
pass
