#!/bin/bash
# Images of lunbootd: versions that nobody changes, an update while machines run, a maintenance boot and its commit,
# and kill -9 in the middle of a commit.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
need qemu-io qemu-img
make_net
make_gpt_disk "$scratch/disk.img"
cp --sparse=always "$scratch/disk.img" "$scratch/old.img"
cp --sparse=always "$scratch/disk.img" "$scratch/new.img"
make_bytes "$scratch/part" 1048576 9
dd if="$scratch/part" of="$scratch/new.img" bs=1M seek=30 conv=notrunc status=none
truncate -s +1M "$scratch/new.img"
mac_a=02:00:00:00:00:0a
mac_b=02:00:00:00:00:0b
images=$scratch/state/images

# boots MAC [KEYS...]: as a firmware does: sets $rootpath.
boots() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1 "${as_firmware[@]}"
    rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
    [ -z "$rootpath" ] || give_client_address "192.0.2.$((RANDOM % 100 + 100))"
}
writes() {
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=4194304 --offset=8388608 --seed="$1" "${@:2}"
}
has() { writes "$1" --verify-only; }
# disk_is FILE WHAT: all that the machine sees.
disk_is() {
    in_client qemu-img convert -O raw "iscsi://$server_ip/${rootpath##*:0:}/0" "$scratch/seen.img"
    cmp "$scratch/seen.img" "$1" || fail "$2: the disk is another"
    ok "$2"
}
start() { start_lunbootd --image=debian --writes=drop; }

spawn lunbootd ip netns exec "$server_ns" "$lunbootd" --interface=vs0 --state="$scratch/state" --image=debian \
    --writes=drop
wait_log lunbootd 'gives addresses'
boots $mac_a
[ -z "$rootpath" ] || fail "without an image there is a disk: $rootpath"
lunbootd_says 'gets no disk: there is no image debian' "that there is no image is told"

# Added.
ctl image add "$scratch/disk.img" debian
ctl_says '^debian@1$' "the first version is made"
cmp "$images/debian@1" "$scratch/old.img" || fail "debian@1 is not the disk"
[ "$(stat -c %a "$images/debian@1")" = 444 ] || fail "debian@1 can be written"
used=$(du -k "$images/debian@1" | cut -f1)
[ "$used" -lt 20000 ] || fail "debian@1 takes $used KiB: its holes are filled"
ok "it is the disk, byte for byte, with its holes, and read only"
boots $mac_a
[[ $rootpath == *:iqn.2026-11.org.lunboot:debian:02-00-00-00-00-0a.g1 ]] || fail "the Root Path is $rootpath"
disk_is "$scratch/old.img" "a machine boots from it"
writes 51
succeeds "and writes"
root_a=$rootpath

# Updated, while it runs.
spawn system ip netns exec "$client_ns" qemu-io -r -f raw -c 'sleep 600000' "iscsi://$server_ip/${root_a##*:0:}/0"
lunbootd_says 'logged in as iqn.2008-11.org.linux-kvm' "a system runs on debian@1"
ctl image update "$scratch/new.img" debian
ctl_says '^debian@2$' "the second version is made"
ctl image list
ctl_says '^debian@1 +3[67]\.[0-9] MiB +1$' "one machine has the first"
ctl_says '^debian@2 +3[78]\.[0-9] MiB +0  newest$' "and nobody the second yet"
has 51
succeeds "the machine that runs has its data"
end system KILL
boots $mac_b
disk_is "$scratch/new.img" "a machine that boots now has the second version"
end lunbootd KILL
start
rootpath=$root_a
has 51
succeeds "after kill -9 the first goes on with the first version"
boots $mac_a
disk_is "$scratch/new.img" "its next boot has the second, which is larger"
lunbootd_says 'debian@1 is removed: no machine has it any more' "the last user frees the first"
[ ! -e "$images/debian@1" ] || fail "debian@1 is there still"

