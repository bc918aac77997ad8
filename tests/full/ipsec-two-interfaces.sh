#!/bin/bash
# Two lunboots at once on two interfaces of a machine, and one peer: each has keys of its own, from an address of its
# own, and neither ends the other's. Nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/takeover.sh"
. "$(dirname "$0")/../vm/ipsec.sh"
. "$(dirname "$0")/../vm/two.sh"
need tcpdump
extra=$scratch/initramfs-extra
add_block
add_strongswan
cat >>"$extra/lio-steps" <<'STEPS'
target second
open_target
target other
open_target
STEPS
start_prepared_lio
in_server ip tuntap add tap2 mode tap
bridge_port tap2
start_two -netdev tap,id=n1,ifname=tap2,script=no,downscript=no \
    -device virtio-net-pci,netdev=n1,romfile=,mac=52:54:00:12:34:58 <<'STEPS'
of=iqn.2026-11.test:lio
reads="192.0.2.1:::0:$of-plain" reads_other="192.0.2.1:::0:$of-other" strange=$reads
first="--address=192.0.2.100/24 --rootpath=iscsi:192.0.2.1:::0:$of-plain"
second="--address=192.0.2.101/24 --rootpath=iscsi:192.0.2.1:::0:$of-second"
others_interface=eth1
third="--address=192.0.2.101/24 --rootpath=iscsi:192.0.2.1:::0:$of-other"
STEPS
told_two 2 2
pass
