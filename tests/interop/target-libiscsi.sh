#!/bin/bash
# The target half of the core against libiscsi: its tools, its test suite, and QEMU's tools over it.
. "$(dirname "$0")/lib.sh"
. "$interop/libiscsi.sh"
target=${LUNBOOT_TEST_TARGET:-$top/build/lunboot-test-target}
[ -x "$target" ] || skip "$target has not been built"
need iscsi-ls iscsi-inq iscsi-test-cu qemu-img
make_net
give_client_address
portal=$server_ip:3260
disk=iscsi://$portal/$iqn/1

# start_target OPTION...
start_target() {
    end target
    spawn target ip netns exec "$server_ns" "$target" --address="$server_ip" "$@"
    wait_for 10 "the target listening" has_listener "$server_ns" 3260
}

# copies_and_compares WHAT [OPTION]: an image goes there by qemu-img, and is what qemu-img finds there.
copies_and_compares() {
    local there=driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=$portal
    there+=,file.target=$iqn,file.lun=1${2:+,file.$2}
    in_client timeout 60 qemu-img convert -n -f raw --target-image-opts "$scratch/image" "$there" \
        >>"$scratch/qemu.log" 2>&1 || fail "$1: qemu-img could not write"
    in_client timeout 60 qemu-img compare --image-opts \
        "driver=raw,file.driver=file,file.filename=$scratch/image" "$there" \
        >>"$scratch/qemu.log" 2>&1 || fail "$1: qemu-img reads something else"
    ok "$1: an image of 64 MiB is written and read back by qemu-img"
}

make_bytes "$scratch/image" $((64 << 20))

start_target
in_client timeout 20 iscsi-ls -s "iscsi://$portal" >"$scratch/ls.log" 2>&1 || fail "iscsi-ls"
grep -q "Target:$iqn Portal:$portal,1" "$scratch/ls.log" || fail "iscsi-ls sees another target"
grep -q 'Lun:1 *Type:DIRECT_ACCESS' "$scratch/ls.log" || fail "iscsi-ls sees no disk"
ok "iscsi-ls finds the target, its portal and its disk by SendTargets"
in_client timeout 20 iscsi-inq -e 1 -c 131 "$disk" >"$scratch/inq.log" 2>&1 || fail "iscsi-inq"
grep -q "Designator:.*$iqn" "$scratch/inq.log" || grep -q 'NAA' "$scratch/inq.log" ||
    fail "iscsi-inq sees no name of the disk"
ok "iscsi-inq reads the names of the disk"
copies_and_compares "memory"

start_target --buffers --insist-r2t --digests
copies_and_compares "buffers, R2T for all, header digests" header-digest=crc32c
start_target --buffers --block-bytes=4096
copies_and_compares "blocks of 4096 bytes"

start_target --chap=me:boot-secret-0123 --mutual=target:another-secret-9
in_client timeout 20 iscsi-inq "iscsi://me%boot-secret-0123@$portal/$iqn/1" \
    >"$scratch/chap.log" 2>&1 || fail "CHAP with the right secret"
in_client timeout 20 iscsi-inq "iscsi://me%another-secret-0@$portal/$iqn/1" \
    >>"$scratch/chap.log" 2>&1 && fail "CHAP lets a wrong secret in"
in_client timeout 20 iscsi-inq "$disk" >>"$scratch/chap.log" 2>&1 && fail "no CHAP, and let in"
ok "CHAP lets the right secret in, and neither a wrong one nor none"
in_client timeout 20 iscsi-inq \
    "iscsi://me%boot-secret-0123@$portal/$iqn/1?target_user=target&target_password=another-secret-9" \
    >>"$scratch/chap.log" 2>&1 || fail "mutual CHAP"
ok "mutual CHAP convinces libiscsi"

# The suite's own mistake: iSCSIDataSnInvalid counts on a write without the login's ImmediateData after its own
# reconnection.
for mode in "" --buffers; do
    start_target $mode
    run_suite "${mode:-memory}" -d -t ALL "$disk"
    suite_is_good "${mode:-memory}" iSCSIdatasn/iSCSIDataSnInvalid
    ok "libiscsi's suite ${mode:-memory}: $(suite_results passed | wc -l) tests pass"
    is_alive target || fail "the target died"
done
pass
