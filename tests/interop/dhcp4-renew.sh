#!/bin/bash
# A lease of Kea's that is short: while the boot waits for its target, the lease is renewed by unicast from our
# own address; when Kea is gone, the address is given up at the lease's end.
. "$(dirname "$0")/lib.sh"
need_lunboot
need kea-dhcp4 tcpdump
make_net
start_fake_target silent # a login that takes its time
start_kea <<CONF
"renew-timer": 2, "rebind-timer": 5, "valid-lifetime": 8,
"subnet4": [{ "subnet": "192.0.2.0/24", "pools": [{ "pool": "192.0.2.100 - 192.0.2.199" }],
              "option-data": [{ "name": "root-path", "data": "iscsi:192.0.2.1::::$iqn" }] }]
CONF
spawn tcpdump ip netns exec "$server_ns" tcpdump -n -l -i vs0 udp port 67
wait_log tcpdump 'listening on'
spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes \
    --login-timeout=120s --then=report --trace
has_address() { ip -n "$client_ns" -4 -o addr show dev vc0 | grep inet >/dev/null; }
has_none() { ! has_address; }
# "192.0.2.100.68 > 192.0.2.1.67": from our address, to the server alone
unicasts() { grep -cE 'IP 192\.0\.2\.1[0-9][0-9]\.68 > 192\.0\.2\.1\.67' "$scratch/tcpdump.log" || true; }
has_renewed() { [ "$(unicasts)" -ge 3 ]; }

wait_for 10 "the address" has_address
wait_for 20 "three renewals" has_renewed
ok "the lease is renewed by unicast"
has_address || fail "the address is gone although the lease was renewed"
sed '1,/IP 192.0.2.1[0-9][0-9].68 >/d' "$scratch/tcpdump.log" >"$scratch/since.log"
! grep -q '> 255.255.255.255.67' "$scratch/since.log" || fail "there were broadcasts although Kea answers"
ok "nothing was broadcast since"
! grep -q 'udp port 68 unreachable' "$scratch/tcpdump.log" || fail "Kea's answer met no socket"
end kea
wait_for 20 "the end of the lease" has_none
ok "without a server the address is given up when the lease ends"
pass
