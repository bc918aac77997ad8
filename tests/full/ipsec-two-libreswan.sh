#!/bin/bash
# Several lunboots on one interface with libreswan as their peer, where the system runs from a disk through IPsec:
# another disk of the server and `lunboot read` use the keys that are there, and other identities are refused. However
# the others end, the first session never notices. Nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/takeover.sh"
. "$(dirname "$0")/../vm/ipsec.sh"
. "$(dirname "$0")/../vm/libreswan.sh"
. "$(dirname "$0")/../vm/two.sh"
need tcpdump apt-get dpkg
unpack_libreswan
add_block
add_libreswan
cat >>"$scratch/initramfs-extra/lio-steps" <<'STEPS'
target second
open_target
target other
open_target
STEPS
start_prepared_lio
id=tunnel.example
psk='the secret of tunnel.example'
start_two <<'STEPS'
at='--address=192.0.2.100/24'
of=iqn.2026-11.test:lio
reads="192.0.2.1:::0:$of-plain" reads_other="192.0.2.1:::0:$of-other" strange=$reads
first="$at --rootpath=iscsi:192.0.2.1:::0:$of-plain"
second="$at --rootpath=iscsi:192.0.2.1:::0:$of-second"
third="$at --rootpath=iscsi:192.0.2.1:::0:$of-other"
STEPS
told_two 1 1
pass
