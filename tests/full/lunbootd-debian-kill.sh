#!/bin/bash
# A machine runs Debian from lunbootd's disk, with Debian's own open-iscsi, and writes files with fsync. lunbootd is
# killed (kill -9) at random instants, and at last the machine with it: every file that was flushed is there, each
# session recovers without an I/O error, and the file system is clean. LUNBOOTD_KILLS: how many times (default: 20).
. "$(dirname "$0")/../interop/lib.sh"
. "$interop/lunbootd.sh"
. "$top/tests/vm/firmware.sh"
. "$top/tests/vm/debian.sh"
begin debugfs e2fsck
need_lunbootd
need_lunboot
debian_kinds=open-iscsi debian_name=debian-stock-open-iscsi
find_debian_disk
disk_file=$scratch/debian.img
cp --sparse=always --reflink=auto "$debian_image" "$disk_file"
kills=${LUNBOOTD_KILLS:-20}
after_boot <<'SCRIPT'
mkdir /root/load
sync
file=0
while true; do
    file=$((file + 1))
    dd if=/dev/urandom of=/root/load/$file bs=4k count=$((file * 7 % 150 + 1)) conv=fsync status=none
    errors=$(dmesg | grep -cE 'I/O error|EXT4-fs error')
    echo "FLUSHED $file $(sha256sum </root/load/$file | cut -c1-64) $errors errors"
done
SCRIPT
cp --sparse=always --reflink=auto "$disk_file" "$scratch/base.img"

start() { start_lunbootd --dhcp=server --writes=keep --overlays="$scratch/overlays" --files="$top/build" "$disk_file"; }
flushed() { console | grep -c ' FLUSHED .* errors$' || true; }
flushes() { [ "$(flushed)" -gt "$1" ]; }
# moment: up to a second.
moment() { sleep "0.$(printf '%03d' $((RANDOM % 1000)))"; }

start
start_vm -m 768 "${first_card[@]}"
wait_console 'BOOT-OK root=/dev/sda' 420 "Debian is up, its root on lunbootd's disk"
wait_console 'FLUSHED 3 ' 120
longest=0
for ((kill = 1; kill <= kills; kill++)); do
    moment
    end lunbootd KILL
    before=$(flushed)
    moment
    start
    began=$SECONDS
    wait_for 90 "writing after kill $kill" flushes $((before + 1))
    longest=$((SECONDS - began > longest ? SECONDS - began : longest))
done
ok "after each of $kills kills the machine goes on to write and to flush, within $longest s"
is_alive qemu || fail "the machine has ended"
moment
end lunbootd KILL
end qemu KILL
console | sed -n 's/.* FLUSHED \([0-9]* [0-9a-f]* [0-9]*\) errors$/\1/p' >"$scratch/flushed"
awk '$3 != 0 { exit 1 }' "$scratch/flushed" || fail "there were I/O errors"
ok "without an I/O error, in $(wc -l <"$scratch/flushed") files"

start
in_server "$lunboot" read --rootpath="iscsi:$server_ip:::0:iqn.2026-11.org.lunboot:debian:52-54-00-12-34-56" \
    --output="$scratch/seen.img" >"$scratch/read.log" 2>&1 || fail "the disk cannot be read"
cmp -s "$disk_file" "$scratch/base.img" || fail "the disk of all machines has changed"
ok "the disk of all machines is byte for byte what it was"
dd if="$scratch/seen.img" of="$scratch/root.img" bs=1M skip=257 conv=sparse status=none
status=0
e2fsck -p "$scratch/root.img" >"$scratch/journal.log" 2>&1 || status=$?
[ "$status" -le 1 ] || fail "the journal is not played without questions" "$scratch/journal.log"
e2fsck -fn "$scratch/root.img" >"$scratch/e2fsck.log" 2>&1 || fail "the file system is not clean" "$scratch/e2fsck.log"
ok "the file system is clean, once its journal is played"
mkdir "$scratch/found"
debugfs -R "rdump /root/load $scratch/found" "$scratch/root.img" >"$scratch/debugfs.log" 2>&1
while read -r file sum _; do
    [ "$(sha256 "$scratch/found/load/$file")" = "$sum" ] || fail "file $file was flushed, and is another"
done <"$scratch/flushed"
ok "every file that was flushed is there, byte for byte"
pass
