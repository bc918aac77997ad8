#!/bin/bash
# lunbootd gives IPv6 addresses in a network behind ISC's relay agent, with a section [subnet NAME] that has network6:
# from its own pool, with the machine's own disk and address, over one relay and over two.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need dhcrelay radvd
make_routed_net
server_ip6=2001:db8:77::1
ip -n "$server_ns" addr add "$server_ip6/64" dev vs0 nodad
ip -n "$relay_ns" addr add 2001:db8:77::fe/64 dev vr1 nodad
ip -n "$relay_ns" addr add 2001:db8:5::fe/64 dev vr0 nodad
ip -n "$server_ns" route add 2001:db8:5::/64 via 2001:db8:77::fe
in_relay sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n "$client_ns" link set vc0 address 02:00:00:00:00:0a
server_ns=$relay_ns server_interface=vr0 start_radvd <<CONF
AdvManagedFlag on;
prefix 2001:db8:5::/64 { AdvAutonomous off; };
CONF
make_gpt_disk "$scratch/disk.img"
cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
dhcp = off
dhcp6 = server
state = $scratch/state
disk = $scratch/disk.img

[subnet office]
network6 = 2001:db8:5::/64
dhcp6-range = 2001:db8:5::100-2001:db8:5::1ff
dns6 = 2001:db8:5::53

[machine anna]
mac = 02:00:00:00:00:0a
address6 = 2001:db8:5::a

[machine bert]
mac = 02:00:00:00:00:0b
CONF
start_lunbootd --config="$scratch/lunbootd.conf"
lunbootd_says 'gives addresses 2001:db8:5::100 to 2001:db8:5::1ff on vs0, to machines behind a relay' \
    "the network behind the relay is told"

# relay OPTION...: ISC's agent between the client's link and the server.
relay() {
    spawn dhcrelay ip netns exec "$relay_ns" "$(private_copy dhcrelay)" -6 -d -pf "$scratch/dhcrelay.pid" "$@" \
        -l vr0 -u "$server_ip6%vr1"
    wait_log dhcrelay 'Sending on .*Socket'
}
# boots_as MAC ADDRESS TARGET WHAT
boots_as() {
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 address "$1"
    rootpath="iscsi:[$server_ip6]::3260:0:$3"
    boot_then_read
    succeeds "$4"
    saw "inet6 $2/128" "the address is of the client's own network"
    saw 'nameserver 2001:db8:5::53' "the DNS server is that of the network"
    saw "LUNBOOT_.*$3" "the disk is the machine's own"
    read_the_loader
}
name=iqn.2026-11.org.lunboot:disk
relay
boots_as 02:00:00:00:00:0b '2001:db8:5::1[0-9a-f]{2}' "$name:bert" "a boot through a relay ends with a disk"
boots_as 02:00:00:00:00:0a '2001:db8:5::a' "$name:anna" "a machine behind a relay has its own address"
grep -q 'Relaying Solicit from' "$scratch/dhcrelay.log" || fail "the relay forwarded nothing"
ok "the relay agent stood between"
end dhcrelay
relay -I
boots_as 02:00:00:00:00:0a '2001:db8:5::a' "$name:anna" "a boot through a relay that adds its interface"
end dhcrelay

# After a restart the same machines have the same addresses.
end lunbootd KILL
start_lunbootd --config="$scratch/lunbootd.conf"
relay
boots_as 02:00:00:00:00:0b '2001:db8:5::1[0-9a-f]{2}' "$name:bert" "a machine is known after a kill -9"
end lunbootd
sed -i '/^\[subnet office\]/,/^dns6/d' "$scratch/lunbootd.conf"
sed -i '/^address6/d' "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"
ip -n "$client_ns" addr flush dev vc0
run_lunboot boot --interface=vc0 --enable=yes --attempts=1 --dhcp-timeout=4s --root="$scratch/root"
[ "$status" != 0 ] || fail "a boot in a network that no section has"
lunbootd_says 'a DHCPv6 relay at 2001:db8:77::fe asks for the network of 2001:db8:5::fe, which no \[subnet\] section' \
    "a relay of a network without a section is told"
end lunbootd

printf '[subnet x]\nnetwork6 = 2001:db8:5::1/64\n' >"$scratch/wrong.conf"
lunbootd_refuses "an address in place of a network" 'wrong.conf:2: network6 cannot be "2001:db8:5::1/64"' \
    'an IPv6 network' --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
printf '[subnet x]\nnetwork6 = 2001:db8:77::/64\n' >"$scratch/wrong.conf"
lunbootd_refuses "the link's own network" 'x is the IPv6 network of vs0 itself' 'without a section' \
    --config="$scratch/wrong.conf" --interface=vs0 --dhcp=off --dhcp6=server --state="$scratch/state" \
    "$scratch/disk.img"
printf '[subnet x]\nnetwork6 = 2001:db8:5::/64\ndhcp6-range = 2001:db8:6::1-2001:db8:6::9\n' >"$scratch/wrong.conf"
lunbootd_refuses "a range of another network" 'dhcp6-range of x is not within 2001:db8:5::/64' \
    'addresses of that network' --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
printf '[subnet x]\nnetwork = 198.51.100.0/24\ndhcp6-range = 2001:db8:6::1-2001:db8:6::9\n' >"$scratch/wrong.conf"
lunbootd_refuses "a range without a network" 'dhcp6-range of x has no network' \
    'its network as well' --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
pass
