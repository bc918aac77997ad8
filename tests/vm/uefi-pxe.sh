#!/bin/bash
# PXE: the firmware fetches lunboot.efi by TFTP because the administrator's DHCP server says so, and that
# is the permission to boot; lunboot.conf comes from the same place, and the firmware's DHCP answer is
# used instead of asking again.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
serve_loader_ok
mkdir -p "$scratch/tftp/boot"
cp "$efi" "$scratch/tftp/boot/lunbootx64.efi"
echo "initiator = iqn.2026-11.test:from-tftp" >"$scratch/tftp/boot/lunboot.conf"
chmod -R a+rX "$scratch" "$scratch/tftp"
by_tftp="enable-tftp
tftp-root=$scratch/tftp
tftp-no-fail
user=root
dhcp-boot=boot/lunbootx64.efi"
offer_disk <<<"$by_tftp"
start_capture "$server_ns" tap0
start_vm "${first_card[@]}"
wait_console 'METER LOADER-OK' 90 "from PXE to the loader on the network disk"
console_has 'started from PXE' "lunboot knows how it was started"
stop_capture
in_server tcpdump -nr "$scratch/capture.pcap" -A 'tcp port 3260' >"$scratch/login.log" 2>/dev/null
grep -q 'InitiatorName=iqn.2026-11.test:from-tftp' "$scratch/login.log" ||
    fail "lunboot.conf from TFTP was not used"
ok "lunboot.conf was fetched from beside the program"
discovers=$(grep -c DHCPDISCOVER "$scratch/dnsmasq.log")
[ "$discovers" = 1 ] || fail "there were $discovers DISCOVERs: the firmware's answer was not used"
ok "the firmware's DHCP answer was used"
end qemu KILL
end dnsmasq

rom=/usr/lib/ipxe/qemu/efi-virtio.rom
[ -e "$rom" ] || fail "$rom is missing (Debian package ipxe-qemu)"
start_dnsmasq <<EOF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-userclass=set:ipxe,iPXE
dhcp-option=tag:!ipxe,option:root-path,"$rootpath"
$by_tftp
EOF
: >"$scratch/console.log"
start_vm "${card[@]:0:3}" "virtio-net-pci,netdev=n0,romfile=$rom,mac=$card_mac,bootindex=0"
wait_console 'METER LOADER-OK' 120 "from iPXE in the card's ROM to the loader on the network disk"
console_has 'lunboot.conf from 192.0.2.1' "lunboot.conf is read through iPXE, which does not say how long it is"
pass
