#!/bin/bash
# DHCPv6 from ISC dhcpd: a host is known by its DUID, made of its UUID or MAC address, and has its own address.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
# ff, IAID, and then the DUID: RFC 4361. Both families are asked with it.
duid=00:03:00:01:02:00:00:00:00:77
start_isc6 <<CONF
default-lease-time 7200;
preferred-lifetime 3600;
option dhcp6.bootfile-url code 59 = text;
option dhcp6.bootfile-url "$rootpath";
option dhcp6.name-servers 2001:db8:77::53;
option dhcp6.domain-search "boot.example";
subnet6 2001:db8:77::/64 { range6 2001:db8:77::100 2001:db8:77::1ff; }
host diskless {
    host-identifier option dhcp6.client-id $duid;
    fixed-address6 2001:db8:77::77;
}
CONF

boot_then_read --client-id="ff:00:00:00:77:$duid"
succeeds "a bare interface boots from ISC dhcpd and tgt without IPv4"
saw 'inet6 2001:db8:77::77/128' "the address is the one of the host declaration"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
saw 'search boot\.example' "the domain stands in resolv.conf"
read_the_loader

in_client ip link set vc0 down
boot_then_read
succeeds "a machine that dhcpd does not know boots, too"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "the address is one of the pool"
pass
