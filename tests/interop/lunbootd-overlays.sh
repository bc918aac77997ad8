#!/bin/bash
# lunbootd: machines write over one disk, each for itself; kept, dropped at each boot, and limited. The disk stays
# as it was, byte for byte.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
need busybox qemu-io
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

# Somebody asks for an address as this machine's firmware would, and does not log in.
in_client timeout 20 busybox udhcpc -n -q -f -i vc0 -s /bin/true -t 3 -V PXEClient:Arch:00007:UNDI:003016 -x 0x5d:0007 \
    -O 17 >"$scratch/udhcpc.log" 2>&1 || fail "udhcpc got no address" "$scratch/udhcpc.log"
lunbootd_says 'is given .*UEFI x64.* disk .*0a\.g2' "a firmware is offered the second boot"
has 43
succeeds "until its first login the boot before goes on, and logs in again"
end lunbootd KILL
start_lunbootd --writes=drop --overlays="$scratch/dropped" "$scratch/disk.img"
has 43
succeeds "also after kill -9"
spawn system ip netns exec "$client_ns" qemu-io -r -f raw -c 'sleep 60000' "iscsi://$server_ip/${old##*:0:}/0"
lunbootd_says 'logged in as iqn.2008-11.org.linux-kvm' "the system of the first boot is logged in"
boots_as $mac_a
[[ $rootpath == *0a.g2 ]] || fail "the loader of the second boot is told another: $rootpath"
reads_the_disk "the second boot begins with the unchanged disk"
run_lunboot probe --rootpath="$old" --attempts=1
[ "$status" != 0 ] || fail "the boot before can still log in"
says target-not-found "the name of the boot before is gone"
"$lunbootctl" --state="$scratch/state" list >"$scratch/ctl.log"
grep -qE '^02-00-00-00-00-0a +off +0 ' "$scratch/ctl.log" || fail "the boot before has sessions" "$scratch/ctl.log"
ok "and so are its sessions"
end system KILL
disk_is_unchanged
writes 48
succeeds "the second boot writes"
end lunbootd KILL
start_lunbootd --writes=drop --overlays="$scratch/dropped" "$scratch/disk.img"
has 48
succeeds "after kill -9 it has its data"

# VPD identity: of the name alone.
identity() { grep -E '^LUNBOOT_(SERIAL|DISK_ID)=' "$scratch/out.log"; }
boots_as $mac_a "${as_firmware[@]}"
[[ $rootpath == *0a.g3 ]] || fail "the third boot is not .g3: $rootpath"
identity >"$scratch/identity.3"
boots_as $mac_a "${as_firmware[@]}"
[[ $rootpath == *0a.g4 ]] || fail "the fourth boot is not .g4: $rootpath"
identity >"$scratch/identity.4"
cmp "$scratch/identity.3" "$scratch/identity.4" || fail "a boot changes the disk's identity"
[ -s "$scratch/identity.3" ] || fail "there is no identity"
ok "each boot sees the same serial number and NAA identifier"
disk_is_unchanged
end lunbootd

# Limited: 2 MiB.
start_lunbootd --writes=keep --overlay-limit=2 --overlays="$scratch/limited" "$scratch/disk.img"
boots_as $mac_a
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=44
succeeds "1 MiB of 2 can be written"
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=4194304 --offset=16777216 --seed=45
[ "$status" != 0 ] || fail "4 MiB went into 2"
lunbootd_says 'has written [0-9.]+ MiB of the 2.0 MiB it may write' "that it is nearly full is told"
lunbootd_says 'there is no room for what it writes' "that it is full is told"
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=46
succeeds "what was written before can be rewritten"
boots_as $mac_b
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed=47
succeeds "the other machine has its own room"
disk_is_unchanged
end lunbootd
pass
