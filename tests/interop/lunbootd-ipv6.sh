#!/bin/bash
# lunbootd alone on a link without IPv4: router advertisements, DHCPv6, files, iSCSI, iSNS and SLP.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
make_net6
ip -n "$client_ns" link set vc0 address 02:00:00:00:00:0a
make_gpt_disk "$scratch/disk.img"
name=iqn.2026-11.org.lunboot:disk
rootpath="iscsi:[$server_ip6]::3260:0:$name"
dead_client() { ip -n "$client_ns" link set vc0 down; }
asks_as() { # MAC
    ip -n "$client_ns" addr flush dev vc0
    dead_client
    ip -n "$client_ns" link set vc0 address "$1"
    boot_then_read "${@:2}"
    address=$(sed -nE 's/.* inet6 (2001[0-9a-f:]+)\/128 .*/\1/p' "$scratch/then.log")
}

start_lunbootd --dhcp6=server --router-advertisements=yes --dns6=2001:db8:77::53 "$scratch/disk.img"
lunbootd_says "serves $scratch/disk.img \(.*\) at \[$server_ip6\]:3260" "it says where the disk is"
lunbootd_says "gives addresses 2001:db8:77::1000 to 2001:db8:77::1fff on vs0" "and which addresses it gives"
lunbootd_says "advertises the network 2001:db8:77::/64 on vs0$" "and which network it advertises"
boot_then_read
succeeds "a bare interface boots from lunbootd alone, without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f]{3}/128' "the address is of DHCPv6"
saw '^2001:db8:77::/64 ' "the network is the one that is advertised"
saw 'nameserver 2001:db8:77::53' "the DNS server is told"
! grep -q '^default' "$scratch/then.log" || fail "there is a default route"
ok "nobody is made a router"
saw "LUNBOOT_.*$name" "the disk is the one that lunbootd names"
read_the_loader
lunbootd_says "02:00:00:00:00:0a  is given 2001:db8:77::1[0-9a-f]{3} by DHCPv6, disk $name" "the address is told"
lunbootd_says "2001:db8:77::1[0-9a-f]{3} +logged in as iqn\.2026-11\.org\.lunboot:" "the login is told"

# Known clients are known after a restart, also after a kill.
asks_as 02:00:00:00:00:0a
first=$address
end lunbootd KILL
start_lunbootd --dhcp6=server --router-advertisements=yes \
    --dhcp6-range=2001:db8:77::1000-2001:db8:77::1002 "$scratch/disk.img"
asks_as 02:00:00:00:00:0b
[[ -n $first && -n $address && $address != "$first" ]] || fail "another machine is given $address, of $first"
asks_as 02:00:00:00:00:0a
[ "$address" = "$first" ] || fail "after kill -9 a known machine is given $address, and had $first"
ok "after kill -9 a known machine has its address, and another machine another one"

# Files by TFTP and HTTP; without DHCPv6 iSNS and SLP.
ip -n "$client_ns" addr add 2001:db8:77::50/64 dev vc0 nodad
ip -n "$client_ns" link set vc0 up
wait_for 5 "the link" link_is_up
if command -v curl >/dev/null; then
    for way in http tftp; do
        in_client curl -gsS -m 10 "$way://[$server_ip6]/lunboot.conf" >"$scratch/$way.conf" 2>"$scratch/curl.log" ||
            fail "curl gets nothing by $way" "$scratch/curl.log"
        grep -q '^enable' "$scratch/$way.conf" || fail "curl gets another file by $way" "$scratch/$way.conf"
        ok "curl fetches lunboot.conf by $way"
    done
else
    ok "files # SKIP curl is not installed"
fi
end lunbootd
start_lunbootd --ipv6 "$scratch/disk.img"
run_lunboot discover --interface=vc0 --discovery=isns --target="$name" --isns-server="$server_ip6" --json
found "^$name $server_ip6:3260 iSNS" "iSNS tells the target's IPv6 address"
run_lunboot discover --interface=vc0 --discovery=slp --trust-open-slp=yes --discovery-timeout=8s --json
found "^$name $server_ip6:3260 SLP" "SLP finds the target in the groups of RFC 3111"
run_lunboot probe --server="$server_ip6"
succeeds "lunbootd is asked for its targets"
says "$name" "SendTargets lists the target"
says "$server_ip6|2001:db8:77::1" "at its IPv6 address"
end lunbootd

