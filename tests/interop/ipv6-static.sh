#!/bin/bash
# An IPv6 address that a person configured, on a network where nobody advertises anything.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6

boot_then_read --address=2001:db8:77::50/64 --gateway=fe80::1 --dns=2001:db8:77::53 --rootpath="$rootpath"
succeeds "a configured address, and nobody who advertises a router"
saw 'inet6 2001:db8:77::50/64 .*valid_lft forever' "the address is on the interface, for ever"
saw '^default via fe80::1 ' "the configured router is used"
saw '^2001:db8:77::/64 ' "the address's network is on the link"
saw 'nameserver 2001:db8:77::53' "the configured DNS server stands in resolv.conf"
read_the_loader
pass
