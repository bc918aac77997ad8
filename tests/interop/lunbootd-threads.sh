#!/bin/bash
# lunbootd with several threads: many sessions at once, while machines are ejected, removed, added and reset. Nobody
# gets another's data, calm machines notice nothing, and lunbootd ends cleanly under load. With a build for
# ThreadSanitizer (LUNBOOTD=build-tsan/lunbootd) there is no report.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3
seconds=${LUNBOOT_THREADS_SECONDS:-10}
make_net
give_client_address
head -c 32M /dev/urandom >"$scratch/disk.img"
cp "$scratch/disk.img" "$scratch/before.img"
cp "$scratch/disk.img" "$scratch/raw.img"
export TSAN_OPTIONS="log_path=$scratch/tsan exitcode=66"

write_conf() {
    printf '%s\n' 'interface = vs0' 'dhcp = off' 'isns = off' 'slp = off' "state = $scratch/state" \
        "disk = $scratch/disk.img" 'writes = keep' "overlays = $scratch/overlays" 'unknown = ignore' \
        'target = iqn.2026-11.test:t' "threads = $1"
    for n in 0 1 2 3; do
        printf '%s\n' '' "[machine keep$n]" "mac = 02:00:00:00:02:0$n"
        printf '%s\n' '' "[machine drop$n]" "mac = 02:00:00:00:03:0$n" 'image = base' 'writes = drop'
    done
    printf '%s\n' '' '[machine raw]' 'mac = 02:00:00:00:04:00' "disk = $scratch/raw.img" 'writes = direct'
}

begin() {
    write_conf "$1" >"$scratch/lunbootd.conf"
    start_lunbootd --config="$scratch/lunbootd.conf"
    pid=$(pgrep -n -f "^$lunbootd .*--state=$scratch/state")
}

# ends_cleanly WHAT: within moments, with its last word, and without a report.
ends_cleanly() {
    kill "$pid"
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$pid" 2>/dev/null || fail "$1: lunbootd does not end"
    grep -q ' ends$' "$scratch/lunbootd.log" || fail "$1: lunbootd broke down" "$scratch/lunbootd.log"
    end lunbootd
    for report in "$scratch"/tsan.*; do
        [ ! -e "$report" ] || fail "$1: threads race" "$report"
    done
    ok "$1: it ends cleanly"
}

for threads in 4 1; do
    begin "$threads"
    if [ "$threads" = 4 ]; then
        ctl image add "$scratch/disk.img" base
        for n in 0 1 2 3; do ctl add "storm$n" "mac=02:00:00:00:01:0$n"; done
    fi
    count=$(find "/proc/$pid/task" -maxdepth 1 -name '[0-9]*' | wc -l)
    [ "$threads" = 1 ] || [ "$count" -ge 5 ] || fail "lunbootd has $count threads"
    in_client "$interop/threads-load.py" "$server_ip" iqn.2026-11.test:t: "$seconds" "$lunbootctl" "$scratch/state" \
        "$scratch/disk.img" >"$scratch/load.log" 2>&1 || fail "the load with threads = $threads" "$scratch/load.log"
    ok "threads = $threads: $(head -1 "$scratch/load.log"), and nothing is another's"
    ctl list --json
    ! grep -q '"sessions":[1-9]' "$scratch/ctl.log" || fail "sessions are left" "$scratch/ctl.log"
    ok "threads = $threads: no session is left"
    spawn load ip netns exec "$client_ns" "$interop/threads-load.py" "$server_ip" iqn.2026-11.test:t: 5 "$lunbootctl" \
        "$scratch/state" "$scratch/disk.img"
    sleep 2
    ends_cleanly "threads = $threads, under load"
    end load KILL
done
cmp "$scratch/disk.img" "$scratch/before.img" || fail "the disk was written"
ok "the disk that all share is what it was, byte for byte"
pass
