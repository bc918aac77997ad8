#!/bin/bash
# Debian's iscsid on the running system adopts the session that the kernel took over, and brings it back
# after the target was gone for 15 s in the middle of writing: no I/O error, and every byte arrives.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump iscsid iscsiadm
make_guest_net
make_bytes "$scratch/disk.img" $((32 << 20))
make_bytes "$scratch/data" $((16 << 20)) 7
serve() {
    serve_bytes "$scratch/disk.img"
    tgt_account boot boot-secret-0123 1
    tgt_account disk disk-secret-4567 1 outgoing
}
serve
serve_dhcp
add_program iscsid
add_program iscsiadm
mkdir -p "$scratch/initramfs-extra/etc/iscsi"
cp /etc/iscsi/iscsid.conf "$scratch/initramfs-extra/etc/iscsi/"
echo "root:x:0:0:root:/:/bin/sh" >"$scratch/initramfs-extra/etc/passwd" # iscsid asks who is there
cp "$scratch/data" "$scratch/initramfs-extra/data"
start_capture "$server_ns" br0 tcp port 3260
start_client -m 384 <<'STEPS'
boot --chap-name=boot --chap-secret=boot-secret-0123 --chap-target-name=disk \
    --chap-target-secret=disk-secret-4567 --require=mutual-chap --chap-algorithms=md5
. /run/lunboot/session
# What an installed system has; the name in sysfs is the one that counts.
echo "InitiatorName=iqn.2026-11.test:another" >/etc/iscsi/initiatorname.iscsi
mkdir -p /run/lock/iscsi /var/lib/iscsi
iscsid -f >/tmp/iscsid.log 2>&1 &
for i in $(seq 100); do
    grep -q 'operational after recovery' /tmp/iscsid.log && break
    sleep 0.2
done
cat /tmp/iscsid.log
echo "GUEST-SESSIONS: $(iscsiadm -m session 2>&1)"
echo "GUEST-STATE: $(session state) $(session initiatorname) $(session recovery_tmo)"
echo "GUEST-WRITES"
# The pieces are small, so that writing goes on while the target is away.
i=0
while [ $i -lt 64 ]; do
    dd if=/data of=$device bs=256k count=1 skip=$i seek=$i conv=fsync 2>/tmp/dd || die "write $i: $(cat /tmp/dd)"
    i=$((i + 1))
    [ $i -gt 40 ] || sleep 0.2
done
echo "GUEST-READ: $(dd if=$device bs=1M count=16 2>/dev/null | sha256sum)"
echo "GUEST-STATE-AFTER: $(session state)"
echo "GUEST-ERRORS: $(dmesg | grep -c 'I/O error')."
cat /tmp/iscsid.log
STEPS
wait_guest 'GUEST-WRITES|GUEST-FAILED' 120
told 'operational after recovery' "iscsid adopts the session from sysfs alone"
told "GUEST-SESSIONS: tcp: \[1\] $server_ip:3260,1 $iqn" "iscsiadm lists it"
told 'GUEST-STATE: LOGGED_IN iqn\.2026-11\.org\.lunboot:\S+ 120' "with the name that booted"
sleep 2
end tgtd KILL
sleep 15
serve
ok "the target was killed while the disk was written to, and came back after 15 s"
finish_client 180
stop_capture
told "GUEST-READ: $(sha256 "$scratch/data")" "every byte is read back"
told 'GUEST-ERRORS: 0\.' "no I/O error"
told 'GUEST-STATE-AFTER: LOGGED_IN' "the session is logged in"
cmp -s -n $((16 << 20)) "$scratch/disk.img" "$scratch/data" || fail "the target does not have what was written"
ok "every byte is on the target"
ok "logins: $(count_logins) (the boot's, iscsid's own as it starts, those after the target came back)"
pass
