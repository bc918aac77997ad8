#!/bin/bash
# lunbootd with little memory: readers that do not read, and writes that come all at once. Nobody is stalled by
# them, nothing is lost, and lunbootd takes no more than it may.
. "$(dirname "$0")/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
need python3 curl
make_net
give_client_address
truncate -s 64M "$scratch/disk.img"
cat >"$scratch/lunbootd.conf" <<CONF
target = iqn.2026-11.test:disk
memory = 8

[machine anna]
mac = 02:00:00:00:00:0a
disk = $scratch/disk.img
writes = keep
CONF
start_lunbootd --config="$scratch/lunbootd.conf" --dhcp=off --isns=off --slp=off --overlays="$scratch/overlays"
pid=$(pgrep -n -f "^$lunbootd .*--state=$scratch/state")
in_client "$interop/memory-load.py" 192.0.2.1 iqn.2026-11.test:disk:anna "$pid" >"$scratch/load.log" 2>&1 ||
    fail "the load" "$scratch/load.log"
ok "writes beside slow readers are done, or refused and done when they come again; the readers get all in the end"
grep -q 'KiB more were resident' "$scratch/load.log" || fail "nothing was measured" "$scratch/load.log"
ok "no more is resident than the budget and a fifth"
read_metrics() {
    in_server curl -s -u "lunbootd:$(cat "$scratch/state/page-token")" http://127.0.0.1:8260/metrics \
        >"$scratch/metrics.txt"
}
given_back=no
for _ in $(seq 50); do # the metrics are as of the last second
    read_metrics
    grep -qE '^lunbootd_memory_used_bytes [0-9]{1,5}$' "$scratch/metrics.txt" && given_back=yes && break
    sleep 0.2
done
[ "$given_back" = yes ] || fail "memory is not given back" "$scratch/metrics.txt"
ok "all of it is given back"
grep -q '^lunbootd_memory_waits_total [1-9]' "$scratch/metrics.txt" || fail "nobody had to wait" "$scratch/metrics.txt"
ok "the metrics say that sessions had to wait for memory"
pass
