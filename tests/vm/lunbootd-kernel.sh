#!/bin/bash
# What people run on a disk of lunbootd's, in a guest with Debian's kernel and its initiator: sg3_utils, a file system
# that fio fills and checks, and fstrim, which gives the room back. The disk below the overlay stays as it was.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/takeover.sh"
need_lunbootd
need fio mkfs.ext4 e2fsck fstrim
sg_tools=(sg_inq sg_luns sg_vpd sg_readcap sg_turs sg_modes sg_wr_mode sg_logs sg_opcodes sg_rtpg sg_requests sg_verify
    sg_sync sg_write_same sg_unmap sg_get_lba_status sg_compare_and_write sg_persist sg_reset sg_start sg_senddiag
    sg_sanitize)
need "${sg_tools[@]}"
make_guest_net
make_bytes "$scratch/disk.img" $((4 << 20)) 5
truncate -s 128M "$scratch/disk.img"
before=$(sha256 "$scratch/disk.img")
spawn lunbootd ip netns exec "$server_ns" "$lunbootd" --interface=br0 --state="$scratch/state" --dhcp=server \
    --writes=keep --overlays="$scratch/overlays" "$scratch/disk.img"
wait_log lunbootd 'gives addresses'
for program in fio mkfs.ext4 e2fsck fstrim "${sg_tools[@]}"; do add_program "$program"; done
guest_modules+=(sg)
start_client -m 640 <<'STEPS'
boot
export PATH=/bin:/sbin:/usr/sbin:/usr/bin
# try WHAT COMMAND...: it succeeds; its output is on the console if it does not.
try() {
    what=$1
    shift
    "$@" >/tmp/log 2>&1 || die "$what: $* ends with $?: $(cat /tmp/log)"
    echo "GUEST-OK: $what"
}
# fails WHAT CODE COMMAND...
fails() {
    what=$1 code=$2 status=0
    shift 2
    "$@" >/tmp/log 2>&1 || status=$?
    [ $status = $code ] || die "$what: $* ends with $status, not with $code: $(cat /tmp/log)"
    echo "GUEST-OK: $what"
}
try "INQUIRY" sg_inq $device
for page in sv sn di ei bl bdc lbpv; do try "the page $page" sg_vpd --page=$page $device; done
try "REPORT LUNS" sg_luns $device
try "READ CAPACITY(16)" sg_readcap --16 $device
try "TEST UNIT READY" sg_turs --num=100 $device
try "all mode pages" sg_modes --all $device
try "the logs" sg_logs --all $device
try "operation codes" sg_opcodes --rctd $device
try "port groups" sg_rtpg $device
try "REQUEST SENSE" sg_requests $device
try "SEND DIAGNOSTIC" sg_senddiag --test $device
try "write cache off" sg_wr_mode --page=8 --contents=08,12,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00 $device
try "write cache on" sg_wr_mode --page=8 --contents=08,12,04,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00 $device
try "VERIFY" sg_verify --lba=0 --count=4096 $device
dd if=/dev/zero of=/tmp/zero bs=512 count=1 2>/dev/null
try "WRITE SAME(16)" sg_write_same --16 --in=/tmp/zero --lba=4096 --num=2048 $device
try "WRITE SAME with UNMAP" sg_write_same --16 --unmap --lba=8192 --num=2048 $device
try "UNMAP" sg_unmap --lba=12288,16384 --num=2048,2048 $device
try "GET LBA STATUS" sg_get_lba_status --lba=0 $device
yes lock | dd of=/tmp/lock bs=512 count=1 iflag=fullblock 2>/dev/null
cat /tmp/zero /tmp/lock >/tmp/pair
try "COMPARE AND WRITE" sg_compare_and_write --in=/tmp/pair --lba=4096 $device
fails "COMPARE AND WRITE of what has changed" 14 sg_compare_and_write --in=/tmp/pair --lba=4096 $device
try "a registration" sg_persist --out --register --param-sark=abc $device
try "a reservation" sg_persist --out --reserve --param-rk=abc --prout-type=1 $device
sg_persist --in --read-keys $device >/tmp/keys 2>&1
grep -q 0xabc /tmp/keys || die "the key: $(cat /tmp/keys)"
try "its end" sg_persist --out --clear --param-rk=abc $device
try "a reset of the logical unit" sg_reset --device $device
sg_turs $device >/dev/null 2>&1
try "SYNCHRONIZE CACHE" sg_sync $device
fails "a page that there is not" 5 sg_vpd --force --page=0xbb $device
fails "CRYPTOGRAPHIC ERASE" 5 sg_sanitize --crypto --quick --wait $device
try "SANITIZE BLOCK ERASE" sg_sanitize --block --quick --wait --timeout=300 $device
cmp -n 67108864 /dev/zero $device || die "the disk is not zeros after BLOCK ERASE"
printf LUN >/tmp/pattern
try "SANITIZE OVERWRITE begins" sg_sanitize --overwrite --pattern=/tmp/pattern --count=2 --invert --quick --early \
    $device
