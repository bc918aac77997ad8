#!/bin/bash
# lunbootd alone boots a machine with UEFI firmware from power-on: PXE fetches lunboot.efi and lunboot.conf by
# TFTP, and lunboot reads the disk by iSCSI.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/firmware.sh"
begin
need_lunbootd
meter_disk "$scratch/disk.img" <<METER
say LOADER-OK
crc 1048576 4194304 65536
off
METER
mkdir -p "$scratch/boot"
cp "$efi" "$scratch/boot/lunbootx64.efi"
start_lunbootd --files="$scratch/boot" "$scratch/disk.img"
start_vm "${first_card[@]}"
wait_console 'METER LOADER-OK' 120 "from power-on to the loader on lunbootd's disk"
console_has 'started from PXE' "lunboot.efi came by PXE"
wait_console 'METER crc' 60
console_has "METER crc $(crc_of "$scratch/disk.img" 1048576 4194304)" "the disk is read right"
lunbootd_says "$card_mac  is given .*, UEFI x64, boot file lunbootx64.efi, disk" "the firmware is told apart"
lunbootd_says 'fetched lunbootx64.efi by TFTP' "the loader's way is told"
lunbootd_says 'fetched lunboot.conf by TFTP' "lunboot.conf is made and fetched"
lunbootd_says 'logged in as iqn.2026-11.org.lunboot:uuid:' "the login is told"
pass
