#!/bin/bash
# A machine without UEFI: SeaBIOS, its card's PXE loads the pair that tools/make-netboot made, lunboot in it
# finds the disk and starts the kernel that is on it (kexec), whose initramfs has lunboot, too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"
rom=/usr/lib/ipxe/qemu/pxe-virtio.rom

need qemu-system-x86_64 tshark
[ -e "$rom" ] || skip "$rom is missing (Debian package ipxe-qemu)"
find_debian_disk
make_vm_net
serve_debian_disk lunboot
after_boot <<<'systemctl is-system-running --wait; systemctl poweroff'
mkdir "$scratch/tftp"
"$top/tools/make-netboot" --kernel=linux-image-cloud-amd64 --lunboot="$lunboot" --append="console=ttyS0 $emulated" \
    "$scratch/tftp" >"$scratch/make-netboot.log" 2>&1 ||
    skip "no netboot pair: $(tail -n 1 "$scratch/make-netboot.log")"
chmod -R a+rX "$scratch"
# iPXE would log in to a Root Path itself: it is for those who come after it.
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
enable-tftp
tftp-root=$scratch/tftp
user=root
dhcp-match=set:ipxe,175
dhcp-boot=boot.ipxe
dhcp-option=tag:!ipxe,option:root-path,"$rootpath"
CONF
start_capture "$server_ns" tap0 'tcp port 3260'
: >"$scratch/console.log"
spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M pc -m 1024 -display none \
    -no-reboot -nodefaults -uuid 564d4173-0000-4173-8000-525400123456 -boot n \
    -netdev tap,id=n0,ifname=tap0,script=no,downscript=no \
    -device "virtio-net-pci,netdev=n0,disable-legacy=on,disable-modern=off,romfile=$rom,mac=$card_mac" \
    -serial "file:$scratch/console.log" -monitor "unix:$scratch/monitor,server,nowait"
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 400 "Debian is up, from PXE on a machine with a BIOS, by kexec"
stop_capture
[ "$(logins)" = 2 ] || fail "the target saw $(logins) logins"
ok "the target saw two logins: one before the kexec, one after it"
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"
pass
