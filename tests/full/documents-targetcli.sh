#!/bin/bash
# The cookbook's commands for LIO with targetcli, in a machine with Debian; then Lunboot reads from that target.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"
. "$here/../docs/documents-lib.sh"

need qemu-system-x86_64
need_lunboot
debian_kinds=lunboot debian_include=targetcli-fb debian_name=debian-targetcli
find_debian_disk
make_vm_net
serve_debian_disk lunboot
take_kernel lunboot
offer_disk </dev/null
take_blocks "run guest targetcli"
{
    echo 'truncate -s 64M /srv/disk1.img'
    echo 'echo "a disk that LIO serves" | dd of=/srv/disk1.img conv=notrunc status=none'
    echo 'set -e; systemctl is-system-running --wait || true'
    cat "$blocks"/[0-9][0-9][0-9]
    echo 'targetcli ls /iscsi; echo TARGETCLI-READY'
} | after_boot
start_debian lunboot.enable=yes
wait_console 'TARGETCLI-READY' 600 "the commands of the cookbook run"
address=$(awk '{ print $3 }' "$scratch/dnsmasq.leases")
rootpath=iscsi:$address:::0:iqn.2026-11.org.example:lio
cat >"$scratch/boot.conf" <<'CONF'
initiator = iqn.2026-11.org.example:machine1
chap-name = boot
chap-secret = boot-secret-0123
chap-target-name = disk
chap-target-secret = disk-secret-4567
require = mutual-chap
CONF
chmod 600 "$scratch/boot.conf"
in_server "$lunboot" read --rootpath="$rootpath" --config="$scratch/boot.conf" --length=512 --output="$scratch/block" \
    >"$scratch/read.log" 2>&1 || fail "lunboot read" "$scratch/read.log"
grep -qa 'a disk that LIO serves' "$scratch/block" || fail "the bytes are not the disk's"
ok "the target lets in the initiator that was named, with CHAP in both directions, and has the disk at LUN 0"
in_server "$lunboot" read --rootpath="$rootpath" --length=512 --output="$scratch/block" --attempts=1 \
    --initiator=iqn.2026-11.org.example:machine2 >"$scratch/read.log" 2>&1 && fail "another initiator is let in"
ok "and no other one"
pass
