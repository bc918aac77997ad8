#!/bin/bash
# Standard output of lunbootd is not read: a terminal after Ctrl-S, a pipe whose reader stands still. Machines are
# served all the same, and lunbootd ends when it is told to.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need_lunboot
make_net
give_client_address
truncate -s 32M "$scratch/disk.img"

# serve_unread NAME OPTION...
serve_unread() {
    local name=$1
    shift
    spawn "$name" ip netns exec "$server_ns" python3 "$interop/unread-output.py" "$lunbootd" --interface=vs0 \
        --dhcp=off --state="$scratch/state" "$@" "$scratch/disk.img"
    for _ in $(seq 100); do
        in_client bash -c "exec 3<>/dev/tcp/$server_ip/3260" 2>/dev/null && return
        sleep 0.1
    done
    fail "$name: it does not listen" "$scratch/$name.log"
}

reads() {
    in_client timeout 20 "$lunboot" read --rootpath="iscsi:$server_ip::::iqn.2026-11.org.lunboot:disk" \
        --output="$scratch/read" --length=8M >"$scratch/read.log" 2>&1 ||
        fail "$1: it cannot be read" "$scratch/read.log"
    ok "$1: a disk is read"
}

for threads in 1 2; do
    serve_unread "with$threads" --threads=$threads
    reads "threads = $threads"
    ctl list
    ctl_says '^all ' "threads = $threads: lunbootctl is answered"
    began=$(date +%s%N)
    kill -TERM "${pids[with$threads]}"
    wait_log "with$threads" 'bytes of it were printed' 10
    took_ms=$((($(date +%s%N) - began) / 1000000))
    [ $took_ms -lt 6000 ] || fail "it takes $took_ms ms to end"
    end "with$threads"
    grep -q '^0 bytes of it were printed' "$scratch/with$threads.log" || fail "its output was read after all"
    ok "threads = $threads: it ends in $took_ms ms"
done
pass
