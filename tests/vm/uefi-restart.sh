#!/bin/bash
# The target is killed while the loader reads, and is back after 5 s: the read waits, and its data is
# right. What was written and flushed before a restart is there after it.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
serve_meter <<EOF
write 20971520 1048576 7
flush
say WRITTEN
stall 4000
crc 1048576 16777216 4096
verify 20971520 1048576 7
off
EOF
offer_disk </dev/null
make_stick <<<"enable = yes"
boot_stick
wait_console 'METER WRITTEN' 60 "written and flushed"
wait_console 'METER reading' 60
end tgtd KILL
expected=$(crc_of "$scratch/disk.img" 1048576 16777216)
sleep 5
start_tgt
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
wait_console 'METER verify (equal|different)' 90
console_has "METER crc $expected" "the read waited for the target, and its data is right"
console_has 'METER verify equal' "what was flushed before the restart is there after it"
pass
