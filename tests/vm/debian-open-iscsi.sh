#!/bin/bash
# A machine with UEFI firmware and no disk boots Debian from the network disk: lunboot.efi, then what Debian
# has itself, which finds the disk in the firmware's table (iBFT): open-iscsi in initramfs-tools, and dracut's
# iscsi module. Nothing of ours is on the disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"
TIME_LIMIT=800

need_uefi
debian_kinds=open-iscsi,dracut-iscsi debian_name=debian-stock
find_debian_disk
make_vm_net
make_stick <<CONF
enable = yes
CONF

# boot_stock KIND SENTENCE
boot_stock() {
    serve_debian_disk "$1"
    after_boot <<'SCRIPT'
echo "IBFT $(cat /sys/firmware/ibft/target0/target-name)"
echo "OURS=$(find / /boot -xdev -iname '*lunboot*' -print | wc -l)"
echo LOOKED
SCRIPT
    [ -n "${pids[dnsmasq]:-}" ] || offer_disk </dev/null
    start_vm -m 768 "${stick[@]}" "${card[@]}"
    wait_console 'lunboot.*\\EFI\\BOOT\\BOOTX64.EFI|loader' 120 "lunboot.efi hands over to the disk's loader"
    wait_console 'BOOT-OK root=/dev/sda' 300 "$2"
    console_has 'BOOT-OK .*sessions=1' "the kernel has one session"
    wait_console 'LOOKED' 120
    console_has "IBFT $iqn" "that is the disk of the firmware's table"
    console_has 'OURS=0' "no file of ours is on it"
    end qemu
    end tgtd KILL
}

boot_stock open-iscsi "Debian is up, its root on the network disk, with its own open-iscsi"
boot_stock dracut-iscsi "Debian is up, its root on the network disk, with dracut's own iscsi module"
pass
