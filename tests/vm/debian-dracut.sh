#!/bin/bash
# The same disk with dracut's initramfs and our module in it, twice in a row: told by DHCP, and by the words of
# dracut on the kernel command line that an installation may have had before.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
serve_debian_disk dracut
tgt --mode target --op update --tid 1 --name nop_interval --value 3
tgt --mode target --op update --tid 1 --name nop_count --value 4
take_kernel dracut
after_boot <<'SCRIPT'
grep -qx lunboot-keeper /proc/[0-9]*/comm && echo KEEPER-LIVES
systemctl is-system-running --wait
systemctl poweroff
SCRIPT
offer_disk </dev/null
boot_debian_once 'lunboot.enable=yes lunboot.initiator=iqn.2026-11.test:machine1' \
    "Debian is up by dracut, its disk named by DHCP"
console_has KEEPER-LIVES "the keeper outlives the initramfs"
boot_debian_once "netroot=iscsi:$server_ip:::1:$iqn rd.iscsi.initiator=iqn.2026-11.test:machine1
    ip=192.0.2.77:::255.255.255.0:machine1:eth0:none" "and by netroot=, rd.iscsi.initiator= and ip="
# The root's session is left to the kernel at poweroff, and iscsid gives itself another ISID at each boot: who is
# gone is noticed by the target's own pings.
has_no_session() { ! grep -q Session <(tgt --mode conn --op show --tid 1); }
wait_for 60 "the end of the last session" has_no_session
ok "two boots of the same machine leave no stale session"
pass
