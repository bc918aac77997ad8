#!/bin/bash
# The same on ARM: lunbootaa64.efi under AAVMF. An assertion that fails under the loader restarts the machine.
# AAVMF lets no page that is data be run (the program unpacks itself), and newer ones no page be both.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need qemu-system-aarch64 mcopy sgdisk
efi=${LUNBOOT_EFI_AA64:-$top/build/lunbootaa64.efi}
meter=${LUNBOOT_METER_AA64:-$top/build/meteraa64.efi}
code=/usr/share/AAVMF/AAVMF_CODE.secboot.strictnx.fd
[ -e "$code" ] || code=/usr/share/AAVMF/AAVMF_CODE.fd
for file in "$efi" "$meter" "$code"; do
    [ -e "$file" ] || skip "$file is not there"
done
make_vm_net
map=${efi%.efi}.map
failing=$(awk '$2 == "lb_assert_failed_at" { print $3 }' "$map")
serve_meter <<EOF
say LOADER-OK
crc 1048576 4194304 65536
cipher 200
assert $((16#$failing - 16#140000000))
EOF
MTOOLS_SKIP_CHECK=1 mcopy -i "$scratch/disk.img@@$esp_offset" "$meter" ::/EFI/BOOT/BOOTAA64.EFI
offer_disk </dev/null
stick_name=BOOTAA64.EFI make_stick <<<"enable = yes"
cp /usr/share/AAVMF/AAVMF_VARS.fd "$scratch/vars.fd"
: >"$scratch/console.log"
spawn qemu ip netns exec "$server_ns" qemu-system-aarch64 -accel tcg -cpu cortex-a57 -M virt -m 512 \
    -display none -no-reboot -nodefaults \
    -drive "if=pflash,format=raw,readonly=on,file=$code" \
    -drive "if=pflash,format=raw,file=$scratch/vars.fd" \
    -serial "file:$scratch/console.log" "${card[@]}" "${stick[@]}"
wait_console 'METER LOADER-OK' 180 "an ARM machine boots the network disk"
wait_console 'METER crc' 60
console_has "METER crc $(crc_of "$scratch/disk.img" 1048576 4194304)" "and reads it right"
wait_console 'METER cipher armv8 .*equal' 60 "AES-GCM by the processor's instructions is that of plain C"
wait_console 'the machine restarts in 5 s' 60 "an assertion under the loader is told"
machine_is_off() { ! is_alive qemu; }
wait_for 60 "a restart" machine_is_off
ok "and the machine restarts"
pass
