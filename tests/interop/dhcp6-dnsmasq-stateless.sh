#!/bin/bash
# Stateless DHCPv6 from dnsmasq: the machine makes its own address, and asks for the rest alone. And an option 59
# that is a URL of others' is no error: a person named the disk.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
start_dnsmasq <<CONF
port=0
enable-ra
dhcp-range=2001:db8:77::,ra-stateless,64,1h
dhcp-option=option6:dns-server,[2001:db8:77::53]
dhcp-option=option6:information-refresh-time,6h
dhcp-option=option6:bootfile-url,"$rootpath"
CONF
boot_then_read --trace
succeeds "a bare interface boots by Information-request"
saw 'inet6 2001:db8:77:0:[0-9a-f:]*/64' "the address is made of the prefix"
! saw_not=$(grep -E 'inet6 2001:db8:77::[0-9a-f:]+/128' "$scratch/then.log") ||
    fail "an address of DHCPv6 is there: $saw_not"
ok "and DHCPv6 gave none"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
says 'dhcp6 send Information-request' "information was asked for"
read_the_loader

end dnsmasq
in_client ip link set vc0 down
start_dnsmasq <<CONF
port=0
enable-ra
dhcp-range=2001:db8:77::,ra-stateless,64,1h
dhcp-option=option6:bootfile-url,"http://[2001:db8:77::1]/boot.efi"
CONF
boot_then_read --rootpath="$rootpath"
succeeds "a URL of HTTP boot in option 59 is no hindrance"
read_the_loader
pass
