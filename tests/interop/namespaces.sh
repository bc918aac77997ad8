# Sourced by lib.sh: network namespaces, and the networks that join them.
# shellcheck shell=bash

server_ns=lb-srv-$$
client_ns=lb-cli-$$
relay_ns=lb-mid-$$
more_ns=()
server_ip=192.0.2.1
server_ip6=2001:db8:77::1

in_server() { ip netns exec "$server_ns" "$@"; }
in_client() { ip netns exec "$client_ns" "$@"; }
in_relay() { ip netns exec "$relay_ns" "$@"; }

make_namespace() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.accept_dad=0 2>/dev/null || true
}

# join NS1 IF1 NS2 IF2 [MTU]: a veth pair between two namespaces, both ends still down.
join() {
    ip link add "$2" netns "$1" mtu "${5:-1500}" type veth peer name "$4" netns "$3" mtu "${5:-1500}"
}

# make_net [MTU]: the server at vs0 (192.0.2.1/24, 2001:db8:77::1/64) and the client at vc0, which is
# bare: down and without an address, as on a machine that has just been switched on.
make_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    join "$server_ns" vs0 "$client_ns" vc0 "${1:-1500}"
    ip -n "$server_ns" addr add "$server_ip/24" dev vs0
    ip -n "$server_ns" addr add 2001:db8:77::1/64 dev vs0 nodad
    ip -n "$server_ns" link set vs0 up
}

# make_net6 [MTU]: a network without IPv4: the server at vs0 ($server_ip6/64, fe80::1) and the client at vc0,
# which is bare and looks for duplicate addresses as any machine does. Nobody advertises anything yet:
# start_radvd, start_dnsmasq.
make_net6() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    [ -d /proc/sys/net/ipv6 ] || skip "this kernel has no IPv6"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    in_client sysctl -qw net.ipv6.conf.default.accept_dad=1 net.ipv6.conf.all.accept_dad=1
    join "$server_ns" vs0 "$client_ns" vc0 "${1:-1500}"
    in_server sysctl -qw net.ipv6.conf.vs0.addr_gen_mode=1 net.ipv6.conf.all.forwarding=1
    ip -n "$server_ns" addr add fe80::1/64 dev vs0 nodad
    ip -n "$server_ns" addr add "$server_ip6/64" dev vs0 nodad
    ip -n "$server_ns" link set vs0 up
}

# make_routed_net: client vc0 -- vr0 relay vr1 -- vs0 server. The relay's namespace is the router:
# 192.0.2.254 towards the client, 198.51.100.254 towards the server, which is 198.51.100.1.
make_routed_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    make_namespace "$relay_ns"
    join "$relay_ns" vr0 "$client_ns" vc0
    join "$server_ns" vs0 "$relay_ns" vr1
    server_ip=198.51.100.1
    ip -n "$server_ns" addr add "$server_ip/24" dev vs0
    ip -n "$relay_ns" addr add 192.0.2.254/24 dev vr0
    ip -n "$relay_ns" addr add 198.51.100.254/24 dev vr1
    ip -n "$server_ns" link set vs0 up
    ip -n "$relay_ns" link set vr0 up
    ip -n "$relay_ns" link set vr1 up
    ip -n "$server_ns" route add default via 198.51.100.254
    in_relay sysctl -qw net.ipv4.ip_forward=1
}

# make_bridged_net: like make_net, but the server's end is br0 (192.0.2.2/24), to which further ports are
# added with bridge_port, so that there may be more than one server on the segment.
make_bridged_net() {
    make_net
    in_server ip link add br0 type bridge
    in_server ip addr flush dev vs0
    bridge_port vs0
    in_server ip addr add 192.0.2.2/24 dev br0
    in_server ip link set br0 up
}

bridge_port() {
    in_server ip link set "$1" master br0
    in_server ip link set "$1" up
}

# give_client_address: the client as a machine that is already on the network (for probe and read).
give_client_address() {
    ip -n "$client_ns" addr add "${1:-192.0.2.50}/24" dev vc0
    ip -n "$client_ns" addr add 2001:db8:77::50/64 dev vc0 nodad
    ip -n "$client_ns" link set vc0 up
    wait_for 5 "the link" link_is_up
}

# settings: what the client's kernel would do about IPv6 at vc0 of its own accord.
settings() {
    in_client sh -c 'cd /proc/sys/net/ipv6 && grep . conf/vc0/accept_ra conf/vc0/autoconf \
        conf/vc0/addr_gen_mode conf/vc0/dad_transmits conf/vc0/disable_ipv6 neigh/vc0/retrans_time_ms'
}

link_is_up() {
    grep -q 'state UP' <(ip -n "$client_ns" -o link show vc0)
}
