#!/bin/bash
# Transport mode behind a NAT, which changes the machine's address and ports: the checksums that the sender made are of
# other addresses (RFC 3948 3.1.2), and the traffic selectors, too (RFC 7296 2.23.1).
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump nft
start_lio_for_peers
put_behind_nat
boots_through "transport mode, behind a NAT" 192.0.2.1 transport.example 'the secret of transport.example' \
    ipsec-mode=transport address=198.51.100.50/24 gateway=198.51.100.1
[ "$(esp_in_udp)" -gt 500 ] || fail "few packets in UDP: $(esp_in_udp)"
ok "transport mode, behind a NAT: $(esp_in_udp) packets in UDP"
bare=$(tcpdump -n -r "$scratch/capture.pcap" 'ip proto 50 and host 192.0.2.2' 2>/dev/null | wc -l)
[ "$bare" = 0 ] || fail "ESP that is not in UDP: $bare"
ok "behind a NAT all ESP is in UDP"
pass
