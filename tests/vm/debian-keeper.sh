#!/bin/bash
# A disk without open-iscsi: when the target is killed, first while the system comes up and then under the running
# system, it is lunboot's keeper that logs in again, by mutual CHAP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need qemu-system-x86_64 tshark
debian_kinds=lunboot debian_name=debian-bare
find_debian_disk
make_vm_net
serve_with_chap() {
    start_debian_target
    tgt_account initiator initiator-secret-1 1
    tgt_account target target-secret-12 1 outgoing
}
serve_debian_disk lunboot
end tgtd KILL
serve_with_chap
take_kernel lunboot
after_boot <<'SCRIPT'
keeper=$(grep -lx lunboot-keeper /proc/[0-9]*/comm)
tr '\0' ' ' <${keeper%/comm}/cmdline | sed 's/^/KEEPER=/'
ls /usr/sbin/iscsid 2>&1 | sed 's/^/ISCSID=/'
echo "WRITING"
dd if=/dev/urandom of=/root/data bs=1M count=200 conv=fsync status=none && sha256sum /root/data >/root/sum
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /root/sum && echo "DATA-OK"
dmesg | grep -cE 'I/O error|EXT4-fs error' | sed 's/^/ERRORS=/'
systemctl is-system-running --wait
systemctl poweroff
SCRIPT
offer_disk </dev/null
start_capture "$server_ns" tap0 'tcp port 3260'
start_debian 'lunboot.enable=yes lunboot.require=mutual-chap lunboot.chap-name=initiator
    lunboot.chap-secret=initiator-secret-1 lunboot.chap-target-name=target
    lunboot.chap-target-secret=target-secret-12 lunboot.chap-algorithms=md5'
wait_console 'EXT4-fs .sda2.: mounted' 120
end tgtd KILL
sleep 5
serve_with_chap
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 240 "Debian is up, though the target was away when it had just begun"
console_has 'session1: logged in again' "the keeper logged in again"
wait_console 'KEEPER=@unboot initramfs' 30 "the keeper lives on in the running system"
wait_console 'WRITING' 30
sleep 3
end tgtd KILL
sleep 15
serve_with_chap
wait_console 'DATA-OK' 240 "200 MB written and read back are right, though the target was away for 15 s"
console_has 'ERRORS=0' "and nothing had an I/O error"
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"
stop_capture
[ "$(logins)" = 3 ] || fail "the target saw $(logins) logins"
ok "three logins in all: the boot's, and two of the keeper's"
dd if="$disk_file" of="$scratch/root.img" bs=1M skip=257 status=none
e2fsck -fn "$scratch/root.img" >"$scratch/e2fsck.log" 2>&1 || fail "the file system is not clean" "$scratch/e2fsck.log"
ok "the file system is clean"
pass
