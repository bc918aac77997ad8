#!/bin/bash
# Persistent reservations with APTPL at lunbootd's disks, over restarts and kill -9: a raw disk, and an overlay.
# LUNBOOTD_KILLS: how many times it is killed while keys change (default: 12).
. "$(dirname "$0")/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
make_net
give_client_address
truncate -s 64M "$scratch/disk.img" "$scratch/raw.img"
two_disks
start() { start_lunbootd --config="$scratch/lunbootd.conf"; }
restart() {
    end lunbootd KILL
    start
}
# phase TARGET PHASE [FILE]
phase() {
    in_client timeout 60 "$interop/reservations.py" "$server_ip" "$@" >"$scratch/phase.log" 2>&1 ||
        fail "$*: $(cat "$scratch/phase.log")"
}

start
for target in iqn.2026-11.org.lunboot:disk:anna iqn.2026-11.org.lunboot:raw:bert; do
    phase $target reserve
    restart
    phase $target kept
    ok "$target: keys and reservation are there after kill -9, and the reservation stands"
    restart
    phase $target preempted
    ok "$target: what was preempted before a kill -9 is preempted after it"
    restart
    phase $target forgotten
    restart
    phase $target lost
    ok "$target: what was cleared, and what was to be kept by nobody, is gone"
done

kills=${LUNBOOTD_KILLS:-12}
target=iqn.2026-11.org.lunboot:disk:anna
for _ in $(seq "$kills"); do
    spawn changer ip netns exec "$client_ns" "$interop/reservations.py" "$server_ip" $target change "$scratch/keys"
    wait_log changer begins
    sleep "0.$(printf '%03d' $((RANDOM % 300)))"
    restart
    for _ in $(seq 100); do
        is_alive changer || break
        sleep 0.1
    done
    phase $target changed "$scratch/keys"
    echo "# $(cat "$scratch/phase.log")"
done
ok "after each of $kills kills the key is the last that was answered, or the one under way"
ctl reset anna
phase $target lost
ok "a reset drops the keys with the data"
pass
