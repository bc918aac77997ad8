#!/bin/bash
# The kernel's ESP against strongSwan's, agreed on by lunboot: transport mode and tunnel, IPv4 and IPv6, and a NAT
# between. strongSwan knows no address of its machines: it finds each one's own key by its identity.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump nft

# many WHAT COUNT
many() {
    [ "$2" -gt 500 ] || fail "$1: few packets: $2"
    ok "$1: $2 packets"
}

start_lio_for_peers

v4=(address=192.0.2.100/24)
v6=(family=6 address=2001:db8:77::100/64)
boots_through "transport mode" 192.0.2.1 transport.example 'the secret of transport.example' \
    "${v4[@]}" ipsec-mode=transport
many "transport mode, ESP" "$(esp_packets)"
boots_through "tunnel, IPv6" '[2001:db8:77::10]' tunnel.example 'the secret of tunnel.example' "${v6[@]}"
many "tunnel, IPv6, ESP" "$(esp_packets)"
# The machine before had the same address, and went without a word.
boots_through "transport mode, IPv6" '[2001:db8:77::10]' transport.example 'the secret of transport.example' \
    "${v6[@]}" ipsec-mode=transport
many "transport mode, IPv6, ESP" "$(esp_packets)"

# The machine moves behind a NAT, which changes its address and its ports.
put_behind_nat
boots_through "tunnel, behind a NAT" 192.0.2.1 nat.example 'the secret of nat.example' \
    address=198.51.100.50/24 gateway=198.51.100.1
many "tunnel, behind a NAT, UDP" "$(esp_in_udp)"
bare=$(tcpdump -n -r "$scratch/capture.pcap" 'ip proto 50 and host 192.0.2.2' 2>/dev/null | wc -l)
[ "$bare" = 0 ] || fail "ESP that is not in UDP: $bare"
ok "behind a NAT all ESP is in UDP"
pass
