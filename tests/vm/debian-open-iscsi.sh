#!/bin/bash
# A machine with UEFI firmware and no disk boots Debian from the network disk: lunboot.efi, then Debian's
# own open-iscsi in the initramfs, which finds the disk in the firmware's table (iBFT). Nothing of ours is
# on the disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"
TIME_LIMIT=400

need_uefi
find_debian_disk
make_vm_net
serve_debian_disk open-iscsi
offer_disk </dev/null
make_stick <<CONF
enable = yes
CONF
start_vm -m 768 "${stick[@]}" "${card[@]}"
wait_console 'lunboot.*\\EFI\\BOOT\\BOOTX64.EFI|loader' 120 "lunboot.efi hands over to the loader on the network disk"
wait_console 'BOOT-OK root=/dev/sda' 300 "Debian is up, its root on the network disk, with its own open-iscsi"
console_has 'BOOT-OK .*sessions=1' "the kernel has one session"
pass
