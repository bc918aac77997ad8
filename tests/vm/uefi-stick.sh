#!/bin/bash
# A machine with a USB stick and no other disk: lunboot.efi with lunboot.conf on the stick boots the
# network disk, and the disk it presents does what the UEFI specification asks: reads, asynchronous
# reads, wrong calls, writes that last.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
make_vm_net
serve_meter <<EOF
say LOADER-OK
crc 1048576 4194304 65536
crc 1048576 1000448 512
async 1048576 2097152 65536
errors
write 20971520 1048576 4173
flush
verify 20971520 1048576 4173
off
EOF
offer_disk </dev/null
make_stick <<<"enable = yes"
start_vm "${card[@]}" "${stick[@]}"
wait_console 'METER LOADER-OK' 60 "from a stick to the loader on the network disk"
expected=$(crc_of "$scratch/disk.img" 1048576 4194304)
wait_console 'METER verify (equal|different)' 60
console_has "METER crc $expected" "what was read is what is on the disk, in 64 KiB reads"
console_has "METER crc $(crc_of "$scratch/disk.img" 1048576 1000448)" "the same in reads of one sector"
console_has "METER async crc $(crc_of "$scratch/disk.img" 1048576 2097152)" "32 asynchronous reads at once"
for call in "wrong media id" "half a block" "past the end" "far past the end" "no buffer" "no bytes" \
    "the last block" "a write"; do
    console_has "METER $call: as specified" "EFI_BLOCK_IO: $call"
done
console_has 'METER write done' "1 MiB was written"
console_has 'METER flush success' "and flushed"
console_has 'METER verify equal' "and is read back"
pass
