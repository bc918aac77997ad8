#!/bin/bash
# An address from which a disk is used is given to nobody else, also where no system renews the lease: open-iscsi and
# the iBFT configure it once, and an installed system asks DHCP by an identifier of its own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need busybox python3
make_net
make_gpt_disk "$scratch/disk.img"
lease=60 # seconds, the shortest
start_lunbootd --dhcp=server --dhcp-range=192.0.2.100-192.0.2.100 --lease="$lease" "$scratch/disk.img"
run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
succeeds "a machine boots, and has the one address"
begin=$SECONDS
ip -n "$client_ns" addr flush dev vc0
ip -n "$client_ns" addr add 192.0.2.100/24 dev vc0
ip -n "$client_ns" link set vc0 up
spawn session ip netns exec "$client_ns" python3 -u -c '
import sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from odd_initiator import Initiator
disk = Initiator(sys.argv[2], 3260, "iqn.2026-11.org.lunboot:disk").log_in()
print("logged in", flush=True)
while True:
    time.sleep(1)
    disk.ping()' "$interop" "$server_ip"
wait_log session 'logged in'

# asks_as NUMBER: another client, which tries twice.
asks_as() {
    in_client timeout 20 busybox udhcpc -i vc0 -n -q -t 2 -T 1 -x "0x3d:ff0000000$1" -s /bin/true \
        >"$scratch/udhcpc.log" 2>&1
}
! asks_as 1 || fail "another client is given an address while it is leased" "$scratch/udhcpc.log"
ok "while the lease lasts nobody else gets it"
sleep $((begin + lease + 5 - SECONDS))
! asks_as 2 || fail "another client is given the address of an open session" "$scratch/udhcpc.log"
ok "nor after it, for a session is open from there"
end lunbootd KILL
start_lunbootd --dhcp=server --dhcp-range=192.0.2.100-192.0.2.100 --lease="$lease" "$scratch/disk.img"
! asks_as 3 || fail "after a kill -9 another client is given the address" "$scratch/udhcpc.log"
ok "nor after a kill -9 of lunbootd"
pass
