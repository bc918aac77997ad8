#!/bin/bash
# Kernel and initramfs, and mutual CHAP: both ends prove themselves, and the kernel goes on with the session
# that was made so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
serve_debian_disk lunboot
tgt_account boot boot-secret-0123 1
tgt_account target target-secret-45 1 outgoing
take_kernel lunboot
after_boot <<<'systemctl is-system-running --wait; systemctl poweroff'
offer_disk </dev/null
boot_debian_once "lunboot.enable=yes lunboot.chap-name=boot lunboot.chap-secret=boot-secret-0123
    lunboot.chap-target-name=target lunboot.chap-target-secret=target-secret-45
    lunboot.chap-algorithms=md5 lunboot.require=mutual-chap" "Debian is up, after mutual CHAP"
pass
