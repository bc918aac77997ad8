#!/bin/bash
# Secure Boot, with OVMF's test keys: lunboot.efi is signed; a signed loader on the network disk is
# started, an unsigned one is refused, by the firmware's own verification.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need sbsign openssl
use_secure_boot
sign "$efi" "$scratch/lunboot-signed.efi"
sign "$meter" "$scratch/meter-signed.efi"
efi=$scratch/lunboot-signed.efi
make_vm_net
loader=$scratch/meter-signed.efi
serve_loader_ok
offer_disk </dev/null
make_stick <<<"enable = yes"
start_vm "${secure[@]}" "${card[@]}" "${stick[@]}"
wait_console 'METER LOADER-OK' 120 "a signed loader is started"
end qemu KILL
MTOOLS_SKIP_CHECK=1 mcopy -o -i "$scratch/disk.img@@$esp_offset" "$meter" ::/EFI/BOOT/BOOTX64.EFI
start_vm "${secure[@]}" "${card[@]}" "${stick[@]}"
wait_console 'loader-refused' 120 "an unsigned loader is refused"
console_has 'security violation|access denied' "because it is not signed"
console_has 'signed by a key that the firmware trusts' "the error says what to do"
! console_shows 'METER started' || fail "it ran all the same"
ok "and has not run"
pass
