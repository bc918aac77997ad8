#!/bin/bash
# What the client sends, read by a decoder nobody here wrote (tshark): DHCP messages by RFC 2131 table 5,
# and no malformed packet of any protocol in a whole boot.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
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
    tshark -r "$scratch/capture.pcap" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y "eth.src == $mac && ($filter)" -T fields -E occurrence=a "${fields[@]}" 2>/dev/null
}
# has FILTER WHAT: the client sent at least one packet that passes; never FILTER WHAT: not one.
has() {
    [ -n "$(decode "$1" frame.number)" ] || fail "$2: the client sent none"
    ok "$2"
}
never() {
    local found
    found=$(decode "$1" frame.number)
    [ -z "$found" ] || fail "$2: packet $found" "$scratch/packets"
    ok "$2"
}
tshark -r "$scratch/capture.pcap" 2>/dev/null >"$scratch/packets"
discover='dhcp.option.dhcp == 1'
request='dhcp.option.dhcp == 3'

never 'ip.checksum.status == 0' "the checksums of IP are right"
none_malformed "nothing that the client sends is malformed" "eth.src == $mac"
never 'udp.checksum.status == 0 && ip.src == 0.0.0.0' "what it sends without an address has its checksum"
from='ip.src == 0.0.0.0 && udp.srcport == 68'
to='ip.dst == 255.255.255.255 && udp.dstport == 67'
has "$discover && $from && $to" \
    "DISCOVER goes from 0.0.0.0:68 to 255.255.255.255:67"
never "$discover && (dhcp.ip.client != 0.0.0.0 || dhcp.option.dhcp_server_id)" \
    "DISCOVER has no ciaddr and no server identifier"
never "dhcp && udp.length < 308" "no message is shorter than a BOOTP message (300 bytes)"
never "dhcp && !dhcp.option.type == 61" "a client identifier is in every message"
has "$discover && dhcp.option.request_list_item == 17" "the Root Path is asked for"
has "$request && dhcp.option.dhcp_server_id == 192.0.2.1" "REQUEST names the server"
has "$request && dhcp.option.requested_ip_address && dhcp.ip.client == 0.0.0.0" \
    "REQUEST names the address, and has no ciaddr"
# One that was lost on a link that just came up is repeated, with secs of its own.
secs=$(decode "$discover" dhcp.secs | sed -n 1p)
[ "$((secs))" = 0 ] || fail "the first DISCOVER has secs $secs" "$scratch/packets"
ok "the first DISCOVER has secs 0"
[ "$(decode "$discover" dhcp.option.request_list_item | sort -u)" = \
    "$(decode "$request" dhcp.option.request_list_item | sort -u)" ] ||
    fail "REQUEST asks for another list than DISCOVER"
ok "DISCOVER and REQUEST ask for the same list"
has "arp.opcode == 1 && arp.src.proto_ipv4 == 0.0.0.0" "the address is probed by ARP before it is used"
has 'iscsi.opcode == 0x03' "a login goes out"
pass
