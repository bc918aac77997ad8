#!/bin/bash
# Several lunboots on one interface, where the system runs from a disk through IPsec. A second disk of the same server,
# and `lunboot read`, use the keys that are there; a disk of another address of the server gets keys of its own, from a
# port of its own, and strongSwan keeps those of the first. Other identities are refused. However the others end, the
# first disk's session never notices; and when strongSwan restarts, all have keys again. Nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump
extra=$scratch/initramfs-extra
rm -rf "$extra"
add_block
add_strongswan
sed -i 's/local_addrs = .*/local_addrs = 192.0.2.1,192.0.2.9/' "$extra/etc/swanctl/swanctl.conf"
cat >>"$extra/lio-steps" <<'STEPS'
target second
open_target
/iproute2/ip addr add 192.0.2.9/24 dev eth0 || die "another address"
target other
rmdir "$tpg/np/192.0.2.1:3260"
mkdir "$tpg/np/192.0.2.9:3260" || die "portal"
open_target
block 192.0.2.9 0.0.0.0/0
STEPS
start_prepared_lio
iqn_of_lio=iqn.2026-11.test:lio
rootpath="iscsi:192.0.2.1:::0:$iqn_of_lio-plain"
serve_dhcp
give_client_keys
sed 's/^ipsec-id = .*/ipsec-id = other.example/' "$extra/etc/lunboot.conf" >"$extra/etc/other.conf"
chmod 600 "$extra/etc/other.conf"
start_capture "$server_ns" br0 -s 96 -B 32768
start_client -m 384 <<'STEPS'
processes() {
    grep -lx "$1" /proc/[0-9]*/comm | wc -l
}
read_disk() {
    dd if=$1 of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null && echo good
}
lost() {
    dmesg | grep -c 'detected conn error'
}
of=iqn.2026-11.test:lio
boot --config=/etc/lunboot.conf
first=$device

# Under I/O of the first: a look at its disk, and at that of the other address.
while [ ! -e /tmp/enough ]; do
    read_disk $first >>/tmp/reads
done &
look() {
    /bin/lunboot read --config="/etc/$1.conf" --rootpath="iscsi:$2" --output=/tmp/disk >/tmp/out 2>&1
}
look lunboot 192.0.2.1:::0:$of-plain ||
    die "read: $(cat /tmp/out)"
cat /tmp/out
echo "GUEST-READ: $(sha256sum </tmp/disk)"
look lunboot 192.0.2.9:::0:$of-other ||
    die "read of another: $(cat /tmp/out)"
cat /tmp/out
echo "GUEST-READ-OTHER: $(sha256sum </tmp/disk)"
look other 192.0.2.1:::0:$of-plain &&
    die "read as another"
echo "GUEST-STRANGE: $(grep -q ipsec-auth /tmp/out && echo ipsec-auth)"
sleep 14 # a sign of life was asked for meanwhile
touch /tmp/enough
wait %%
echo "GUEST-FIRST: $(lost) errors, $(processes lunboot-ike) process, $(read_disk $first)"

boot --config=/etc/lunboot.conf --rootpath=iscsi:192.0.2.1:::0:$of-second
second=$device
echo "GUEST-SECOND: $(processes lunboot-ike) process, $(read_disk $second)"
boot --config=/etc/lunboot.conf --rootpath=iscsi:192.0.2.9:::0:$of-other
third=$device
sleep 14
echo "GUEST-THIRD: $(processes lunboot-ike) processes, $(read_disk $first) $(read_disk $second) $(read_disk $third)"
echo "GUEST-QUIET: $(lost) errors, $(dmesg | grep -c 'ipsec-lost\|ipsec-silent') lost"
echo GUEST-RESTART
until_log 2 'the association is back'
echo "GUEST-BACK: $(read_disk $first) $(read_disk $second) $(read_disk $third)"
sleep 14
echo "GUEST-STILL: $(dmesg | grep -c 'the association is back') $(read_disk $first) $(read_disk $third)"
dmesg | grep 'lunboot:'
STEPS
wait_guest GUEST-RESTART 300
restart_strongswan
finish_client 300
stop_capture
make_bytes "$scratch/expected.img" $((8 << 20))
told "GUEST-READ: $(sha256 "$scratch/expected.img")" "lunboot read reads the disk that the system runs from"
told "GUEST-READ-OTHER: $(sha256 "$scratch/expected.img")" "and a disk of another address of the server"
told 'GUEST-STRANGE: ipsec-auth' "but none with another identity"
told 'GUEST-FIRST: 0 errors, 1 process, good' "the first disk's session does not notice"
told 'GUEST-SECOND: 1 process, good' "a second disk of the server uses the same keys"
told 'GUEST-THIRD: 2 processes, good good good' "a third, of another address, has its own"
told 'GUEST-QUIET: 0 errors, 0 lost' "and neither ends the other's"
told 'GUEST-BACK: good good good' "strongSwan restarts, and all are back"
told 'GUEST-STILL: 2 good good' "and stay"
all_is_esp
pass
