#!/bin/bash
# CRC32C over headers and data with lunbootd, as initiators offer it: with an overlay and with a raw file, by Lunboot's
# client, which requires them, and headers alone by QEMU's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
make_net
give_client_address
make_bytes "$scratch/disk.img" $((16 << 20)) 5
make_bytes "$scratch/raw.img" $((16 << 20)) 6
cp "$scratch/raw.img" "$scratch/was.img"
two_disks
start_lunbootd --config="$scratch/lunbootd.conf"
base=iqn.2026-11.org.lunboot
required=(--header-digest=crc32c --data-digest=crc32c)
writes() { # WHAT OPTION...
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=8388608 "${@:2}"
    succeeds "$1"
}

rootpath=iscsi:$server_ip:::0:$base:disk:anna
reads_the_disk "an overlay with digests that are required" --require=header-digest,data-digest
reads_the_disk "with both of them preferred" --header-digest=prefer --data-digest=prefer
reads_the_disk "of headers alone" --header-digest=crc32c
reads_the_disk "of data alone" --data-digest=crc32c
writes "writes to an overlay with digests" "${required[@]}"
rootpath=iscsi:$server_ip:::0:$base:raw:bert
writes "writes to a raw file with digests" "${required[@]}"
! cmp -s "$scratch/raw.img" "$scratch/was.img" || fail "the file has not changed"
ok "the file has changed"
writes "and without" --header-digest=none --data-digest=none

qemu_reads() { # DIGEST
    in_client timeout 60 qemu-img convert -O raw --image-opts \
        "driver=iscsi,transport=tcp,portal=$server_ip:3260,target=$base:raw:bert,lun=0,header-digest=$1" \
        "$scratch/copy.img" >"$scratch/qemu.log" 2>&1
}
if ! command -v qemu-img >/dev/null || { ! qemu_reads none && grep -q 'nknown driver' "$scratch/qemu.log"; }; then
    ok "QEMU's initiator is not here # SKIP qemu-block-extra"
else
    for digest in none none-crc32c crc32c-none crc32c; do
        qemu_reads "$digest" || fail "QEMU does not read with header-digest=$digest" "$scratch/qemu.log"
        cmp "$scratch/raw.img" "$scratch/copy.img" || fail "QEMU reads other bytes with header-digest=$digest"
        ok "QEMU reads with header-digest=$digest"
    done
fi
is_alive lunbootd || fail "lunbootd died"
pass
