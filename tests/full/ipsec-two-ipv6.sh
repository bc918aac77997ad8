#!/bin/bash
# Several lunboots on one interface over IPv6, where the system runs from a disk through IPsec: a second disk of the
# server and `lunboot read` use the keys that are there, a disk of another address of the server gets keys of its own,
# and other identities are refused. However the others end, the first session never notices. Nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/takeover.sh"
. "$(dirname "$0")/../vm/ipsec.sh"
. "$(dirname "$0")/../vm/two.sh"
need tcpdump
extra=$scratch/initramfs-extra
add_block
add_strongswan
sed -i 's/local_addrs = .*/local_addrs = 2001:db8:77::10,2001:db8:77::11/' "$extra/etc/swanctl/swanctl.conf"
sed -i 's/remote_addrs = .*/remote_addrs = %any/' "$extra/etc/swanctl/swanctl.conf"
add_ipv6
cat >>"$extra/lio-steps" <<'STEPS'
/iproute2/ip addr add 2001:db8:77::11/64 dev eth0 nodad || die "another address"
# serves NAME ADDRESS: a target at this address alone.
serves() {
    target "$1"
    rmdir "$tpg/np/192.0.2.1:3260"
    mkdir "$tpg/np/[$2]:3260" || die "portal"
    open_target
}
serves second 2001:db8:77::10
serves other 2001:db8:77::11
block 2001:db8:77::11 ::/0
STEPS
start_prepared_lio
start_two <<'STEPS'
at='--address=2001:db8:77::100/64'
of=iqn.2026-11.test:lio
reads="[2001:db8:77::10]:::0:$of-plain" reads_other="[2001:db8:77::11]:::0:$of-other" strange=$reads
first="$at --rootpath=iscsi:[2001:db8:77::10]:::0:$of-plain"
second="$at --rootpath=iscsi:[2001:db8:77::10]:::0:$of-second"
third="$at --rootpath=iscsi:[2001:db8:77::11]:::0:$of-other"
STEPS
told_two 1 2
pass
