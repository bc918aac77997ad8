#!/bin/bash
# lunbootd: machines write over one disk, each for itself; kept, dropped at each boot, and limited. The disk stays
# as it was, byte for byte.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
make_net
make_gpt_disk "$scratch/disk.img"
cp --sparse=always "$scratch/disk.img" "$scratch/before.img"
mac_a=02:00:00:00:00:0a
mac_b=02:00:00:00:00:0b

# be MAC: the client's card is this one from here on.
be() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    ip -n "$client_ns" link set vc0 up
}

# ask [KEYS...]: what DHCP says the disk is: sets $rootpath.
ask() {
    ip -n "$client_ns" addr flush dev vc0
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1 "$@"
    succeeds "$mac asks for its disk"
    rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
    [ -n "$rootpath" ] || fail "there is no Root Path"
    give_client_address "192.0.2.$((RANDOM % 100 + 100))"
}

# boots_as MAC [KEYS...]: sets $mac and $rootpath.
boots_as() {
    mac=$1
    be "$mac"
    ask "${@:2}"
}

as_firmware=(--vendor-class=PXEClient:Arch:00007:UNDI:003016 --client-arch=7)
# writes SEED, has SEED: 4 MiB at 8 MiB.
writes() {
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=4194304 --offset=8388608 \
        --seed="$1" "${@:2}"
}
has() { writes "$1" --verify-only; }

disk_is_unchanged() {
    cmp "$scratch/disk.img" "$scratch/before.img" || fail "the disk was written"
    ok "the disk is what it was, byte for byte"
}

# Kept.
start_lunbootd --writes=keep --overlays="$scratch/kept" "$scratch/disk.img"
boots_as $mac_a
[[ $rootpath == *:iqn.2026-11.org.lunboot:disk:02-00-00-00-00-0a ]] || fail "the Root Path is $rootpath"
ok "each machine has a target of its own"
rootpath_a=$rootpath
reads_the_disk "what was never written is the disk's"
writes 41
succeeds "machine A writes and reads back"
boots_as $mac_b
reads_the_disk "machine B sees nothing of it"
writes 42
succeeds "machine B writes"
rootpath_b=$rootpath
rootpath=$rootpath_a
has 41
succeeds "A's bytes are A's still"
disk_is_unchanged
end lunbootd KILL
start_lunbootd --writes=keep --overlays="$scratch/kept" "$scratch/disk.img"
has 41
succeeds "after kill -9 A logs in without DHCP, and what it flushed is there"
rootpath=$rootpath_b
has 42
succeeds "and B's, too"
used_kb=$(du -sk "$scratch/kept/02-00-00-00-00-0a" | cut -f1)
[ "$used_kb" -lt 4400 ] || fail "4 MiB take $used_kb KiB"
ok "4 MiB written take $used_kb KiB"
end lunbootd
touch "$scratch/disk.img"
start_lunbootd --writes=keep --overlays="$scratch/kept" "$scratch/disk.img"
has 42
[ "$status" != 0 ] || fail "an overlay was used over another disk"
lunbootd_says "gets no disk: $scratch/disk.img has changed since 02-00-00-00-00-0b began .*remove .*kept/02-00" \
    "an overlay is not used over a disk that has changed"
end lunbootd

# Dropped at each boot.
start_lunbootd --writes=drop --overlays="$scratch/dropped" "$scratch/disk.img"
boots_as $mac_a "${as_firmware[@]}"
[[ $rootpath == *0a.g1 ]] || fail "the first boot is not .g1: $rootpath"
writes 43
succeeds "the first boot writes"
ask # as an initramfs does
[[ $rootpath == *0a.g1 ]] || fail "an initramfs is told another boot: $rootpath"
has 43
succeeds "the initramfs of that boot finds it"
end lunbootd KILL
start_lunbootd --writes=drop --overlays="$scratch/dropped" "$scratch/disk.img"
has 43
succeeds "and so does a system that runs while lunbootd is killed and started again"
old=$rootpath
boots_as $mac_a "${as_firmware[@]}"
[[ $rootpath == *0a.g2 ]] || fail "the second boot is not .g2: $rootpath"
reads_the_disk "the second boot begins with the unchanged disk"
rootpath=$old run_lunboot probe --rootpath="$old" --attempts=1
[ "$status" != 0 ] || fail "the boot before can still log in"
says target-not-found "the name of the boot before is gone"
disk_is_unchanged
end lunbootd

# Limited: 2 MiB.
start_lunbootd --writes=keep --overlay-limit=2 --overlays="$scratch/limited" "$scratch/disk.img"
boots_as $mac_a
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=44
succeeds "1 MiB of 2 can be written"
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=4194304 --offset=16777216 --seed=45
[ "$status" != 0 ] || fail "4 MiB went into 2"
lunbootd_says 'has written [0-9.]+ MB of the 2.0 MB it may write' "that it is nearly full is told"
lunbootd_says 'there is no room for what it writes' "that it is full is told"
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=46
succeeds "what was written before can be rewritten"
boots_as $mac_b
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=47
succeeds "the other machine has its own room"
disk_is_unchanged
end lunbootd
pass
