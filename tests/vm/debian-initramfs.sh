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
after_boot <<SCRIPT
systemctl is-active systemd-networkd
ip -br -4 addr show dev eth0
$write_and_read
systemctl poweroff
SCRIPT
offer_disk </dev/null
start_capture "$server_ns" tap0 'tcp port 3260'
start_debian 'lunboot.enable=yes'
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 240 "Debian is up, its root on the disk that DHCP named"
stop_capture
[ "$(logins)" = 1 ] || fail "the target saw $(logins) logins"
ok "one login for the whole boot"
target_away start_debian_target
! console_shows 'lunboot: session1' || fail "the keeper did what was iscsid's to do"
ok "and the keeper left it to iscsid"
wait_for 60 "the machine's end" has_ended qemu
ok "poweroff does not hang"
is_clean
pass
