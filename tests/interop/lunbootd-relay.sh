#!/bin/bash
# lunbootd gives addresses in a network behind ISC's relay agent, with a section [subnet NAME]: from its own pool,
# with its router, and with and without the relay's option 82.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need dhcrelay busybox
make_routed_net
make_gpt_disk "$scratch/disk.img"
cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
dhcp = server
state = $scratch/state
disk = $scratch/disk.img

[subnet office]
network = 192.0.2.0/24
dhcp-range = 192.0.2.100-192.0.2.119
router = 192.0.2.254

[subnet lab]
network = 203.0.113.0/28
CONF
start_lunbootd --config="$scratch/lunbootd.conf"
lunbootd_says 'gives addresses 192\.0\.2\.100 to 192\.0\.2\.119 on vs0, to machines behind a relay' \
    "the network behind the relay is told"
lunbootd_says 'gives addresses 203\.0\.113\.2 to 203\.0\.113\.14 on vs0' "a network's range is all behind its first"
start_isc_relay "$server_ip"

rootpath="iscsi:$server_ip::3260:0:iqn.2026-11.org.lunboot:disk"
boot_then_read
succeeds "a boot through a relay ends with a disk"
saw 'inet 192\.0\.2\.1[01][0-9]/24' "the address is of the client's own network"
saw 'default via 192\.0\.2\.254' "the default route goes over its router"
read_the_loader
grep -q 'Forwarded BOOTREQUEST' "$scratch/dhcrelay.log" || fail "the relay forwarded nothing"
ok "the relay agent stood between"
end dhcrelay

# With option 82: the relay drops answers that lack what it added.
spawn dhcrelay ip netns exec "$relay_ns" "$(private_copy dhcrelay)" -4 -d -a -A 1400 \
    -pf "$scratch/dhcrelay.pid" -id vr0 -iu vr1 "$server_ip"
wait_log dhcrelay 'Sending on .*Socket/fallback'
ip -n "$client_ns" addr flush dev vc0
run_lunboot boot --interface=vc0 --enable=yes --then=report --root="$scratch/root" --attempts=1
succeeds "a boot through a relay that adds option 82"
end dhcrelay

# Of its own network no machine is far: the first pool.
end lunbootd
sed -i '/^\[subnet office\]/,$d' "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"
start_isc_relay "$server_ip"
ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" link set vc0 up
in_client timeout 20 busybox udhcpc -i vc0 -n -q -t 2 -T 1 -s /bin/true >"$scratch/udhcpc.log" 2>&1 &&
    fail "an address was given in a network that no section has"
lunbootd_says 'relay asks for the network of 192\.0\.2\.254, which no \[subnet\] section has' \
    "a relay of a network without a section is told"
end lunbootd

printf '[subnet x]\n' >"$scratch/wrong.conf"
lunbootd_refuses "a subnet without a network" 'nothing says which network x is' 'network = ' \
    --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
printf '[subnet x]\nnetwork = 192.0.2.1/24\n' >"$scratch/wrong.conf"
lunbootd_refuses "an address in place of a network" 'wrong.conf:2: network cannot be "192.0.2.1/24"' \
    'an IPv4 network' --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
printf '[subnet x]\nnetwork = 198.51.100.0/24\n' >"$scratch/wrong.conf"
lunbootd_refuses "the link's own network" 'x is the network of vs0 itself' 'without a section' \
    --config="$scratch/wrong.conf" --interface=vs0 --dhcp=server --state="$scratch/state" "$scratch/disk.img"
printf '[subnet x]\nnetwork = 192.0.2.0/24\n[subnet y]\nnetwork = 192.0.2.128/25\n' >"$scratch/wrong.conf"
lunbootd_refuses "networks that overlap" 'the networks of x and y overlap' 'no address in common' \
    --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
pass
