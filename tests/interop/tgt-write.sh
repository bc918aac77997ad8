#!/bin/bash
# Writes: what was written and flushed is on the target's disk and reads back, by immediate, unsolicited
# and solicited data, with digests and without. A read-only LUN refuses, and says so.
. "$(dirname "$0")/lib.sh"
[ -x "$exercise" ] || skip "$exercise has not been built"
make_net
make_bytes "$scratch/disk.img" $((16 << 20)) 5
start_tgt
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
rootpath="iscsi:$server_ip:::1:$iqn"
give_client_address
lunboot=$exercise # run_lunboot shall run it

write_and_read_back() {
    local before
    before=$(sha256 "$scratch/disk.img")
    run_lunboot --rootpath="$rootpath" --write-verify=8388608
    succeeds "write and read back: $1"
    [ "$before" != "$(sha256 "$scratch/disk.img")" ] || fail "$1: the target's disk did not change"
    ok "the target's disk has changed: $1"
}

write_and_read_back "as tgt has it by default"
for pair in InitialR2T=Yes InitialR2T=No ImmediateData=No ImmediateData=Yes FirstBurstLength=4096 \
    MaxBurstLength=16384 MaxRecvDataSegmentLength=4096 HeaderDigest=CRC32C DataDigest=CRC32C; do
    tgt --mode target --op update --tid 1 --name "${pair%=*}" --value "${pair#*=}"
    write_and_read_back "then with $pair"
done
pass
