#!/bin/bash
# The kernel takes the session over: one connection and one login for the whole boot, and the disk's
# bytes are read and written through the kernel's block device.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
make_guest_net
make_bytes "$scratch/disk.img" $((16 << 20))
before=$(sha256 "$scratch/disk.img")
serve_bytes "$scratch/disk.img"
serve_dhcp
start_capture "$server_ns" br0 tcp port 3260
start_client <<'STEPS'
boot
echo "GUEST-SHA: $(sha256sum <$device)"
echo "GUEST-SYSFS: $(session targetname) $(session initiatorname) $(session tpgt) $(session state)"
echo "GUEST-PORTAL: $(connection persistent_address):$(connection persistent_port)"
. /run/lunboot/session
echo "GUEST-SESSION: $LUNBOOT_DEVICE $LUNBOOT_SESSION logins=$LUNBOOT_LOGINS $LUNBOOT_ADDRESS"
# Where the disk is looked for when events were lost.
ls -d /sys/class/iscsi_session/session1/device/target*:0:0/*:0:0:1/block/sda >/dev/null || die "sysfs"
grep -q KeepConfiguration=yes /run/systemd/network/05-lunboot.network || die "no file for networkd"
case $(ip addr show dev eth0) in *'valid_lft forever'*) echo "GUEST-ADDRESS: for ever" ;; esac
grep -c '"device":"/dev/sda","session":"session1"' /run/lunboot/report.json
echo "written by the kernel" | dd of=$device bs=512 seek=8 conv=sync,fsync 2>/dev/null || die "write"
STEPS
finish_client
stop_capture
told 'GUEST-DEVICE: /dev/sda' "the kernel has the disk as /dev/sda"
told "GUEST-SHA: $before" "what is read through it is what the target has"
[ "$(dd if="$scratch/disk.img" bs=512 skip=8 count=1 2>/dev/null | tr -d '\0')" = "written by the kernel" ] ||
    fail "what the kernel wrote is not on the target"
ok "what is written through it is on the target"
[ "$(count_logins)" = 1 ] || fail "$(count_logins) logins"
[ "$(count_connections)" = 1 ] || fail "$(count_connections) connections"
ok "the target saw one connection and one login for the whole boot"
told "GUEST-SYSFS: $iqn iqn\.2026-11\.org\.lunboot:\S+ 1 LOGGED_IN" "sysfs has the names that iscsid adopts by"
told 'GUEST-PORTAL: 192\.0\.2\.1:3260' "and the portal to come back to"
told 'GUEST-SESSION: /dev/sda session1 logins=1 192\.0\.2\.' "/run/lunboot/session has it for scripts"
told 'GUEST-ADDRESS: for ever' "the address does not end with the lease"
pass
