#!/bin/bash
# Discovery in firmware through iSNS (open-isns): a Root Path that has only a target's name; no Root Path at
# all, but a Discovery Domain whose boot list is enabled; portals of which nobody is at most, and an iSNS
# server of which the first address is dead.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin isnsd isnsadm
serve_loader_ok
start_isnsd
isns_target "$iqn" "$server_ip"
isns_domain target none "$iqn" "$isns_host"

rootpath="iscsi::::1:$iqn"
offer_disk <<<"dhcp-option=$isns_option"
make_stick <<EOF
enable = yes
initiator = $isns_host
EOF
boot_stick
wait_console 'METER LOADER-OK' 90 "a target's name alone boots, through iSNS"
console_has "iSNS: .*$server_ip:3205" "the console says who knew where it is"
end qemu KILL

isns_target iqn.2026-11.test:data 192.0.2.88
isns_as "$isns_host" --register "initiator=$isns_host"
isns_domain data none iqn.2026-11.test:data "$isns_host"
isns_domain boot boot "$iqn" "$isns_host"
end dnsmasq
start_dnsmasq <<EOF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
EOF
make_stick <<EOF
enable = yes
initiator = $isns_host
lun = 1
EOF
boot_stick
wait_console 'METER LOADER-OK' 90 "no Root Path at all: the boot list of the Discovery Domain boots"
console_has 'iSNS: boot list' "the console says that it was the boot list"
end qemu KILL

isns_target "$iqn" 192.0.2.77 192.0.2.78 192.0.2.79 "$server_ip"
end dnsmasq
start_dnsmasq <<EOF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=83,00:00:00:00:00:00:00:00:00:00:c0:00:02:4e:c0:00:02:01
EOF
boot_stick
wait_console 'METER LOADER-OK' 120 "with the first iSNS server and most portals dead, the others boot"
pass
