#!/bin/bash
# A lease of Kea's that is short: while the boot waits for its target, the lease is renewed (RFC 8415 18.2.4); when Kea
# is gone, any server is asked (Rebind), and then the address is given up. tshark finds nothing malformed in any of it.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
need python3
make_net6
spawn silent ip netns exec "$server_ns" python3 -c '
import socket, time
listener = socket.create_server(("::", 3260), family=socket.AF_INET6)
listener.listen()
time.sleep(300)'
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
start_kea6 <<CONF
"preferred-lifetime": 16, "valid-lifetime": 20, "renew-timer": 3, "rebind-timer": 8,
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0",
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::1ff" }],
    "option-data": [ { "name": "bootfile-url", "data": "iscsi:[$server_ip6]::::$iqn" } ] }]
CONF
start_capture "$server_ns" vs0
spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes --trace \
    --login-timeout=120s --then=report
has_address() { ip -n "$client_ns" -6 -o addr show dev vc0 scope global | grep inet6 >/dev/null; }
has_none() { ! has_address; }
renewals() { grep -c 'dhcp6 RENEWING -> BOUND' "$scratch/lunboot.log" || true; }
has_renewed() { [ "$(renewals)" -ge 3 ]; }

wait_for 10 "the address" has_address
wait_for 30 "three renewals" has_renewed
has_address || fail "the address is gone although the lease was renewed"
ok "the lease is renewed"
end kea6
wait_for 40 "the end of the lease" has_none
ok "without a server the address is given up when its time is over"
stop_capture

# decode FILTER FIELD: of the packets of DHCPv6 from the client.
decode() {
    tshark -r "$scratch/capture.pcap" -Y "udp.srcport == 546 && ($1)" -T fields -e "$2" 2>/dev/null
}
[ "$(decode 'dhcpv6.msgtype == 5' frame.number | wc -l)" -ge 3 ] || fail "there are no Renews"
[ "$(decode 'dhcpv6.msgtype == 6' frame.number | wc -l)" -ge 1 ] || fail "there is no Rebind"
ok "Renew first, then Rebind"
[ -z "$(decode 'dhcpv6.msgtype == 5 && !dhcpv6.option.type == 2' frame.number)" ] || fail "a Renew names no server"
[ -z "$(decode 'dhcpv6.msgtype == 6 && dhcpv6.option.type == 2' frame.number)" ] || fail "a Rebind names a server"
ok "a Renew names its server, a Rebind none"
none_malformed "nothing that the client sends is malformed" 'udp.srcport == 546'
pass