# Maintained.
ctl_refuses '02-00-00-00-00-0a drops what it writes' 'lunbootctl maintain' image commit $mac_a
ctl maintain $mac_a
ctl_refuses 'has not booted since' 'boot it' image commit $mac_a
boots $mac_a
writes 52
succeeds "a maintenance boot writes"
ctl show $mac_a
ctl_says 'in maintenance' "it is shown"
boots $mac_a
has 52
succeeds "a second one finds it"
end lunbootd KILL
start
boots $mac_a
has 52
succeeds "and a third, after kill -9"
spawn system ip netns exec "$client_ns" qemu-io -r -f raw -c 'sleep 600000' "iscsi://$server_ip/${rootpath##*:0:}/0"
lunbootd_says 'logged in as iqn.2008-11.org.linux-kvm' "it runs"
ctl_refuses '02-00-00-00-00-0a is running' 'shut it down' image commit $mac_a
end system KILL
in_client qemu-img convert -O raw "iscsi://$server_ip/${rootpath##*:0:}/0" "$scratch/third.img"
ctl image commit $mac_a
ctl_says '^debian@3$' "the third version is made of it"
cmp "$images/debian@3" "$scratch/third.img" || fail "debian@3 is not what the machine saw"
ok "it is what the machine saw, byte for byte"
cmp "$images/debian@2" "$scratch/new.img" || fail "the commit has changed debian@2"
ok "the second version is what it was"
boots $mac_b
has 52
succeeds "another machine has it at its next boot"
boots $mac_a
writes 53
boots $mac_a
has 53
[ "$status" != 0 ] || fail "after its commit the machine keeps what it writes"
has 52
succeeds "the maintenance has ended: the machine drops what it writes again"

# Killed while a version is made.
for round in 1 2 3 4 5 6; do
    number=$((round + 3))
    ctl maintain $mac_a
    boots $mac_a
    writes "6$round"
    succeeds "round $round: a maintenance boot writes"
    in_client qemu-img convert -O raw "iscsi://$server_ip/${rootpath##*:0:}/0" "$scratch/seen.img"
    "$lunbootctl" --state="$scratch/state" image commit $mac_a >"$scratch/ctl.log" 2>&1 &
    sleep "0.0$((round * 2 - 2))"
    end lunbootd KILL
    wait $! 2>/dev/null || true
    start
    if [ ! -e "$images/debian@$number" ]; then
        ctl show $mac_a
        # Killed before it was asked: ask again. Else it goes on by itself.
        for _ in $(seq 50); do
            [ -e "$images/debian@$number" ] && break
            grep -q 'had ended before' "$scratch/lunbootd.log" || "$lunbootctl" --state="$scratch/state" image commit \
                $mac_a >"$scratch/ctl.log" 2>&1 || true
            sleep 0.1
        done
    fi
    cmp "$images/debian@$number" "$scratch/seen.img" || fail "round $round: debian@$number is not whole"
    [ -z "$(find "$images" -name '.*.new')" ] || fail "round $round: something is left half made"
    for _ in $(seq 50); do
        ctl show $mac_a
        grep -q 'in maintenance\|until its next boot' "$scratch/ctl.log" || break
        sleep 0.1
    done
    boots $mac_b
    has "6$round"
    succeeds "round $round: after kill -9 in the middle the version is whole, and new boots have it"
done

# Another format.
qemu-img convert -O qcow2 "$scratch/new.img" "$scratch/Other System.qcow2"
ctl --json image add "$scratch/Other System.qcow2"
ctl_says '^\{"image":"other-system","version":1\}$' "with --json, a qcow2 becomes a version, named after its file"
cmp "$images/other-system@1" "$scratch/new.img" || fail "other-system@1 is another disk"
[ -z "$(find "$images" -name '.*')" ] || fail "something is left of it"
ok "it is the disk that was in it, byte for byte"
cp "$scratch/Other System.qcow2" "$scratch/debian:13.qcow2"
ctl image add "$scratch/debian:13.qcow2"
ctl_says '^debian-13@1$' "so does one whose name looks like a protocol of qemu-img's"
cmp "$images/debian-13@1" "$scratch/new.img" || fail "debian-13@1 is another disk"

