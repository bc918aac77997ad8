#!/bin/bash
# NetworkManager, and ifupdown, in the place of systemd-networkd: each finds what lunboot left under /run,
# and neither takes the root disk's interface down, as it starts, in the running system, or as it stops.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark
debian_kinds=lunboot debian_name=debian-network
debian_include=network-manager,ifupdown,isc-dhcp-client,open-iscsi
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
offer_disk </dev/null
mask=systemd.mask=systemd-networkd.service\ systemd.mask=systemd-networkd.socket

after_boot <<'SCRIPT'
echo "START $(systemctl is-active NetworkManager systemd-networkd networking iscsid | tr '\n' ' ')"
sleep 20
nmcli -t -f NAME,DEVICE,STATE connection show --active | sed 's/^/NM /'
ip -br -4 addr show dev eth0 | sed 's/^/ADDRESS /'
ip -4 route show default | sed 's/^/ROUTE /'
dd if=/dev/urandom of=/root/data bs=1M count=16 conv=fsync status=none && echo "DATA-OK"
iscsiadm -m session | sed 's/^/ISCSI /'
dmesg | grep -cE 'I/O error|EXT4-fs error' | sed 's/^/ERRORS=/'
# As many an installation has it; the next boot is ifupdown's.
printf 'auto eth0\niface eth0 inet dhcp\n' >/etc/network/interfaces.d/eth0
sync
echo "STOPPING"
systemctl poweroff
SCRIPT
start_debian "lunboot.enable=yes $mask systemd.mask=networking.service"
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 300 "Debian is up with NetworkManager"
wait_console 'STOPPING|ERRORS=[1-9]' 120
console_has 'NM lunboot:eth0:activated' "NetworkManager has activated our profile"
console_has 'ADDRESS eth0 +UP +192\.0\.2\.[0-9]+/24 *$' "the interface has its one address"
console_has 'DATA-OK' "the root disk is written to"
console_has 'ERRORS=0' "and has no error"
console_has "ISCSI tcp: \[1\] 192\.0\.2\.1:3260,1 $iqn" "iscsid knows the session"
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"

after_boot <<'SCRIPT'
echo "START $(systemctl is-active NetworkManager systemd-networkd networking iscsid | tr '\n' ' ')"
sleep 10
cat /run/network/ifstate | sed 's/^/IFSTATE /'
ip -br -4 addr show dev eth0 | sed 's/^/ADDRESS /'
dd if=/dev/urandom of=/root/data bs=1M count=16 conv=fsync status=none && echo "DATA-OK"
dmesg | grep -cE 'I/O error|EXT4-fs error' | sed 's/^/ERRORS=/'
echo "STOPPING"
systemctl poweroff
SCRIPT
start_debian "lunboot.enable=yes $mask systemd.mask=NetworkManager.service"
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 300 "Debian is up with ifupdown"
wait_console 'STOPPING|ERRORS=[1-9]' 120
console_has 'IFSTATE eth0=eth0' "Debian's open-iscsi has told ifupdown that the interface is up"
console_has 'ADDRESS eth0 +UP +192\.0\.2\.[0-9]+/24' "it has its address"
console_has 'DATA-OK' "the root disk is written to"
console_has 'ERRORS=0' "and has no error"
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"
pass
