#!/bin/bash
# Kernel and initramfs on a network without IPv4: the disk is named by DHCPv6's boot file URL.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
make_bridge6
serve_debian_disk lunboot
take_kernel lunboot
after_boot <<<'systemctl is-system-running --wait; systemctl poweroff'
offer_disk6 </dev/null
boot_debian_once 'lunboot.enable=yes' "Debian is up, without a word of IPv4"
pass
