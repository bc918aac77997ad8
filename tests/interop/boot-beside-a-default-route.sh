#!/bin/bash
# A machine that is on the network by another interface, with the default route there and a TCP
# connection over it: the connection lives, and the route stays, while a boot goes on by vc0, when
# it fails, when it is interrupted, and when it has its disk. A target behind a router is reached by
# vc0's all the same.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_routed_net
far_ns=lb-far-$$
make_namespace "$far_ns"
more_ns+=("$far_ns")
join "$client_ns" uplink "$far_ns" far0
in_client ip addr add 10.9.9.2/24 dev uplink
in_client ip link set uplink up
ip -n "$far_ns" addr add 10.9.9.1/24 dev far0
ip -n "$far_ns" addr add 203.0.113.5/32 dev lo
ip -n "$far_ns" link set far0 up
in_client ip route add default via 10.9.9.1
in_client sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.vc0.rp_filter=1

# The connection: a line a tenth of a second, counted at its other end.
spawn listener ip netns exec "$far_ns" python3 -u -c 'import socket
s = socket.create_server(("203.0.113.5", 7777))
print("ready", flush=True)
c = s.accept()[0]
while c.recv(4096):
    print("line", flush=True)
print("closed", flush=True)'
wait_log listener ready
spawn talker ip netns exec "$client_ns" python3 -u -c 'import socket, time
s = socket.create_connection(("203.0.113.5", 7777), 5)
s.setsockopt(socket.IPPROTO_TCP, 18, 3000)
while True:
    s.sendall(b"line\n")
    time.sleep(0.1)'

# others_stay WHEN: the route is as it was, and the connection goes on.
others_stay() {
    local before
    before=$(grep -c line "$scratch/listener.log" || true)
    [ "$(in_client ip -4 route show default dev uplink)" = "default via 10.9.9.1 " ] ||
        fail "the other interface's default route is gone $1"
    more_lines() { [ "$(grep -c line "$scratch/listener.log")" -gt "$((before + 3))" ]; }
    wait_for 10 "more lines over the connection $1" more_lines
    is_alive talker || fail "the connection has ended $1"
    ok "the other interface's route and its connection are as before $1"
}
# undone WHEN: nothing of the boot is left on vc0.
undone() {
    [ -z "$(in_client ip -4 route show dev vc0)" ] || fail "a route is left $1"
    [ -z "$(in_client ip -4 -o addr show dev vc0)" ] || fail "an address is left $1"
    [ "$(in_client sysctl -n net.ipv4.conf.vc0.rp_filter)" = 1 ] || fail "a setting is left $1"
    ok "vc0 is as before $1"
}

others_stay "before the boot"
serve_disk
server_interface=vr0 start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:router,192.0.2.254
dhcp-option=option:root-path,"iscsi:$server_ip:::9:$iqn"
CONF
run_lunboot boot --interface=vc0 --enable=yes --attempts=1
fails_with lun-missing "a boot that fails is told as that" "$iqn"
others_stay "after a boot that failed"
undone "after a boot that failed"

for signal in INT TERM HUP; do
    spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes \
        --rootpath="iscsi:198.51.100.77:::1:$iqn"
    has_route() { grep -q default <(in_client ip -4 route show dev vc0); }
    wait_for 20 "the route" has_route
    others_stay "while a boot waits for its target"
    kill "-$signal" "${pids[lunboot]}"
    ended() { ! is_alive lunboot; }
    wait_for 10 "the end of lunboot" ended
    others_stay "after SIG$signal"
    undone "after SIG$signal"
done

# Not even what nobody can put in order replaces anything.
spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes \
    --rootpath="iscsi:198.51.100.77:::1:$iqn"
wait_for 20 "the route" has_route
kill -KILL "${pids[lunboot]}"
wait_for 10 "the end of lunboot" ended
others_stay "after SIGKILL"
in_client ip addr flush dev vc0
in_client ip -4 route flush dev vc0
in_client ip link set vc0 down

cat >"$scratch/look" <<'LOOK'
#!/bin/sh
ip -4 route show dev vc0
ip route get "$LUNBOOT_SERVER"
LOOK
chmod +x "$scratch/look"
run_lunboot boot --interface=vc0 --enable=yes --attempts=1 \
    --rootpath="iscsi:$server_ip:::1:$iqn" --then="$scratch/look"
succeeds "the target behind vc0's router is booted from"
others_stay "after a boot"
grep -q "^$server_ip via 192.0.2.254 dev vc0" "$scratch/out.log" ||
    fail "the next program reaches the target by another interface" "$scratch/out.log"
ok "whoever goes on with the target reaches it by vc0"
pass
