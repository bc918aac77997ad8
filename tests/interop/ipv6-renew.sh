#!/bin/bash
# A prefix of radvd's that lasts for seconds: while the boot waits for its target, each advertisement gives the
# address and the router new lifetimes; when radvd is gone, both are given up when their time is over.
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3
make_net6
spawn silent ip netns exec "$server_ns" python3 -c '
import socket, time
listener = socket.create_server(("::", 3260), family=socket.AF_INET6)
listener.listen()
time.sleep(300)'
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 8;
  prefix 2001:db8:77::/64 { AdvValidLifetime 8; AdvPreferredLifetime 8; };
CONF
spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes --trace \
    --login-timeout=120s --then=report --rootpath="iscsi:[$server_ip6]::::$iqn"
has_address() { ip -n "$client_ns" -6 -o addr show dev vc0 scope global | grep inet6 >/dev/null; }
has_router() { ip -n "$client_ns" -6 route show default dev vc0 | grep 'via fe80::1 ' >/dev/null; }
has_none() { ! has_address && ! has_router; }
heard() { grep -c 'nd6 router fe80::1' "$scratch/lunboot.log" || true; }
has_heard() { [ "$(heard)" -ge 5 ]; }

wait_for 10 "the address" has_address
wait_for 30 "five advertisements" has_heard
has_address || fail "the address is gone although radvd advertises its prefix"
has_router || fail "the router is gone although it advertises itself"
ok "address and router last as long as they are advertised"
! grep -qE 'LOST|ran out' "$scratch/lunboot.log" || fail "something was lost on the way"
ok "and are never without a lifetime meanwhile"
end radvd KILL
wait_for 20 "the end of the lifetimes" has_none
ok "without a router both are given up when their time is over"
pass