sg_requests --progress $device >/tmp/log 2>&1
cat /tmp/log
steps=0
until sg_turs $device >/tmp/log 2>&1; do
    steps=$((steps + 1))
    [ $steps -lt 600 ] || die "SANITIZE OVERWRITE does not end: $(cat /tmp/log)"
    usleep 200000
done
echo "GUEST-STEPS: $steps."
dd if=$device of=/tmp/first bs=512 count=1 iflag=direct 2>/dev/null
grep -q ^LUNLUN /tmp/first || die "the pattern is not there"
echo "GUEST-OK: SANITIZE OVERWRITE ends, and its pattern is there"
try "SANITIZE OVERWRITE, waited for" sg_sanitize --overwrite --zero --quick --wait --timeout=300 $device
mkdir /mnt
try "mkfs.ext4" mkfs.ext4 -q -E nodiscard -F $device
try "mount" mount -t ext4 -o discard $device /mnt
try "fio writes and verifies" fio --name=a --directory=/mnt --size=24M --rw=randwrite --bs=4k --ioengine=libaio \
    --iodepth=16 --direct=1 --verify=crc32c --verify_fatal=1 --end_fsync=1
try "fio with larger blocks" fio --name=b --directory=/mnt --size=32M --rw=write --bs=256k --ioengine=libaio \
    --iodepth=8 --direct=1 --verify=crc32c --verify_fatal=1 --fsync=16
echo "GUEST-FULL"
sleep 3
rm -f /mnt/a.* /mnt/b.*
sync
try "fstrim" fstrim -v /mnt
cat /tmp/log
try "umount" umount /mnt
try "e2fsck" e2fsck -f -n $device
echo "GUEST-EMPTY"
echo "GUEST-ERRORS: $(dmesg | grep -c 'I/O error')."
STEPS
taken() { du -k "$scratch"/overlays/*/data | cut -f1; }
wait_guest 'GUEST-FULL|GUEST-FAILED|Kernel panic' 300
full=$(taken)
finish_client 120
empty=$(taken)
while read -r line; do ok "$line"; done < <(tr -d '\r' <"$scratch/console.log" | sed -n 's/^GUEST-OK: //p')
told 'Progress indication: [0-9.]+%' "sg_requests tells the progress of SANITIZE OVERWRITE"
told 'GUEST-STEPS: [1-9]' "the disk is not ready meanwhile"
told 'GUEST-ERRORS: 0\.' "no I/O error"
[ "$full" -gt 50000 ] || fail "the overlay has $full KiB after fio has written 56 MiB"
[ $((full - empty)) -gt 50000 ] || fail "the overlay has $full KiB before fstrim, and $empty after"
ok "fstrim gives the room back: $full KiB before, $empty after"
[ "$before" = "$(sha256 "$scratch/disk.img")" ] || fail "the disk below has changed"
ok "the disk below is as it was"
pass