# A router where it is asked to be one; stateless DHCPv6; a machine with an address of its own.
start_lunbootd --dhcp6=stateless --router-advertisements=yes --router-lifetime=1800 "$scratch/disk.img"
asks_as 02:00:00:00:00:0a
succeeds "a machine boots with stateless DHCPv6"
saw 'inet6 2001:db8:77::ff:fe00:a/64' "it makes its own address"
saw '^default via fe80::1 ' "lunbootd's computer is its router"
in_client sysctl -qw net.ipv6.conf.vc0.accept_ra=0 # the kernel asks nothing of its own accord
ip -n "$client_ns" link set vc0 up
ip -n "$client_ns" addr add fe80::50/64 dev vc0 nodad
sleep 1 # for an answer to what was asked before
in_client python3 - >"$scratch/routers.log" <<'PYTHON' || fail "nobody could ask" "$scratch/routers.log"
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
index = socket.if_nametoindex("vc0")
s.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("=8I", *[0xffffffff] * 4, 0xffffffbf, *[0xffffffff] * 3))
s.bind(("fe80::50", 0, 0, index)) # so that only what is sent to this address is heard,
s.setsockopt(socket.IPPROTO_IPV6, 29, 0) # IPV6_MULTICAST_ALL: and no group
s.settimeout(1)
def advertisement():
    try:
        while True:
            bytes = s.recv(2000)
            if bytes[0] == 134:
                return struct.unpack(">H", bytes[6:8])[0]
    except socket.timeout:
        return None
for hops in (64, 255):
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
    s.sendto(struct.pack(">BBHI", 133, 0, 0, 0), ("ff02::2", 0, 0, index))
    print("hops", hops, advertisement(), flush=True)
PYTHON
grep -q '^hops 64 None$' "$scratch/routers.log" || fail "a question from beyond the link is answered"
grep -q '^hops 255 1800$' "$scratch/routers.log" || fail "a question of the link is not answered"
ok "a router solicitation is answered, and none with another hop limit than 255"
start_capture "$client_ns" vc0 icmp6
end lunbootd
stop_capture
tcpdump -nvr "$scratch/capture.pcap" >"$scratch/good-bye" 2>/dev/null
grep -q 'router lifetime 0s' "$scratch/good-bye" || fail "the router says no good-bye"
ok "a router that stops says so"
cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
state = $scratch/state
disk = $scratch/disk.img
writes = drop
overlays = $scratch/overlays
unknown = ignore
dhcp6 = server
router-advertisements = yes

[machine anna]
mac = 02:00:00:00:00:0a
address6 = 2001:db8:77::a
CONF
start_lunbootd --config="$scratch/lunbootd.conf"
rootpath="iscsi:[$server_ip6]::3260:0:$name:anna.g1"
asks_as 02:00:00:00:00:0a --client-id=ff:00:00:00:77:00:02:00:00:00:09:01:02:03:04
succeeds "a machine with a section boots its own target"
saw 'inet6 2001:db8:77::a/128' "at the address of its section, by its card, whatever DUID it names"
asks_as 02:00:00:00:00:0b --attempts=1 --discovery=off
fails_with no-root-path "a machine without a section gets no disk" .
lunbootd_says '02:00:00:00:00:0b  is given 2001:db8:77::1[0-9a-f]{3} by DHCPv6, no disk' "which is told"
end lunbootd

# Other people's clients.
start_lunbootd --dhcp6=server --router-advertisements=yes "$scratch/disk.img"
ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" link set vc0 up
is_ready() { grep -q 'inet6 fe80' <(ip -n "$client_ns" -o addr show dev vc0 scope link -tentative); }
wait_for 10 "the link-local address" is_ready
if command -v dhclient >/dev/null; then
    dhclient=$(private_copy dhclient)
    : >"$scratch/dhclient.leases"
    in_client timeout 30 "$dhclient" -6 -1 -v -sf /bin/true -lf "$scratch/dhclient.leases" \
        -pf "$scratch/dhclient.pid" -cf /dev/null vc0 >"$scratch/dhclient.log" 2>&1 ||
        fail "dhclient gets no lease" "$scratch/dhclient.log"
    [ ! -s "$scratch/dhclient.pid" ] || kill "$(cat "$scratch/dhclient.pid")" || true
    grep -q 'iaaddr 2001:db8:77::1' "$scratch/dhclient.leases" || fail "another lease" "$scratch/dhclient.leases"
    ok "dhclient -6 takes an address"
else
    ok "dhclient # SKIP it is not installed"
fi
end lunbootd

# What cannot be.
lunbootd_refuses "no IPv6 address" 'lo has no IPv6 address that others can reach' 'ip address add' \
    --interface=lo --ipv6 "$scratch/disk.img"
lunbootd_refuses "DHCP without IPv4" 'vs0 has no IPv4 address' 'dhcp=off' \
    --interface=vs0 --ipv6 --dhcp=server "$scratch/disk.img"
lunbootd_refuses "a range of another network" 'dhcp6-range is not within 2001:db8:77::/64' 'FIRST-LAST' \
    --interface=vs0 --dhcp6=server --dhcp6-range=2001:db8:99::1-2001:db8:99::9 "$scratch/disk.img"
lunbootd_refuses "a wrong range" 'dhcp6-range cannot be "2001:db8::9-2001:db8::1"' 'the lower one first' \
    --interface=vs0 --dhcp6=server --dhcp6-range=2001:db8::9-2001:db8::1 "$scratch/disk.img"
lunbootd_refuses "a router that does not say so" 'router-lifetime is given' 'router-advertisements' \
    --interface=vs0 --router-lifetime=60 "$scratch/disk.img"
pass
