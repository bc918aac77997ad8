#!/bin/bash
# Kernel and initramfs, and nobody names the disk but an iSNS server (open-isns): DHCP says where that is, and
# a Discovery Domain with its boot list enabled says which disk is ours.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark isnsd isnsadm
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
after_boot <<<'systemctl is-system-running --wait; systemctl poweroff'
start_isnsd
isns_target "$iqn" "$server_ip"
isns_as "$isns_host" --register "initiator=$isns_host"
isns_domain boot boot "$iqn" "$isns_host"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
CONF
boot_debian_once "lunboot.enable=yes lunboot.lun=1 lunboot.initiator=$isns_host" \
    "Debian is up, its disk found by the boot list of an iSNS server"
pass
