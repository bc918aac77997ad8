#!/bin/bash
# What `lunboot boot --run=DIR` leaves for those who manage the running system's network: of a lease, and of
# a configured address.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:dns-server,192.0.2.53
dhcp-option=option:domain-name,boot.example
dhcp-option=option:root-path,"$rootpath"
CONF

# has FILE PATTERN SENTENCE
has() {
    grep -qE -- "$2" "$scratch/run/$1" || fail "$3: no '$2' in $1" "$scratch/run/$1"
    ok "$3"
}
run_lunboot boot --interface=vc0 --enable --run="$scratch/run"
succeeds "a boot writes files for the network of the running system"
network=systemd/network/05-lunboot.network
profile=NetworkManager/system-connections/lunboot.nmconnection
mac=$(ip -n "$client_ns" -o link show vc0 | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)
has $network "^MACAddress=$mac" "systemd-networkd knows the card by its MAC address"
has $network '^KeepConfiguration=yes' "and keeps what is configured"
has $network '^DHCP=ipv4' "and goes on with the lease"
has $network '^ClientIdentifier=mac' "as the client that the server knows"
has $network '^DNS=192\.0\.2\.53' "with the name server"
has $profile '^method=auto' "NetworkManager goes on with the lease"
[ "$(stat -c %a "$scratch/run/$profile")" = 600 ] || fail "the profile can be read by others"
ok "its profile is root's alone, else it would not be read"
has "NetworkManager/devices/$(in_client cat /sys/class/net/vc0/ifindex)" 'connection-uuid=' "and finds it active"
has network/interfaces.d/lunboot '^no-auto-down vc0' "ifupdown never takes it down"
has systemd/system.control/networking.service.d/lunboot.conf 'exclude=vc0' "nor does its unit at shutdown"
has net-vc0.conf "^IPV4ADDR='192\.0\.2\.1[0-9][0-9]'" "Debian's scripts find the address"
has initramfs/open-iscsi.interface '^vc0$' "Debian's open-iscsi finds the interface"
[ ! -e "$scratch/run/lunboot" ] || fail "there is a session, though it was logged out"
ok "there is no session to tell of"

ip -n "$client_ns" addr flush dev vc0
rm -r "$scratch/run"
run_lunboot boot --interface=vc0 --enable --run="$scratch/run" --address=192.0.2.77/24 --gateway=192.0.2.1 \
    --rootpath="$rootpath"
succeeds "so does one with a configured address"
has $network '^Address=192\.0\.2\.77/24' "which systemd-networkd gets"
has $network '^DHCP=no' "without DHCP"
has $network '^Gateway=192\.0\.2\.1' "with the router"
has $profile '^address1=192\.0\.2\.77/24' "and NetworkManager, too"

run_lunboot boot --interface=vc0 --enable --run=/dev/null --rootpath="$rootpath"
fails_with output "a folder that cannot be written ends the boot" /dev/null/systemd
pass
