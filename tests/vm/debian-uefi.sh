#!/bin/bash
# Power-on to Debian's systemd: UEFI firmware, lunboot.efi, the loader, Debian's kernel and an initramfs
# with lunboot in it, which finds the disk in the firmware's table and has the kernel take the session.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need_uefi
need tshark
find_debian_disk
make_vm_net
serve_debian_disk lunboot
tgt --mode target --op update --tid 1 --name HeaderDigest --value CRC32C,None
offer_disk </dev/null
# The initramfs has no configuration of its own: what is required of it comes with the table.
make_stick <<CONF
enable = yes
allow-server = 192.0.2.0/24
allow-target = ${iqn%:*}:*
header-digest = crc32c
require = header-digest, address
CONF
after_boot <<'SCRIPT'
systemctl is-system-running --wait
ip -br addr show dev eth0
networkctl --no-pager status eth0 | grep -E 'State|Address|DNS'
cat /run/lunboot/session | grep -E 'LOGINS|DEVICE'
echo "HEADER-DIGEST=$(cat /sys/class/iscsi_connection/*/header_digest)"
echo AFTER-BOOT
systemctl reboot
SCRIPT
start_capture "$server_ns" tap0 'tcp port 3260'
start_vm -m 768 "${stick[@]}" "${card[@]}"
wait_console 'BOOT-OK root=/dev/sda2' 300 "Debian is up, its root on the network disk"
console_has 'BOOT-OK .*sessions=1' "the kernel has one session"
stop_capture
[ "$(logins)" = 2 ] || fail "the target saw $(logins) logins"
ok "the target saw two logins: the firmware's and the initramfs's"
wait_console 'AFTER-BOOT' 120
console_has "LUNBOOT_LOGINS='?1" "the initramfs logged in once"
console_has 'HEADER-DIGEST=1' "with the digest that the firmware's configuration requires"
wait_for 30 "the machine's end" has_ended qemu
ok "a reboot from inside ends the machine"
pass
