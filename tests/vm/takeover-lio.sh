#!/bin/bash
# LIO as the target (a second guest), which opens its command window slowly: the kernel takes over a plain
# session, and one with the digests that LIO insists on.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
server_ip=192.0.2.2 # the namespace; LIO's guest is 192.0.2.1
make_guest_net
in_server ip tuntap add tap1 mode tap
bridge_port tap1
make_bytes "$scratch/disk.img" $((8 << 20))
make_bytes "$scratch/scratch.img" $((8 << 20)) 9
make_initramfs "$scratch/initramfs.gz" "$top/tests/vm/lio/init" virtio_pci virtio_net virtio_blk configfs \
    target_core_mod target_core_file iscsi_target_mod crc32c_generic md5 sha1_generic sha256_generic \
    sha3_generic
start_guest "$server_ns" "" \
    -netdev tap,id=n0,ifname=tap1,script=no,downscript=no \
    -device virtio-net-pci,netdev=n0,romfile=,mac=52:54:00:12:34:57 \
    -drive "file=$scratch/disk.img,if=virtio,format=raw,file.locking=off" \
    -drive "file=$scratch/scratch.img,if=virtio,format=raw,file.locking=off"
wait_guest 'LIO-READY|LIO-FAILED|Kernel panic' 120
grep -q LIO-READY "$scratch/console.log" || fail "the guest did not set its targets up"
# The next guest is "qemu", with a console and an initramfs of its own.
pids[lio]=${pids[qemu]}
spawned+=(lio)
unset "pids[qemu]"
mv "$scratch/console.log" "$scratch/lio-console.log"
rm -rf "$scratch/initramfs"

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
