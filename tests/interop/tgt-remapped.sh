#!/bin/bash
# tgtd is killed in the middle of a read, of writes, and comes back with another disk at this LUN: it has
# another name, or another serial number alone. Nothing is read from it or written to it.
. "$(dirname "$0")/lib.sh"
need_lunboot
[ -x "$exercise" ] || skip "$exercise has not been built"
make_net
make_bytes "$scratch/disk.img" $((96 << 20)) 7
make_bytes "$scratch/other.img" $((96 << 20)) 8
before=$(sha256 "$scratch/other.img")
rootpath="iscsi:$server_ip:::1:$iqn"
give_client_address
# 96 MiB at 200 Mbit/s take four seconds: time to be in the middle of it.
in_server tc qdisc add dev vs0 root tbf rate 200mbit burst 256kb latency 100ms
in_client tc qdisc add dev vc0 root tbf rate 200mbit burst 256kb latency 100ms

# serve FILE [PARAMETERS]
serve() {
    start_tgt
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$1"
    [ -z "${2:-}" ] || tgt --mode logicalunit --op update --tid 1 --lun 1 --params "$2"
}
moved() { in_server cat "/sys/class/net/vs0/statistics/$1"; }
has_moved() { [ "$(moved "$1")" -ge "$2" ]; }

# swap_during DIRECTION PARAMETERS COMMAND...: the other disk comes once 16 MiB have gone through.
swap_during() {
    local direction=$1 parameters=$2 runner mark
    shift 2
    serve "$scratch/disk.img"
    mark=$(($(moved "$direction") + (16 << 20)))
    ("$@" && echo "$status" >"$scratch/status") &
    runner=$!
    wait_for 30 "16 MiB" has_moved "$direction" "$mark"
    end tgtd KILL
    serve "$scratch/other.img" "$parameters"
    wait $runner || true
    status=$(cat "$scratch/status" 2>/dev/null || echo 99)
    end tgtd KILL
}
read_all() { TIME_LIMIT=90 read_disk 0 0 "$scratch/copy.img"; }
write_all() { lunboot=$exercise TIME_LIMIT=90 run_lunboot --rootpath="$rootpath" --write-verify=67108864; }

for parameters in scsi_id=another-disk scsi_sn=another-serial; do
    swap_during tx_bytes "$parameters" read_all
    fails_with disk-changed "a read, $parameters" "it was .*, and is "
    swap_during rx_bytes "$parameters" write_all
    fails_with disk-changed "writes, $parameters" "it was .*, and is "
done
[ "$before" = "$(sha256 "$scratch/other.img")" ] || fail "the other disk was written to"
ok "the other disk is as it was"
pass
