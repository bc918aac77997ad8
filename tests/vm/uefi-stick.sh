#!/bin/bash
# A machine with a USB stick and no other disk: lunboot.efi with lunboot.conf on the stick boots the
# network disk, and the disk it presents does what the UEFI specification asks: reads, asynchronous
# reads, wrong calls, writes that last.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
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
boot_stick
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
end qemu KILL

# What operating systems leave beside the default loader: a CSV file with the loader's name.
esp=$scratch/disk.img@@$esp_offset
export MTOOLS_SKIP_CHECK=1
mdel -i "$esp" ::/EFI/BOOT/BOOTX64.EFI
mmd -i "$esp" ::/EFI/debian
mcopy -i "$esp" "$meter" ::/EFI/debian/shimx64.efi
printf 'shimx64.efi,debian,,the boot entry\n' | iconv -t utf-16 >"$scratch/BOOTX64.CSV"
mcopy -i "$esp" "$scratch/BOOTX64.CSV" ::/EFI/debian/BOOTX64.CSV
boot_stick
wait_console 'METER LOADER-OK' 60 "without a default loader, the one that the disk's own boot order names"
end qemu KILL
mdel -i "$esp" ::/EFI/debian/BOOTX64.CSV
mmd -i "$esp" ::/EFI/other
mcopy -i "$esp" "$meter" ::/EFI/other/boot.efi
make_stick <<<$'enable = yes\nloader = \\EFI\\other\\boot.efi'
boot_stick
wait_console 'METER LOADER-OK' 60 "a configured loader"
end qemu KILL
make_stick <<<"enable = yes"
boot_stick
wait_console 'no-loader' 60 "no loader at all is explained"
pass
