#!/bin/bash
# A disk with blocks of 4096 bytes, and one that is read-only.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
meter_disk "$scratch/disk.img" 4096 <<EOF
say LOADER-OK
crc 1048576 4194304 65536
errors
off
EOF
start_tgt
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img" 4096
tgt --mode logicalunit --op update --tid 1 --lun 1 --params readonly=1
rootpath="iscsi:$server_ip:::1:$iqn"
offer_disk </dev/null
make_stick <<<"enable = yes"
boot_stick
wait_console 'METER LOADER-OK' 60 "the loader on a disk with blocks of 4096 bytes"
wait_console 'METER media' 30
console_has "METER crc $(crc_of "$scratch/disk.img" 1048576 4194304)" "its bytes are right"
console_has 'METER media 4096 bytes.*read-only' "its blocks are of 4096 bytes, and it is read-only"
console_has 'METER a write: as specified' "a write is refused as write protected"
pass
