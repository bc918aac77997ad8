#!/bin/bash
# Ctrl-C and SIGTERM in the middle of a boot leave the interface as it was found: down, without address,
# route or resolver.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
resolv=$scratch/root/etc/resolv.conf

start_boot() {
    spawn lunboot ip netns exec "$client_ns" "$lunboot" boot --interface=vc0 --enable=yes \
        --then=report --root="$scratch/root"
}
is_up() { grep -q '[<,]UP[,>]' <(ip -n "$client_ns" -o link show vc0); }
has_address() { grep -q inet <(ip -n "$client_ns" -4 -o addr show dev vc0); }
ended() { ! is_alive lunboot; }
# interrupt SIGNAL WHEN: ends the boot and looks at what it leaves.
interrupt() {
    kill "-$1" "${pids[lunboot]}"
    wait_for 10 "the end of lunboot after SIG$1" ended
    ok "SIG$1 $2 ends the boot"
    has_address && fail "an address is left"
    is_up && fail "the interface is left up"
    [ -z "$(in_client ip route show)" ] || fail "a route is left"
    [ ! -s "$resolv" ] || fail "resolv.conf is left"
    ok "nothing is left on the interface"
    grep -q cancelled "$scratch/lunboot.log" || fail "it does not say that it was cancelled"
    ok "it says that it was cancelled"
}

start_boot
wait_for 10 "the interface coming up" is_up
interrupt INT "while it looks for a DHCP server"

in_server sysctl -qw net.ipv4.ip_forward=1
ip -n "$server_ns" route add blackhole 198.51.100.0/24
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:dns-server,192.0.2.1
dhcp-option=option:router,192.0.2.1
dhcp-option=option:root-path,"iscsi:198.51.100.1:::1:$iqn"
CONF
for signal in INT TERM; do
    start_boot
    wait_for 20 "the address" has_address
    interrupt $signal "while it waits for the target"
done
pass
