#!/bin/bash
# The disk while nobody reads, and without a cable: a target that pings every second and drops whoever does
# not answer keeps the session through 10 s of silence; then the cable is out for 20 s in the middle of a
# read, and the read completes with the right data.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3 tcpdump tshark
meter_disk "$scratch/disk.img" <<EOF
say IDLE
stall 10000
crc 1048576 65536 4096
say BUSY
crc 1048576 25165824 4096
off
EOF
spawn tgtd ip netns exec "$server_ns" env TGT_IPC_SOCKET="$scratch/tgtd.socket" \
    tgtd -f -C 1 --iscsi "portal=$server_ip:3260" --iscsi "nop_interval=1,nop_count=3"
wait_for 15 "tgtd listening" has_listener "$server_ns" 3260
wait_for 15 "tgtd answering its control socket" tgt --mode sys --op show
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
rootpath="iscsi:$server_ip:::1:$iqn"
offer_disk </dev/null
make_stick <<<"enable = yes"
start_capture "$server_ns" tap0 'tcp port 3260'
boot_stick
wait_console 'METER BUSY' 90 "after 10 s of silence the disk is there"
monitor set_link n0 off
unplugged=$SECONDS
in_server tcpdump -nr "$scratch/capture.pcap" 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn' \
    >"$scratch/syns.log" 2>/dev/null
connections=$(wc -l <"$scratch/syns.log")
[ "$connections" = 1 ] || fail "the session did not last: $connections connections"
stop_capture
pings=$(tshark -r "$scratch/capture.pcap" -Y 'iscsi.opcode == 0x20' 2>/dev/null | wc -l)
[ "$pings" -ge 5 ] || fail "the target pinged $pings times only: this shows nothing"
ok "by the same session: the target's $pings pings were answered while nobody read"
while [ $((SECONDS - unplugged)) -lt 20 ]; do sleep 0.2; done
monitor set_link n0 on
expected=$(crc_of "$scratch/disk.img" 1048576 25165824)
wait_console "METER crc $expected" 120 "the cable was out for 20 s: the read completes, and its data is right"
pass
