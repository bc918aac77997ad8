#!/bin/bash
# A machine whose first stage is Linux: lunboot boot --then=kexec finds the boot entries of the disk and
# starts its kernel, which finds the way back to the same disk: by grub.cfg and grubenv on an ext4 (with CHAP
# secrets, which are not on the command line), by an entry of the Boot Loader Specification, by a unified kernel
# image, and by configured paths.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need sgdisk mformat mcopy mke2fs objcopy
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
[ -e "$stub" ] || skip "systemd-boot-efi is not installed"
make_guest_net

# The disk: an EFI system partition and a root file system. Its initramfs boots the same disk again.
mkdir -p "$scratch/initramfs-extra/bin" "$scratch/root-fs/boot/grub"
cp "$lunboot" "$scratch/initramfs-extra/bin/"
cat >"$scratch/initramfs-extra/steps" <<'STEPS'
echo "GUEST-LINE: $(cat /proc/cmdline)"
[ ! -e /etc/lunboot.conf ] || echo "GUEST-CONF: $(stat -c %a /etc/lunboot.conf) $(grep -c secret /etc/lunboot.conf)"
conf=
[ ! -e /etc/lunboot.conf ] || conf=--config=/etc/lunboot.conf
boot --kernel-cmdline $conf
mkdir -p /mnt
mount -t ext4 -o ro ${device}2 /mnt || die "mount"
echo "GUEST-ROOT: $(cat /mnt/marker)"
STEPS
fs_modules=(ext4 vfat nls_cp437 nls_ascii)
make_initramfs "$scratch/root-fs/boot/initrd.img" "$top/tests/vm/takeover/init" "${guest_modules[@]}" \
    "${fs_modules[@]}"
cp "$kernel" "$scratch/root-fs/boot/vmlinuz"
echo "the root of the network disk" >"$scratch/root-fs/marker"
cat >"$scratch/root-fs/boot/grub/grub.cfg" <<'GRUB'
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ]; then
  set default="${next_entry}"
else
  set default="0"
fi
menuentry 'An older kernel' $menuentry_id_option 'gnulinux-older' {
        linux   /boot/vmlinuz root=UUID=0000 ro console=ttyS0 quiet panic=-1 from=older
        initrd  /boot/initrd.img
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple' {
        insmod ext2
        search --no-floppy --fs-uuid --set=root 0000
        echo    'Loading Linux ...'
        linux   /boot/vmlinuz root=UUID=0000 ro console=ttyS0 quiet panic=-1 from=grub $more
        initrd  /boot/initrd.img
}
GRUB
printf '# GRUB Environment Block\nnext_entry=gnulinux-simple\n%0968d' 0 | tr 0 '#' >"$scratch/root-fs/boot/grub/grubenv"
truncate -s 200M "$scratch/disk.img"
sgdisk -n 1:1M:+64M -t 1:ef00 -n 2:0:0 "$scratch/disk.img" >"$scratch/sgdisk.log"
truncate -s 64M "$scratch/esp.img"
MTOOLS_SKIP_CHECK=1 mformat -i "$scratch/esp.img" -F -v ESP ::
mke2fs -q -t ext4 -d "$scratch/root-fs" "$scratch/root.img" 130M
put_partitions() {
    dd if="$scratch/esp.img" of="$scratch/disk.img" bs=1M seek=1 conv=notrunc,sparse 2>"$scratch/dd.log"
    dd if="$scratch/root.img" of="$scratch/disk.img" bs=1M seek=65 conv=notrunc,sparse 2>"$scratch/dd.log"
}
esp() { MTOOLS_SKIP_CHECK=1 "$1" -i "$scratch/esp.img" "${@:2}"; }

