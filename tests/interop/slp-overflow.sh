#!/bin/bash
# More answers than a datagram holds: OVERFLOW, and all of them by TCP. Ten thousand targets of others cost
# nothing, and ten thousand answers come through.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_slp_net
serve_disk
slp_service "$iqn" "" "(boot-list=iscsi)" | start_slp_agent 1 --directory --many=10000
give_client_address
start_capture "$client_ns" vc0 port 427

discover --json --trust-open-slp=yes --allow-target="$iqn" --slp-agent=192.0.2.31 --discovery-timeout=20s
succeeds "discovery of everything ends well"
grep -q "10001 found over IPv4, everything" "$scratch/out.log" || fail "not all came through" "$scratch/out.log"
ok "every one of 10001 answers comes through"
found "^$iqn 192.0.2.2:3260 SLP agent .*31 allowed" "ours is found among ten thousand"
grep -q connection "$scratch/agent1.log" || fail "nobody came by TCP"
ok "the rest came by TCP"
stop_capture
entries=$(tshark -r "$scratch/capture.pcap" -Y 'tcp.srcport == 427' -T fields -e tcp.len 2>/dev/null |
    awk '{ bytes += $1 } END { print bytes + 0 }')
[ "$entries" -gt 700000 ] || fail "only $entries bytes came by TCP"
ok "$entries bytes came by TCP"
longest=$(tshark -r "$scratch/capture.pcap" -Y udp -T fields -e udp.length 2>/dev/null | sort -n | tail -n 1)
[ "$longest" -le 1408 ] || fail "a datagram of $longest bytes"
ok "no datagram was longer than 1400 bytes"
none_malformed "nothing that the client sent is malformed" 'ip.src == 192.0.2.50'

# What cannot be fetched by TCP is no end: what the datagram held is used.
for how in refuse stall garbage; do
    n=$((${n:-1} + 1))
    for port in 0 1 2 3 4; do
        slp_service "$iqn" "$server_ip:32$n$port" "(boot-list=iscsi)"
    done | start_slp_agent "$n" --directory --mtu=200 --tcp="$how"
    discover --json --target="$iqn" --slp-agent="192.0.2.3$n" --discovery-timeout=5s
    found "^$iqn 192.0.2.2:32${n}0 SLP agent .*3$n allowed" "TCP: $how; what came by UDP is used"
    grep -q 'unicast SrvRqst' "$scratch/agent$n.log" || fail "agent $n was not asked"
done
pass
