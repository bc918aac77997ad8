#!/bin/bash
# A machine without firmware of ours: the kernel and an initramfs of initramfs-tools with lunboot in it,
# loaded directly; the disk is named by DHCP. One login for the whole boot, and the target is killed under
# the running system.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
after_boot <<'SCRIPT'
systemctl is-active systemd-networkd
ip -br -4 addr show dev eth0
echo "WRITING"
dd if=/dev/urandom of=/root/data bs=1M count=200 conv=fsync status=none && sha256sum /root/data >/root/sum
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /root/sum && echo "DATA-OK"
dmesg | grep -cE 'I/O error|EXT4-fs error' | sed 's/^/ERRORS=/'
systemctl poweroff
SCRIPT
offer_disk </dev/null
start_capture "$server_ns" tap0 'tcp port 3260'
start_debian 'lunboot.enable=yes'
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 240 "Debian is up, its root on the disk that DHCP named"
stop_capture
[ "$(logins)" = 1 ] || fail "the target saw $(logins) logins"
ok "one login for the whole boot"
wait_console 'WRITING' 30
sleep 3
end tgtd KILL
sleep 15
start_debian_target
wait_console 'DATA-OK' 240 "200 MB written and read back are right, though the target was away for 15 s"
console_has 'ERRORS=0' "and nothing had an I/O error"
! console_shows 'lunboot: session1' || fail "the keeper did what was iscsid's to do"
ok "and the keeper left it to iscsid"
wait_for 60 "the machine's end" has_ended qemu
ok "poweroff does not hang"
dd if="$disk_file" of="$scratch/root.img" bs=1M skip=257 status=none
e2fsck -fn "$scratch/root.img" >"$scratch/e2fsck.log" 2>&1 || fail "the file system is not clean" "$scratch/e2fsck.log"
ok "the file system is clean"
pass
