#!/bin/bash
# ISC dhcpd answering plain BOOTP (RFC 951): no message types, no lease.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
mac=$(in_client cat /sys/class/net/vc0/address)
start_isc <<CONF
subnet 192.0.2.0 netmask 255.255.255.0 {
    option routers 192.0.2.254;
    option root-path "$rootpath";
}
host diskless {
    hardware ethernet $mac;
    fixed-address 192.0.2.78;
}
CONF
start_capture "$server_ns" vs0 port 67 or port 68

boot_then_read --bootp=yes
succeeds "a bare interface boots by plain BOOTP"
saw 'inet 192\.0\.2\.78/24' "the address is the one of the BOOTP reply"
saw 'default via 192\.0\.2\.254' "the router is the one of the BOOTP reply"
read_the_loader
grep -q 'BOOTREPLY' "$scratch/dhcpd.log" || fail "dhcpd sent no BOOTREPLY"
stop_capture
types=$(tshark -r "$scratch/capture.pcap" -T fields -e dhcp.option.dhcp 2>/dev/null | xargs)
[ -z "$types" ] || fail "expected no DHCP message types on the wire, saw: $types"
ok "no DHCP message type was on the wire"
pass
