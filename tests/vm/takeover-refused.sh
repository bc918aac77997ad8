#!/bin/bash
# When the kernel cannot take the session over: without its module the boot ends in an error that says so;
# when the connection does not live through it, a fresh login is handed over, and the report says so.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need python3
make_guest_net
make_bytes "$scratch/disk.img" $((4 << 20))
start_tgt "$server_ip:3261"
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
rootpath="iscsi:$server_ip:::1:$iqn"
spawn cut ip netns exec "$server_ns" python3 "$top/tests/vm/takeover/cut.py" "$server_ip" 3260 \
    "$server_ip" 3261
wait_log cut listening
serve_dhcp
start_client <<'STEPS'
rmmod iscsi_tcp || die rmmod
/bin/lunboot boot --interface=eth0 --enable --then=attach --attempts=1 \
    --rootpath="iscsi:192.0.2.1::3261:1:iqn.2026-11.test:disk1" >/tmp/out 2>&1
echo "GUEST-WITHOUT-MODULE: exit $?"
grep -A3 '^lunboot:' /tmp/out
[ -e /run/lunboot ] || echo "GUEST-NOTHING-LEFT"
insmod /modules/*-iscsi_tcp.ko || die insmod
boot
echo "GUEST-SHA: $(sha256sum <$device)"
. /run/lunboot/session
echo "GUEST-LOGINS: $LUNBOOT_LOGINS $LUNBOOT_SESSION"
echo "GUEST-SESSIONS: $(ls /sys/class/iscsi_session)"
sed 's/},/},\n/g' /run/lunboot/report.json | grep hand-over
STEPS
finish_client
told 'GUEST-WITHOUT-MODULE: exit 1' "without the module the boot fails"
told 'the kernel did not take the disk over' "it says what failed"
told 'iscsi_tcp' "and which module is missing"
told 'GUEST-NOTHING-LEFT' "and leaves nothing under /run"
[ "$(grep -c '^cut' "$scratch/cut.log")" = 1 ] || fail "the connection was not cut"
told 'GUEST-DEVICE: /dev/sda' "a connection that is lost in the hand-over is followed by a fresh login"
told "GUEST-SHA: $(sha256 "$scratch/disk.img")" "whose disk is read"
told 'GUEST-LOGINS: 2 session2' "the second login is counted"
told 'GUEST-SESSIONS: session2$' "nothing is left of the first session"
told 'hand-over.*logging in anew' "and the report says so"
told 'hand-over.*the kernel lost the connection' "with the kernel's reason"
pass
