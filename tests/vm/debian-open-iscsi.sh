#!/bin/bash
# A machine with UEFI firmware and no disk boots Debian from the network disk: lunboot.efi, then Debian's
# own open-iscsi in the initramfs, which finds the disk in the firmware's table (iBFT). Nothing of ours is
# on the disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need_uefi
debian_kinds=open-iscsi debian_name=debian-stock
find_debian_disk
make_vm_net
serve_debian_disk open-iscsi
after_boot <<'SCRIPT'
echo "IBFT $(cat /sys/firmware/ibft/target0/target-name)"
echo "OURS=$(find / -xdev -iname '*lunboot*' -not -path '/proc/*' | wc -l)"
echo LOOKED
SCRIPT
offer_disk </dev/null
make_stick <<CONF
enable = yes
CONF
start_vm -m 768 "${stick[@]}" "${card[@]}"
wait_console 'lunboot.*\\EFI\\BOOT\\BOOTX64.EFI|loader' 120 "lunboot.efi hands over to the disk's loader"
wait_console 'BOOT-OK root=/dev/sda' 300 "Debian is up, its root on the network disk, with its own open-iscsi"
console_has 'BOOT-OK .*sessions=1' "the kernel has one session"
wait_console 'LOOKED' 120
console_has "IBFT $iqn" "that is the disk of the firmware's table"
console_has 'OURS=0' "no file of ours is on it"
pass
