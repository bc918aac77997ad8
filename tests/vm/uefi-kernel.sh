#!/bin/bash
# Power-on to a Debian kernel and its initramfs, read wholly over iSCSI; the kernel finds the iBFT.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
begin
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
serve_image
tgt_account boot boot-secret-0123 1
offer_disk </dev/null
make_stick <<EOF
enable = yes
chap-name = boot
chap-secret = boot-secret-0123
chap-algorithms = md5
initiator = iqn.2026-11.test:machine1
EOF
boot_stick
wait_console 'KERNEL-OK' 150 "a Debian kernel and its initramfs, wholly over iSCSI"
mkdir -p "$top/build"
console | sed -n '/^lunboot [0-9]/,/KERNEL-OK/p' | grep -v 'chap-secret\|MP-BIOS' |
    "$top/tools/console-picture" "the serial console of a machine without a disk" >"$top/build/console.svg"
console_has 'IBFT initiator/initiator-name iqn.2026-11.test:machine1' "iBFT: the initiator's name"
console_has 'IBFT ethernet0/ip-addr 192.0.2.1[0-9][0-9]' "iBFT: this machine's address"
console_has 'IBFT ethernet0/subnet-mask 255.255.255.0' "iBFT: the mask"
console_has 'IBFT ethernet0/origin 3' "iBFT: the address came by DHCP"
console_has "IBFT ethernet0/dhcp $server_ip" "iBFT: the DHCP server"
console_has "IBFT ethernet0/mac $card_mac" "iBFT: the card"
console_has 'IBFT ethernet0/flags 7' "iBFT: the card is boot-selected"
console_has "IBFT target0/ip-addr $server_ip" "iBFT: the portal"
console_has 'IBFT target0/port 3260' "iBFT: its port"
console_has 'IBFT target0/lun 01000000' "iBFT: the LUN"
console_has "IBFT target0/target-name $iqn" "iBFT: the target's name"
console_has 'IBFT target0/chap-type 1' "iBFT: one-way CHAP"
console_has 'IBFT target0/chap-name boot' "iBFT: the CHAP name"
console_has 'IBFT target0/flags 3' "iBFT: the target is boot-selected"
pass
