#!/bin/bash
# What other initiators ask of lunbootd's disks, over an overlay and over a raw file: UNMAP gives room back, and
# libiscsi's suite runs (UNMAP, WRITE SAME, GET LBA STATUS, persistent reservations among them).
. "$(dirname "$0")/lib.sh"
. "$interop/lunbootd.sh"
. "$interop/libiscsi.sh"
need_lunbootd
need iscsi-test-cu qemu-io
make_net
give_client_address
truncate -s 64M "$scratch/disk.img"
make_bytes "$scratch/begin" $((8 << 20))
dd if="$scratch/begin" of="$scratch/disk.img" conv=notrunc status=none
cp --sparse=always "$scratch/disk.img" "$scratch/raw.img"
two_disks 'overlay-limit = 48'
start_lunbootd --config="$scratch/lunbootd.conf"
base=iqn.2026-11.org.lunboot

# does TARGET COMMAND...: qemu-io's commands on this target's disk.
does() {
    local words=() word
    for word in "${@:2}"; do words+=(-c "$word"); done
    local there=driver=raw,discard=unmap,file.driver=iscsi,file.transport=tcp
    there+=,file.portal=$server_ip:3260,file.target=$1,file.lun=0
    in_client timeout 60 qemu-io "${words[@]}" --image-opts "$there" \
        >"$scratch/qemu.log" 2>&1 || fail "qemu-io: ${*:2}"
    ! grep -qi 'failed\|error' "$scratch/qemu.log" || fail "qemu-io: ${*:2}"
}
taken() { du -k "$1" | cut -f1; }

for what in "disk:anna $scratch/overlays/anna/data" "other:bert $scratch/raw.img"; do
    read -r name data <<<"$what"
    [ "$name" != other:bert ] || name=raw:bert
    does "$base:$name" "write -P 7 16M 32M" "flush"
    before=$(taken "$data")
    does "$base:$name" "discard 16M 32M" "flush" "read -P 0 16M 32M"
    after=$(taken "$data")
    [ $((before - after)) -ge 30000 ] || fail "$name: $before KiB before UNMAP, $after after"
    ok "$name: UNMAP of 32 MiB gives room back ($before KiB before, $after after), and reads as zeros"
    does "$base:$name" "write -P 7 20M 1M" "read -P 7 20M 1M" "read -P 0 21M 4M" "flush"
    ok "$name: blocks that were given back are written again"
    does "$base:$name" "write -z -u 20M 1M" "read -P 0 20M 1M" "flush"
    ok "$name: WRITE SAME with UNMAP makes zeros"
done
cmp -n $((8 << 20)) "$scratch/begin" "$scratch/disk.img" || fail "the base has changed"
ok "the disk below the overlay is as it was"
# The limit counts what is there: 48 MiB are written, given back, and written again.
does "$base:disk:anna" "write -P 9 8M 44M" "discard 8M 44M" "write -P 9 16M 44M" "flush"
ok "what was given back does not count towards the limit"
end lunbootd
start_lunbootd --config="$scratch/lunbootd.conf"
does "$base:disk:anna" "read -P 9 16M 44M" "read -P 0 8M 8M"
ok "it is the same after a restart"

end lunbootd
sed -i '/^overlay-limit/d' "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"
# lunbootd-libiscsi.sh runs the suite on a raw file, and names the suite's own mistakes.
run_suite overlay -d -t ALL "iscsi://$server_ip:3260/$base:disk:anna/0"
suite_is_good overlay 'iSCSIdatasn/iSCSIDataSnInvalid|WriteSame10/UnmapUntilEnd|GetLBAStatus/UnmapSingle'
ok "libiscsi's suite over an overlay: $(suite_results passed | wc -l) tests pass"
is_alive lunbootd || fail "lunbootd died"
pass
