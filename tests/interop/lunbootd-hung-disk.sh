#!/bin/bash
# lunbootd with many machines of one disk that hangs, and others beside them on the same threads: these are not delayed.
# Those that wait go on when the disk answers; and lunbootd ends in time, also where it does not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3
make_net
give_client_address
mkdir "$scratch/disks" "$scratch/hung"
make_bytes "$scratch/disks/base.img" 67108864
truncate -s 32M "$scratch/disk.img" "$scratch/other.img"
mount_slow_files "$scratch/disks" "$scratch/hung" cached
# More than may have a thread each: two, as there are workers.
slow=$(seq -f 'slow%g' 12)
{
    printf '%s\n' 'interface = vs0' 'dhcp = off' 'isns = off' 'slp = off' "state = $scratch/state" \
        "overlays = $scratch/overlays" 'unknown = ignore' 'target = iqn.2026-11.test:t' 'threads = 2'
    number=16
    for name in $slow; do
        printf '\n[machine %s]\nmac = 02:00:00:00:00:%x\ndisk = %s\nwrites = keep\n' "$name" "$number" \
            "$scratch/hung/base.img"
        number=$((number + 1))
    done
    printf '\n[machine quick]\nmac = 02:00:00:00:00:0b\ndisk = %s\nwrites = direct\n' "$scratch/disk.img"
    printf '\n[machine next]\nmac = 02:00:00:00:00:0c\ndisk = %s\nwrites = keep\n' "$scratch/other.img"
} >"$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"

rounds quick
rounds next
wait_log quick 'done 3 '
wait_log next 'done 3 '
for name in $slow; do
    rounds "$name" reads
    wait_log "$name" 'done 3 '
done
ok "fourteen machines read and write"

touch "$scratch/hold"
quick_in_time quick 300 "a disk hangs; a machine with another one goes on"
quick_in_time next 300 "and so does one with an overlay"
lines=$(cat "$scratch"/slow*.log | wc -l)
sleep 1
[ "$(cat "$scratch"/slow*.log | wc -l)" = "$lines" ] || fail "the disk does not hang"
ctl list
ctl_says '^slow12 ' "lunbootctl answers"

rm "$scratch/hold"
for name in $slow; do
    count=$(wc -l <"$scratch/$name.log")
    wait_log "$name" "done $((count + 20)) "
done
ok "the disk answers: its machines go on"
for round in 1 2 3 4 5; do
    touch "$scratch/hold"
    sleep "0.0$round"
    rm "$scratch/hold"
    sleep 0.1
done
quick_in_time quick 300 "the disk stops and answers, again and again; others go on"

touch "$scratch/hold"
sleep 1
begin=$SECONDS
kill -TERM "$(pgrep -f "^$lunbootd .*--state=$scratch/state")"
wait_log lunbootd 'ends without waiting for it' 20
[ $((SECONDS - begin)) -le 13 ] || fail "it ends after $((SECONDS - begin)) s"
ok "lunbootd ends in time while the disk hangs"
grep -q 'ThreadSanitizer\|AddressSanitizer\|a mistake in this program' "$scratch/lunbootd.log" &&
    fail "it ends badly" "$scratch/lunbootd.log"
truncate -s 32M "$scratch/next.img"
spawn second ip netns exec "$server_ns" "$lunbootd" --interface=vs0 --dhcp=off --isns=off --slp=off \
    --state="$scratch/next-state" "$scratch/next.img"
wait_log second 'serves '
ok "its ports are free for the next one"
end second
pass
