#!/bin/bash
# What the client sends over IPv6, read by a decoder nobody here wrote (tshark): no malformed packet of any
# protocol in a whole boot, and what RFC 4861, 4862, 4429 and 8415 ask of each.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net6
serve_disk6
start_dnsmasq <<CONF
port=0
enable-ra
dhcp-range=2001:db8:77::100,2001:db8:77::1ff,64,1h
dhcp-option=option6:bootfile-url,"$rootpath"
CONF
mac=$(in_client cat /sys/class/net/vc0/address)
start_capture "$server_ns" vs0
boot --rapid-commit=no
succeeds "a boot ends with a disk"
stop_capture

# decode FILTER FIELD...: the fields of the client's own packets that pass, a line each.
decode() {
    local filter=$1 field fields=()
    shift
    for field in "$@"; do fields+=(-e "$field"); done
    tshark -r "$scratch/capture.pcap" -o udp.check_checksum:TRUE \
        -Y "eth.src == $mac && ($filter)" -T fields -E occurrence=a "${fields[@]}" 2>/dev/null
}
# has FILTER WHAT: the client sent at least one packet that passes; never FILTER WHAT: not one.
has() {
    [ -n "$(decode "$1" frame.number)" ] || fail "$2: the client sent none" "$scratch/packets"
    ok "$2"
}
never() {
    local found
    found=$(decode "$1" frame.number)
    [ -z "$found" ] || fail "$2: packet $found" "$scratch/packets"
    ok "$2"
}
tshark -r "$scratch/capture.pcap" 2>/dev/null >"$scratch/packets"
solicitation='icmpv6.type == 133'
probe='icmpv6.type == 135 && ipv6.src == ::'

never 'icmpv6.checksum.status == 0' "the checksums of ICMPv6 are right"
none_malformed "nothing that the client sends is malformed" "eth.src == $mac"
has "$solicitation && ipv6.dst == ff02::2 && ipv6.hlim == 255" \
    "routers are asked at ff02::2, with hop limit 255"
has "$solicitation && ipv6.src == ::" "the first time from ::, at once"
has "$solicitation && ipv6.src == fe80::/10" "then from the link-local address"
never "$solicitation && icmpv6.opt.type" \
    "without a link-layer address while that is being probed (RFC 4429)"
has "$probe && icmpv6.nd.ns.target_address == fe80::/10" "the link-local address is probed"
has "$probe && icmpv6.nd.ns.target_address == 2001:db8:77::/64" "the address of DHCPv6 is probed"
has 'icmpv6.type == 143' "multicast listeners are reported, for switches that look at them"
has 'dhcpv6.msgtype == 1 && ipv6.dst == ff02::1:2 && udp.srcport == 546 && udp.dstport == 547' \
    "Solicit goes from port 546 to [ff02::1:2]:547"
never 'dhcpv6 && !(ipv6.src == fe80::/10)' "DHCPv6 is spoken from the link-local address"
never 'dhcpv6 && !dhcpv6.option.type == 1' "a client identifier is in every message"
never 'dhcpv6 && !dhcpv6.option.type == 8' "and the elapsed time"
has 'dhcpv6.msgtype == 1 && dhcpv6.requested_option_code == 59' "the boot file's URL is asked for"
never 'dhcpv6.msgtype == 1 && dhcpv6.option.type == 2' "Solicit names no server"
has 'dhcpv6.msgtype == 3 && dhcpv6.option.type == 2' "Request does"
has 'iscsi.opcode == 0x03 && ipv6.src == 2001:db8:77::/64' "a login goes out from the new address"
pass
