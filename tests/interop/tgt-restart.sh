#!/bin/bash
# tgtd is killed (SIGKILL) in the middle of a read and started again a second later: the read pauses, goes
# on, and ends complete and correct.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
make_bytes "$scratch/disk.img" $((96 << 20)) 7
serve() {
    start_tgt
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$scratch/disk.img"
}
serve
rootpath="iscsi:$server_ip:::1:$iqn"
give_client_address
# 96 MiB at 200 Mbit/s take four seconds: time to be in the middle of it.
in_server tc qdisc add dev vs0 root tbf rate 200mbit burst 256kb latency 100ms

sent_bytes() { in_server cat /sys/class/net/vs0/statistics/tx_bytes; }
has_sent() { [ "$(sent_bytes)" -ge "$1" ]; }
run_read() {
    TIME_LIMIT=90 read_disk 0 0 "$scratch/copy.img"
    echo "$status" >"$scratch/status"
}
interrupt_at() {
    wait_for 30 "the read reaching $(($1 >> 20)) MiB" has_sent "$1"
    end tgtd KILL
    sleep "$2"
    serve
}

run_read &
reader=$!
interrupt_at $((24 << 20)) 1
interrupt_at $((64 << 20)) 3
wait $reader || true
status=$(cat "$scratch/status" 2>/dev/null || echo 99)
succeeds "the read ends well although tgtd was killed twice in the middle of it"
same "$scratch/disk.img" "$scratch/copy.img" "the disk that was read"
ok "every byte of it is right"
pass
