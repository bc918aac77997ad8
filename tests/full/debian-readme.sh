#!/bin/bash
# A Debian that was set up as open-iscsi's README.Debian says, with lunboot's hook in its initramfs-tools: words on the
# command line, the file iscsi.initramfs, root=iscsi:. The target's access list knows the machine by the name in
# /etc/iscsi/initiatorname.iscsi alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark zstd cpio debugfs
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
after_boot <<'SCRIPT'
echo "NAME $(cat /sys/class/iscsi_session/session*/initiatorname)"
systemctl poweroff
SCRIPT
dd if="$disk_file" of="$scratch/root.img" bs=1M skip=257 conv=sparse status=none
me=$(debugfs -R 'cat /etc/iscsi/initiatorname.iscsi' "$scratch/root.img" 2>/dev/null | sed -n 's/^InitiatorName=//p')
rm "$scratch/root.img"
[ -n "$me" ] || fail "the package made no name for this machine"
tgt --mode target --op unbind --tid 1 -I ALL
tgt --mode target --op bind --tid 1 --initiator-name "$me"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
CONF

zstd -qdc "$initrd" | cpio -it --quiet >"$scratch/files" 2>/dev/null || true
grep -qx 'etc/iscsi/initiatorname.iscsi' "$scratch/files" ||
    fail "the initramfs has no initiatorname.iscsi" "$scratch/files"
! grep -qx 'scripts/local-top/iscsi' "$scratch/files" || fail "open-iscsi's script is in the initramfs, too"
ok "the initramfs has the machine's name, and one script that acts on the words"

boot_debian_once "iscsi_target_name=$iqn iscsi_target_ip=$server_ip iscsi_target_port=3260 ip=dhcp root=/dev/sda2" \
    "Debian is up by the words on its command line"
console_has "NAME $me" "with the name of its file"
boot_debian_once "ip=dhcp root=iscsi:$server_ip::3260:1:$iqn" "and by root=iscsi:"

# Where the hook puts it; tests/full/documents-system.sh has it do so.
mkdir -p "$scratch/more/etc/iscsi"
printf '%s\n' "ISCSI_TARGET_NAME=\"$iqn\"" "ISCSI_TARGET_IP=\"192.0.2.77 $server_ip\"" ISCSI_TARGET_GROUP=1 \
    >"$scratch/more/etc/iscsi/iscsi.initramfs"
truncate -s %4 "$initrd" # where the kernel looks for a second archive
(cd "$scratch/more" && find . | cpio -o -H newc --quiet) >>"$initrd"
boot_debian_once "ip=dhcp root=/dev/sda2" "and by iscsi.initramfs with two addresses, of which the first is down"
console_has "NAME $me" "again with that name"
pass