put_partitions
serve_bytes "$scratch/disk.img"
tgt_account boot boot-secret-0123 1
serve_dhcp
guest_modules+=("${fs_modules[@]}")
# kexecs WHAT ARGUMENTS...: the guest boots, kexecs, and boots the disk again.
kexecs() {
    local what=$1
    shift
    start_client -m 512 <<STEPS
/bin/lunboot boot --interface=eth0 --enable --then=kexec --chap-name=boot --chap-secret=boot-secret-0123 \
    --chap-algorithms=md5 $* >/tmp/out 2>/dev/console
die "\$(cat /tmp/out)"
STEPS
    finish_client
    end qemu
    told 'GUEST-ROOT: the root of the network disk' "$what: the disk's kernel is started, and mounts its root"
}
kexecs "grub.cfg"
told 'GUEST-LINE: root=UUID=0000 ro .*from=grub ' "with the command line of the entry that next_entry names"
told 'gnulinux-simple is the next_entry of grubenv; it stays set' "and the console says that it stays set"
told "lunboot.rootpath=iscsi:192\.0\.2\.1:::1:$iqn" "and words that lead back to the disk"
grep -q 'GUEST-LINE: .*boot-secret' "$scratch/console.log" && fail "a secret is on the command line"
told 'GUEST-CONF: 600 1' "and the secret in a file of the initramfs"

kexecs "configured paths" --kernel=/boot/vmlinuz --initrd=/boot/initrd.img \
    "'--kernel-options=console=ttyS0 quiet panic=-1 from=configuration'"
told 'GUEST-LINE: .* from=configuration' "with the configured options"

esp mmd ::/loader ::/loader/entries ::/debian
esp mcopy "$scratch/root-fs/boot/vmlinuz" "$scratch/root-fs/boot/initrd.img" ::/debian/
cat >"$scratch/entry.conf" <<'ENTRY'
title   Debian GNU/Linux
version 6.1
linux   /debian/vmlinuz
initrd  /debian/initrd.img
options console=ttyS0 quiet panic=-1
options from=entry
ENTRY
esp mcopy "$scratch/entry.conf" ::/loader/entries/debian-6.1.conf
put_partitions
kexecs "an entry of type 1"
told 'GUEST-LINE: .* from=entry ' "with its options"

echo "console=ttyS0 quiet panic=-1 from=image" >"$scratch/line"
printf 'ID=debian\nPRETTY_NAME="Debian GNU/Linux"\nVERSION_ID=12\n' >"$scratch/os-release"
objcopy --add-section .osrel="$scratch/os-release" --change-section-vma .osrel=0x20000 \
    --add-section .cmdline="$scratch/line" --change-section-vma .cmdline=0x30000 \
    --add-section .linux="$scratch/root-fs/boot/vmlinuz" --change-section-vma .linux=0x2000000 \
    --add-section .initrd="$scratch/root-fs/boot/initrd.img" --change-section-vma .initrd=0x4000000 \
    "$stub" "$scratch/debian.efi" 2>"$scratch/objcopy.log"
esp mdel ::/loader/entries/debian-6.1.conf ::/debian/vmlinuz ::/debian/initrd.img
esp mmd ::/EFI ::/EFI/Linux
esp mcopy "$scratch/debian.efi" ::/EFI/Linux/debian.efi
put_partitions
kexecs "a unified kernel image"
told 'GUEST-LINE: .* from=image ' "with its options"

# What cannot be started is said, the disk is let go, and the machine goes on.
start_client -m 512 <<'STEPS'
for wrong in --boot-entry=nothing --kernel=/boot/none --kernel=/marker; do
    /bin/lunboot boot --interface=eth0 --enable --then=kexec --chap-name=boot --chap-secret=boot-secret-0123 \
        --chap-algorithms=md5 $wrong >/tmp/out 2>&1
    echo "GUEST-EXIT $wrong: $? $(ls /sys/class/iscsi_session | wc -l) sessions left"
    grep -A2 '^lunboot:' /tmp/out
done
STEPS
finish_client
told 'GUEST-EXIT --boot-entry=nothing: 1 0 sessions left' "an entry that is not there is an error"
told '\(no-boot-entry\)' "which says so"
told 'none is boot-entry=nothing' "with the name"
told 'GUEST-EXIT --kernel=/boot/none: 1 0 sessions left' "so is a kernel that is not there"
told "\\(kexec\\)" "which says so"
told "the entry's kernel /boot/none: No such file" "with its path"
told 'GUEST-EXIT --kernel=/marker: 1 0 sessions left' "so is a file that is no kernel"
told 'loading the kernel: Exec format error' "with the reason"
pass
