# Sourced by lib.sh: what tshark says of $scratch/capture.pcap.
# shellcheck shell=bash disable=SC2154

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
