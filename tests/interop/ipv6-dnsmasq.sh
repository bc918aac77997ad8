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

boot_then_read
succeeds "a bare interface boots from dnsmasq and tgt without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128 .*valid_lft 3[56][0-9][0-9]sec' \
    "the address is dnsmasq's, with its lifetime"
saw 'inet6 fe80::.*scope link' "there is a link-local address"
saw '^default via fe80::1 ' "the router is dnsmasq's"
saw '^2001:db8:77::/64 proto' "the prefix is on the link"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
saw 'search .*boot\.example' "the domain stands in resolv.conf"
saw 'LUNBOOT_ADDRESS6=2001:db8:77::1' "the program is told the address"
saw 'LUNBOOT_GATEWAY6=fe80::1' "the program is told the router"
read_the_loader
grep -q 2001:db8:77::1 "$scratch/dnsmasq.leases" || fail "dnsmasq holds no lease"
ok "dnsmasq holds the lease"

# Another machine turns out to have the link-local address after DHCPv6 was asked from it.
taken=$(grep -o 'inet6 fe80::[0-9a-f:]*/64' "$scratch/then.log" | cut -d' ' -f2)
ip -n "$server_ns" addr add "$taken" dev vs0 nodad
in_client ip link set vc0 down
boot_then_read
succeeds "a boot where another machine has our link-local address"
! grep -qv tentative <(grep "inet6 $taken" "$scratch/then.log") || fail "the address of another machine is used"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "DHCPv6 gives an address all the same"
ip -n "$server_ns" addr del "$taken" dev vs0

# What a failed boot leaves behind is what it found.
in_client ip link set vc0 down
before=$(settings)
boot --target=iqn.2026-11.test:nope --connect-timeout=1s
[ "$status" != 0 ] || fail "a boot of a target that is not there ended well"
[ -z "$(ip -n "$client_ns" -6 -o addr show dev vc0)" ] || fail "an address was left on the interface"
[ "$before" = "$(settings)" ] || fail "the kernel's settings are others than before: $(settings)"
ok "a boot that failed leaves no address, and the kernel's settings as they were"
pass
