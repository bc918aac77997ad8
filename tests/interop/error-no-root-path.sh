#!/bin/bash
# Error: the offer carries no Root Path, or somebody else's.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
CONF
boot
fails_with no-root-path "an offer without a Root Path" 192.0.2.1
end dnsmasq
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"192.0.2.1:/exports/diskless"
CONF
boot
fails_with no-root-path "an offer with an NFS root path" 192.0.2.1 /exports/diskless
pass
