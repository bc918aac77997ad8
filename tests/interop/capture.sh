# Sourced by lib.sh: captures of packets, and what tshark says of them.
# shellcheck shell=bash

# start_capture NAMESPACE INTERFACE [FILTER...]: packets go to $scratch/capture.pcap.
start_capture() {
    need tcpdump
    local ns=$1 interface=$2
    shift 2
    spawn tcpdump ip netns exec "$ns" tcpdump --immediate-mode -n -U -i "$interface" -w "$scratch/capture.pcap" "$@"
    wait_log tcpdump 'listening on'
}

stop_capture() {
    sleep 0.2 # what was sent just now is still on its way to the file
    end tcpdump INT
}

# clear_packets [dst|src]: how many of the capture, which must be whole, are to or from (to, from) the ports of
# iSCSI, iSNS and SLP.
clear_packets() {
    grep -q '^0 packets dropped by kernel' "$scratch/tcpdump.log" || echo "the capture is not whole"
    tcpdump -n -r "$scratch/capture.pcap" "${1:-} port 3260 or ${1:-} port 3205 or ${1:-} port 427" 2>/dev/null | wc -l
}

# none_in_clear [WHAT]: none is, in either direction.
none_in_clear() {
    local to from
    to=$(clear_packets dst) from=$(clear_packets src)
    [ "$to" = 0 ] || fail "${1:+$1: }packets in clear from the machine: $to"
    [ "$from" = 0 ] || fail "${1:+$1: }packets in clear from the server: $from"
    ok "${1:+$1: }0 packets in clear from the machine, 0 from the server"
}

# count_round_trips SERVER: in the capture, from SYN to the first block.
count_round_trips() {
    tshark -r "$scratch/capture.pcap" -T fields -e ip.src -e tcp.len -e tcp.flags.syn \
        -e iscsi.opcode -e scsi_sbc.opcode 2>/dev/null >"$scratch/packets"
    python3 "$interop/round-trips.py" "$1" <"$scratch/packets"
}

# The protocols that a boot speaks.
boot_protocols='eth|ethertype|arp|ip|ipv6|ipv6\.hopopts|ipv6\.fraghdr|icmp|icmpv6|igmp|udp|tcp'
boot_protocols+='|dhcp|dhcpv6|dns|mdns|tftp|http|isns|srvloc|data|tcp\.segments'

# malformed [FILTER]: the frames that tshark calls malformed, a line each, among those that pass the filter. Only
# complaints about the protocols of a boot count: behind other ports tshark guesses what the bytes mean, and calls
# data malformed that is none of that protocol. The same where the capture has lost frames: an iSCSI PDU then
# begins where tshark cannot know.
malformed() {
    local names=$boot_protocols capture=$scratch/capture.pcap
    if [ -z "$(tshark -r "$capture" -Y 'tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment' \
        -T fields -e frame.number 2>/dev/null)" ]; then
        names+='|iscsi|scsi|scsi_sbc|scsi_spc'
    fi
    tshark -r "$capture" -o ip.check_checksum:FALSE -Y "_ws.malformed && (${1:-frame})" -T fields \
        -e frame.number -e frame.protocols 2>/dev/null |
        grep -E $'^[0-9]+\t'"($names)(:($names))*\$" || true
}

# none_malformed WHAT [FILTER]: a point.
none_malformed() {
    local found
    found=$(malformed "${2:-frame}")
    [ -z "$found" ] || fail "$1: malformed: $found"
    ok "$1"
}
