#!/bin/bash
# LIO as the target (a second guest), which opens its command window slowly: the kernel takes over a plain
# session, and one with the digests that LIO insists on.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
start_lio

rootpath="iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"
serve_dhcp
start_capture "$server_ns" br0 tcp port 3260
start_client <<'STEPS'
boot
echo "GUEST-SHA plain: $(sha256sum <$device)"
# Somebody looks at the disk that the system lives on.
/bin/lunboot read --rootpath=iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain --length=512 --output=/tmp/block ||
    die "lunboot read"
sleep 1
echo "GUEST-STATE: $(session state), $(dmesg | grep -c 'detected conn error') errors"
dd if=$device bs=4k count=1 iflag=direct of=/dev/null 2>/dev/null || die "the disk is gone"
boot --rootpath=iscsi:192.0.2.1:::1:iqn.2026-11.test:lio-digests --require=header-digest,data-digest
echo "GUEST-SHA digests: $(sha256sum <$device)"
echo "GUEST-DISKS: $(ls -d /sys/class/block/sd? | wc -l)"
dd if=/dev/zero of=$device bs=64k count=16 conv=fsync 2>/dev/null || die write
STEPS
finish_client
stop_capture
told "GUEST-SHA plain: $(sha256 "$scratch/disk.img")" "the kernel took LIO's session over"
make_bytes "$scratch/expected.img" $((8 << 20)) 9
told "GUEST-SHA digests: $(sha256 "$scratch/expected.img")" "and one with digests, at another LUN"
told 'GUEST-DISKS: [34]' "the targets' other LUNs are there, too"
told 'GUEST-STATE: LOGGED_IN, 0 errors' "lunboot read beside it does not take its session away"
[ "$(count_logins) $(count_connections)" = "3 3" ] ||
    fail "$(count_logins) logins, $(count_connections) connections"
ok "LIO saw a connection and a login for each"
pass
