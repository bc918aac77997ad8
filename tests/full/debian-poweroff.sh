#!/bin/bash
# Debian's iscsid is stopped, as a poweroff does, while it logs in again to the session of the root disk: the
# keeper finds a session that nobody recovers, logs in, and the machine can be switched off. (Without, the root disk
# is blocked for recovery_tmo, 120 s, and ends in I/O errors.)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 tshark
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
offer_disk </dev/null
# All is run once that is needed while the disk does not answer; what remains is the shell's own.
after_boot <<'SCRIPT'
state() { read -r state </sys/class/iscsi_session/$LUNBOOT_SESSION/state; }
adopted() { iscsiadm -m session -P 1 | grep 'Session State: NO CHANGE' >/dev/null; }
. /run/lunboot/session
systemctl is-system-running --wait
systemctl stop iscsid
systemctl start iscsid
for i in $(seq 60); do adopted && break; sleep 0.5; done
sync
state
echo "READY $state"
sleep 4
systemctl restart iscsid
while [ "$state" = LOGGED_IN ]; do state; done
echo "STOPPED-WHILE $state"
systemctl --no-block stop iscsid
while [ "$state" != LOGGED_IN ]; do state; done
echo "BACK $state"
systemctl poweroff
SCRIPT
start_debian 'lunboot.enable=yes'
wait_console 'READY LOGGED_IN' 400 "Debian is up, and iscsid has the session"
kill -STOP "${pids[tgtd]}"
wait_console 'STOPPED-WHILE FAILED' 60 "iscsid is stopped while its login is unanswered"
sleep 5
kill -CONT "${pids[tgtd]}"
wait_console 'BACK LOGGED_IN' 60 "the target answers, and the session is back"
console_has 'lunboot: session1: logged in again' "it was the keeper who logged in"
wait_for 90 "the machine's end" has_ended qemu
ok "poweroff does not hang"
pass
