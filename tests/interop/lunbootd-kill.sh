#!/bin/bash
# lunbootd is killed (kill -9) at random instants while a machine writes, and started again: the session recovers, and
# every byte that was flushed (FUA: each write is) is there. LUNBOOTD_KILLS: how many times (default: 12).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
make_net
give_client_address
truncate -s 256M "$scratch/disk.img"
kills=${LUNBOOTD_KILLS:-12}
name=iqn.2026-11.org.lunboot:disk
conf=$scratch/lunbootd.conf
printf '%s\n' 'interface = vs0' "disk = $scratch/disk.img" 'dhcp = off' 'tftp = no' 'http = no' 'writes = keep' \
    '[machine anna]' 'mac = 02:00:00:00:00:0a' >"$conf"
start() { start_lunbootd --config="$conf"; }
# moment: up to 0.15 s.
moment() { sleep "0.$(printf '%03d' $((RANDOM % 150)))"; }

rootpath=iscsi:$server_ip::3260:0:$name:anna
start
killed=0
seed=100
while [ "$killed" -lt "$kills" ]; do
    seed=$((seed + 1))
    spawn writer ip netns exec "$client_ns" "$exercise" --rootpath="$rootpath" --write-verify=96M --offset=16M \
        --seed=$seed --fua --attempts=0
    while is_alive writer; do
        moment
        [ "$killed" -lt "$kills" ] || continue
        end lunbootd KILL
        moment
        start
        killed=$((killed + 1))
    done
    # lunboot takes no word for it: a flush after a new login is unsure. lunbootd has kept all the same.
    grep -qE 'written, flushed, read and compared|\(writes-unsure\)' "$scratch/writer.log" ||
        fail "writing with seed $seed failed" "$scratch/writer.log"
    end lunbootd KILL
    start
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=96M --offset=16M --seed=$seed \
        --verify-only
    succeeds "after $killed kills all that was written and flushed with seed $seed is there"
done
pass
