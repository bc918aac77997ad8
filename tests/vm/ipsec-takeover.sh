#!/bin/bash
# The kernel takes a connection over that its own ESP protects: lunboot negotiates with strongSwan before it connects,
# gives the kernel SAs and policies, and no packet of the target's port is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump
start_ipsec_lio
rootpath="iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"
serve_dhcp
give_client_keys
start_capture "$server_ns" br0 -s 96 -B 32768
start_client <<'STEPS'
boot --config=/etc/lunboot.conf
cat /proc/net/xfrm_stat | grep -v ' 0$'
echo "GUEST-SHA: $(sha256sum <$device)"
dd if=/dev/zero of=$device bs=64k count=16 conv=fsync 2>/dev/null || die write
echo "GUEST-STATE: $(session state)"
STEPS
finish_client
stop_capture
make_bytes "$scratch/expected.img" $((8 << 20))
told "GUEST-SHA: $(sha256 "$scratch/expected.img")" "the disk is read through the kernel's ESP"
told "GUEST-STATE: LOGGED_IN" "and written"
all_is_esp
pass
