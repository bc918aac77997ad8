#!/bin/bash
# A disk without open-iscsi: when the target is killed, first while the system comes up and then under the running
# system, it is lunboot's keeper that logs in again, by mutual CHAP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark
debian_kinds=lunboot debian_include='' debian_name=debian-bare
find_debian_disk
make_vm_net
ask_for_chap() {
    tgt_account initiator initiator-secret-1 1
    tgt_account target target-secret-12 1 outgoing
}
serve_again() {
    start_debian_target
    ask_for_chap
}
serve_debian_disk lunboot
ask_for_chap
take_kernel lunboot
after_boot <<SCRIPT
keeper=\$(grep -lx lunboot-keeper /proc/[0-9]*/comm)
tr '\0' ' ' <\${keeper%/comm}/cmdline | sed 's/^/KEEPER=/'
ls /usr/sbin/iscsid 2>&1 | sed 's/^/ISCSID=/'
$write_and_read
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
serve_again
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 240 "Debian is up, though the target was away when it had just begun"
console_has 'session1: logged in again' "the keeper logged in again"
wait_console 'KEEPER=@unboot initramfs' 30 "the keeper lives on in the running system"
target_away serve_again
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"
stop_capture
[ "$(logins)" = 5 ] || fail "the target saw $(logins) logins"
ok "five logins in all: the boot's, and twice the keeper's look at the disk and the kernel's own"
is_clean
pass
