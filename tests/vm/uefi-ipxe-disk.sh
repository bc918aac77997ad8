#!/bin/bash
# iPXE in the card's ROM is told a Root Path and a boot file: it logs in to the disk itself, keeps its session, and runs
# lunboot.efi on the same card. lunboot.efi takes the disk over, and a kernel comes up from it.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
begin tshark tcpdump
need_lunboot
rom=/usr/lib/ipxe/qemu/efi-virtio.rom
[ -e "$rom" ] || skip "$rom is missing (Debian package ipxe-qemu)"
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
serve_image
mkdir -p "$scratch/tftp"
cp "$efi" "$scratch/tftp/lunbootx64.efi"
echo "enable = yes" >"$scratch/tftp/lunboot.conf"
offer_disk <<EOF
enable-tftp
tftp-root=$scratch/tftp
tftp-no-fail
user=root
dhcp-boot=lunbootx64.efi
EOF
start_capture "$server_ns" tap0
start_vm "${card[@]:0:3}" "virtio-net-pci,netdev=n0,romfile=$rom,mac=$card_mac,bootindex=0"
wait_console 'loader .*BOOTX64' 240 "lunboot.efi finds the loader on the disk"
ok "iPXE has its own session with the disk"
wait_console 'KERNEL-OK' 120 "a kernel is up"
console_has 'IBFT initiator/initiator-name iqn.2026-11.org.lunboot:' "the table for it is lunboot's"
end qemu KILL
stop_capture
logins_of() { tshark -r "$scratch/capture.pcap" -Y "iscsi.keyvalue contains \"InitiatorName=$1\"" 2>/dev/null | wc -l; }
[ "$(logins_of iqn.2010-04.org.ipxe)" = 1 ] || fail "iPXE logged in $(logins_of iqn.2010-04.org.ipxe) times"
[ "$(logins_of iqn.2026-11.org.lunboot)" = 1 ] || fail "lunboot logged in $(logins_of iqn.2026-11.org.lunboot) times"
ok "each of the two logged in once: neither ended the other's connection while the disk was read"
pass
