#!/bin/bash
# The cable of LIO, the target, is out for a while: the kernel's pings notice it, and the keeper logs in again, with the
# digests that LIO insists on, in the place of a session that LIO has still.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
start_lio
rootpath="iscsi:192.0.2.1:::1:iqn.2026-11.test:lio-digests"
serve_dhcp
start_capture "$server_ns" br0 tcp port 3260
start_client <<'STEPS'
echo 'lunboot.enable=yes lunboot.require=header-digest,data-digest lunboot.ping-interval=2s' >/tmp/cmdline
device=$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline 2>/tmp/err) || die "lunboot: $(cat /tmp/err)"
echo "GUEST-KEEPER: $(grep -lx lunboot-keeper /proc/[0-9]*/comm | wc -l)"
dd if=/dev/zero of=$device bs=64k count=16 conv=fsync 2>/dev/null || die write
echo "GUEST-READY"
until dmesg | grep 'logging in again' >/dev/null; do sleep 1; done
echo "GUEST-SAW: $(dmesg | grep -o 'detected conn error.*')"
echo "GUEST-SHA: $(dd if=$device bs=64k iflag=direct 2>/dev/null | sha256sum)"
for i in $(seq 30); do dmesg | grep 'session1: logged in again' && break; sleep 1; done
dmesg | grep 'lunboot:'
echo "GUEST-STATE: $(session state)"
dd if=/dev/zero of=$device bs=64k seek=16 count=16 conv=fsync 2>/dev/null || die "write after it"
STEPS
wait_guest GUEST-READY 180
in_server ip link set tap1 down
wait_guest GUEST-SAW 60
sleep 8
in_server ip link set tap1 up
finish_client
stop_capture
make_bytes "$scratch/expected.img" $((8 << 20)) 9
dd if=/dev/zero of="$scratch/expected.img" bs=64k count=16 conv=notrunc status=none
told 'GUEST-KEEPER: 1' "a keeper stays when lunboot initramfs has ended"
told 'GUEST-SAW: detected conn error .102[12]' "the kernel's ping finds that the target is gone"
told 'session1: logged in again' "the keeper logs in again when the cable is back"
told 'GUEST-STATE: LOGGED_IN' "the session is the one it was"
told "GUEST-SHA: $(sha256 "$scratch/expected.img")" "what was asked for meanwhile is read then"
logins=$(count_logins)
[ "$logins" = 3 ] || fail "$logins logins"
ok "LIO saw three logins: the boot's, the keeper's look at the disk, and the kernel's own"
pass
