#!/bin/bash
# What becomes of the interface that lunbootd serves is told: its cable, its address, and whether it is there at all.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need_lunboot
make_net
give_client_address
truncate -s 32M "$scratch/disk.img"

# said_again COUNT: that machines reach it, so often by now.
said_again() { [ "$(grep -c "machines reach vs0 again" "$scratch/lunbootd.log")" = "$1" ]; }

reads() {
    in_client timeout 20 "$lunboot" read --rootpath="iscsi:$server_ip::::iqn.2026-11.org.lunboot:disk" \
        --output="$scratch/read" --length=8M >"$scratch/read.log" 2>&1 || fail "$1" "$scratch/read.log"
    ok "$1"
}

ip -n "$client_ns" link set vc0 down
start_lunbootd --dhcp=off "$scratch/disk.img"
lunbootd_says 'vs0 has no carrier: ' "an interface without a cable is told at the start"
ip -n "$client_ns" link set vc0 up
lunbootd_says 'machines reach vs0 again' "a cable that is put in is told"
reads "a disk is read then"

ip -n "$server_ns" link set vs0 down
lunbootd_says 'vs0 is down: .*try: ip link set vs0 up' "an interface that is switched off is told, with the remedy"
ip -n "$server_ns" link set vs0 up
wait_for 10 "the second line" said_again 2
ok "so is one that is switched on"

address=$(ip -n "$server_ns" -o -4 address show dev vs0 | awk '{ print $4 }')
ip -n "$server_ns" address del "$address" dev vs0
lunbootd_says "vs0 does not have the address $server_ip any more: .*try: ip address add $address dev vs0" \
    "an address that is taken away is told, with the remedy"
ip -n "$server_ns" address add "$address" dev vs0
wait_for 10 "the third line" said_again 3
reads "after the remedy a disk is read again, without a restart"

ip -n "$server_ns" link del vs0
lunbootd_says 'vs0 is gone: .*try: bring it back, then start lunbootd again' "an interface that is gone is told"
ip -n "$server_ns" link add vs0 type veth peer name other
lunbootd_says 'vs0 is another interface now' "so is another one in its place"
pass
