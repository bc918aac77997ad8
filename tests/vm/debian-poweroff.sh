#!/bin/bash
# A machine is told to power off while Debian's iscsid logs in again to the session of the root disk, as it
# does when it starts: it is not stopped before it has the session, and the machine ends soon after the
# target's answer. (Without a session nobody could reach the disk any more, for recovery_tmo, 120 s.)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/firmware.sh"
. "$here/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
offer_disk </dev/null
# All is read once that is needed while the disk does not answer. open-iscsi.service is as yet inactive when
# iscsid has just started.
after_boot <<'SCRIPT'
state() { read -r state </sys/class/iscsi_session/$LUNBOOT_SESSION/state; }
adopted() { iscsiadm -m session -P 1 | grep -q 'Internal iscsid Session State: NO CHANGE'; }
. /run/lunboot/session
systemctl is-system-running --wait
systemctl stop open-iscsi
systemctl restart iscsid
for i in $(seq 60); do adopted && break; sleep 0.5; done
systemctl --job-mode=replace-irreversibly start basic.target
sync
state
echo "READY $state"
sleep 4
systemctl restart iscsid
while [ "$state" = LOGGED_IN ]; do state; done
echo "POWEROFF $state"
systemctl --no-block --job-mode=replace-irreversibly start poweroff.target
SCRIPT
start_debian 'lunboot.enable=yes'
wait_console 'READY LOGGED_IN' 400 "Debian is up, and iscsid has the session"
kill -STOP "${pids[tgtd]}"
wait_console 'POWEROFF FAILED' 60 "power off, while iscsid's login is unanswered"
sleep 5
kill -CONT "${pids[tgtd]}"
before=$SECONDS
wait_for 240 "the machine's end" has_ended qemu
took=$((SECONDS - before))
echo "# off $took s after the answer"
[ "$took" -le 60 ] || fail "the machine was off $took s after the target answered"
ok "it is off soon after the target answers"
pass