# Whoever makes a disk of several files chooses the others: they may be any of the server's.
make_bytes "$scratch/secret" 65536 7
qemu-img create -q -f qcow2 -b "$scratch/secret" -F raw "$scratch/backing.qcow2" 1M
qemu-img create -q -f qcow2 -o "data_file=$scratch/data,data_file_raw=on" "$scratch/outer.qcow2" 65536
qemu-img create -q -f vmdk "$scratch/parent.vmdk" 1M
qemu-img create -q -f vmdk -b "$scratch/parent.vmdk" -F vmdk "$scratch/child.vmdk"
printf 'KDMV\1\0\0\0%20s\1\0\0\0' '' | tr ' ' '\0' >"$scratch/flat.vmdk"
truncate -s 512 "$scratch/flat.vmdk"
printf '# Disk DescriptorFile\ncreateType="monolithicFlat"\nRW 128 FLAT "%s" 0\n' "$scratch/secret" \
    >>"$scratch/flat.vmdk"
truncate -s 16384 "$scratch/flat.vmdk"
ctl_refuses 'not whole in this file: it has a backing file' 'all its files' image add "$scratch/backing.qcow2"
ctl_refuses 'not whole in this file: it has an external data file' 'all its files' image add "$scratch/outer.qcow2"
ctl_refuses 'not whole in this file: it has a parent disk' 'all its files' image add "$scratch/child.vmdk"
ctl_refuses 'not whole in this file: it has files of its own' 'all its files' image add "$scratch/flat.vmdk"
for name in backing outer child flat; do
    [ ! -e "$images/$name@1" ] || fail "$name.* was taken"
done
ok "no file of the server comes into an image with another's disk"
ctl image remove debian-13@1

# Removed.
ctl_refuses 'debian@[0-9]+ is in use: [1-9] machines? ha(s|ve) it' 'lunbootctl reset' image remove debian
ctl image update "$scratch/new.img" debian
newest=$(sed -n 's/^debian@//p' "$scratch/ctl.log")
ctl image remove debian
[ ! -e "$images/debian@$newest" ] || fail "debian@$newest is there still"
ctl image list
ctl_says "^debian@$((newest - 1)) .*newest$" "the newest version is removed, and the one before it is the newest again"
ctl image remove other-system@1
ctl image list
! grep -q other-system "$scratch/ctl.log" || fail "other-system is listed still"
ok "an image that no machine has is removed"
ctl_refuses 'there is no image other-system@1' 'image list' image remove other-system@1

# What goes wrong.
ctl_refuses 'there is an image debian already' 'image update' image add "$scratch/new.img" debian
ctl_refuses 'there is no image arch' 'image add' image update "$scratch/new.img" arch
ctl_refuses 'the file cannot be opened: No such file' 'path' image add "$scratch/none.img"
ctl_refuses "the image's name cannot be used" 'small letters' image add "$scratch/new.img" 'A@1'
ctl_refuses 'neither a file nor a block device' 'raw image' image add "$scratch" folder
: >"$scratch/empty.img"
gzip <"$scratch/new.img" >"$scratch/packed.img"
ctl_refuses 'no raw disk: gzip has compressed it' 'unpack it' image add "$scratch/packed.img" packed
ctl_refuses 'the file is empty' 'a system' image add "$scratch/empty.img"
end lunbootd
lunbootd_refuses "an image that is written directly" 'is never written, and writes is direct' 'writes = drop' \
    --interface=vs0 --image=debian
lunbootd_refuses "an image and a disk" 'disk and image are both given' 'one of the two' --interface=vs0 \
    --writes=drop --image=debian "$scratch/new.img"
lunbootd_refuses "a version in place of an image" 'image cannot be' 'without the number' \
    --interface=vs0 --image=debian@1
pass
