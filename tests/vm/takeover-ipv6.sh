#!/bin/bash
# A network without IPv4: address by DHCPv6, and the kernel takes over a session to an IPv6 portal.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
make_guest_net
make_bytes "$scratch/disk.img" $((4 << 20))
start_tgt "[2001:db8:77::1]:3260"
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
start_dnsmasq <<CONF
port=0
dhcp-range=2001:db8:77::100,2001:db8:77::200,64,1h
enable-ra
dhcp-option=option6:59,"iscsi:[2001:db8:77::1]:::1:$iqn"
CONF
start_capture "$server_ns" br0 tcp port 3260
start_client <<'STEPS'
boot
echo "GUEST-SHA: $(sha256sum <$device)"
echo "GUEST-PORTAL: [$(connection persistent_address)]:$(connection persistent_port)"
ip -6 addr show dev eth0 scope global
echo "GUEST-FILES: $(grep -E '^(DHCP|IPv6AcceptRA)=' /run/systemd/network/05-lunboot.network | tr '\n' ' ')"
STEPS
finish_client
stop_capture
told 'GUEST-DEVICE: /dev/sda' "the kernel has the disk"
told "GUEST-SHA: $(sha256 "$scratch/disk.img")" "and reads it"
told 'GUEST-PORTAL: \[2001:db8:77::1\]:3260' "sysfs has the portal without brackets, as iscsid wants it"
told 'inet6 2001:db8:77::1[0-9a-f]{2}/128' "the address is DHCPv6's"
told 'valid_lft forever' "and does not end with the lease"
told 'GUEST-FILES: DHCP=no IPv6AcceptRA=yes' "systemd-networkd leases no second one"
[ "$(count_logins) $(count_connections)" = "1 1" ] ||
    fail "$(count_logins) logins, $(count_connections) connections"
ok "the target saw one connection and one login"
pass
