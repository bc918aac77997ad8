#!/bin/bash
# The image of tools/make-stick boots an x86-64 and an ARM machine from lunbootd's disk; it is made without root.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/firmware.sh"
begin setpriv
need_lunbootd
meter_disk "$scratch/disk.img" <<METER
say LOADER-OK
off
METER
stick_file=$scratch/user/stick.img
install -d -o nobody "$scratch/user"
chmod 711 "$scratch"
printf 'enable = yes\nallow-server = %s\n' "$server_ip" >"$scratch/user/lunboot.conf"
setpriv --reuid=nobody --regid=nogroup --clear-groups env TMPDIR="$scratch/user" \
    "$top/tools/make-stick" --efi="$top/build" --config="$scratch/user/lunboot.conf" "$stick_file" \
    >"$scratch/stick.log" 2>&1 || fail "make-stick ends with an error"
ok "the image is made without root"
grep -q 'No problems found' <(sgdisk -v "$stick_file") || fail "its partition table is wrong"
ok "its partition table is right"
start_lunbootd --dhcp=server --tftp=no --http=no "$scratch/disk.img"
start_vm "${card[@]}" -drive "file=$stick_file,format=raw,if=none,id=stick" -device qemu-xhci \
    -device "usb-storage,drive=stick,bootindex=0"
wait_console 'METER LOADER-OK' 120 "an x86-64 machine boots the network disk from the stick"
end qemu KILL
code=/usr/share/AAVMF/AAVMF_CODE.fd
if [ -e "$code" ] && command -v qemu-system-aarch64 >/dev/null && [ -e "$top/build/meteraa64.efi" ]; then
    MTOOLS_SKIP_CHECK=1 mcopy -i "$scratch/disk.img@@$esp_offset" "$top/build/meteraa64.efi" ::/EFI/BOOT/BOOTAA64.EFI
    cp /usr/share/AAVMF/AAVMF_VARS.fd "$scratch/vars-arm.fd"
    : >"$scratch/console.log"
    spawn qemu ip netns exec "$server_ns" qemu-system-aarch64 -accel tcg -cpu cortex-a57 -M virt -m 512 \
        -display none -no-reboot -nodefaults \
        -drive "if=pflash,format=raw,readonly=on,file=$code" \
        -drive "if=pflash,format=raw,file=$scratch/vars-arm.fd" \
        -serial "file:$scratch/console.log" "${card[@]}" -device qemu-xhci \
        -drive "file=$stick_file,format=raw,if=none,id=stick" -device "usb-storage,drive=stick,bootindex=0"
    wait_console 'METER LOADER-OK' 180 "an ARM machine boots the network disk from the same stick"
fi
pass
