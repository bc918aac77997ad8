#!/bin/bash
# A class on one image: four machines and sixteen clients boot at once and write different data; the image is updated
# while they run, they are reset, and one commits a version. The versions stay what they were, byte for byte.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/../vm/takeover.sh"
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
machines=(1 2 3 4)
mapfile -t clients < <(seq -w 16)
images=$scratch/state/images
part_mib=8 # where each of them writes 4 MiB, all at the same place
pattern='BEGIN { for (i = 0; i < 65536; i++) printf "%-40s %22d\n", who, i }' # of a machine

make_guest_net
for n in "${machines[@]}"; do
    in_server ip tuntap add "tap$n" mode tap
    bridge_port "tap$n"
done
for n in "${clients[@]}"; do
    make_namespace "lb-c$n-$$"
    more_ns+=("lb-c$n-$$")
    join "$server_ns" "vs$n" "lb-c$n-$$" vc0
    ip -n "lb-c$n-$$" link set vc0 address "02:00:00:00:00:$n"
    bridge_port "vs$n"
    mkdir -p "$scratch/root$n/etc"
done

# Those with an even number keep what they write, the others drop it at each boot.
writes_of() { if [ $((10#$1 % 2)) = 0 ]; then echo keep; else echo drop; fi; }
{
    printf '%s\n' 'interface = br0' 'image = class' 'writes = drop' "files = $scratch/files" 'dhcp = server' \
        'dhcp-range = 192.0.2.100-192.0.2.199' "overlays = $scratch/overlays" 'unknown = ignore'
    for n in "${machines[@]}"; do
        printf '%s\n' "[machine vm$n]" "mac = 52:54:00:00:00:0$n" "writes = $(writes_of "$n")"
    done
    for n in "${clients[@]}"; do
        printf '%s\n' "[machine c$n]" "mac = 02:00:00:00:00:$n" "writes = $(writes_of "$n")"
    done
} >"$scratch/lunbootd.conf"
mkdir "$scratch/files"
make_bytes "$scratch/base.img" $((32 << 20)) 1
make_bytes "$scratch/new.img" $((32 << 20)) 2
spawn lunbootd ip netns exec "$server_ns" "$lunbootd" --config="$scratch/lunbootd.conf" --state="$scratch/state"
wait_log lunbootd 'gives addresses'
ctl image add "$scratch/base.img" class

# The machines. Each waits for files of lunbootd's HTTP server, so that all of them write at one time.
cat >"$scratch/steps" <<STEPS
machine=\$(sed 's/.*machine=\([^ ]*\).*/\1/' /proc/cmdline)
round=\$(sed 's/.*round=\([^ ]*\).*/\1/' /proc/cmdline)
boot ${as_firmware[*]}
await() { until wget -q -O /tmp/word http://$server_ip/\$1-\$round 2>/dev/null; do sleep 1; done; }
hash() { echo 3 >/proc/sys/vm/drop_caches; sha256sum <\$device | cut -d' ' -f1; }
echo "GUEST-FINDS: \$(hash)"
await write
awk -v who="machine \$machine, round \$round" '$pattern' >/tmp/mine
dd if=/tmp/mine of=\$device bs=256k seek=$((part_mib * 4)) conv=fsync 2>/dev/null || die "dd"
echo "GUEST-HAS: \$(hash)"
await look
echo "GUEST-KEEPS: \$(hash)"
echo "GUEST-ERRORS: \$(dmesg | grep -c 'I/O error')."
await off
STEPS
# switch_on MACHINE ROUND
switch_on() {
    guest=vm$1
    start_guest "$server_ns" "machine=$1 round=$2" -uuid "564d4173-0000-4173-8000-52540000000$1" \
        -netdev "tap,id=n0,ifname=tap$1,script=no,downscript=no" \
        -device "virtio-net-pci,netdev=n0,romfile=,mac=52:54:00:00:00:0$1"
}
# all_say WORD SECONDS: every machine
all_say() {
    for n in "${machines[@]}"; do
        guest=vm$n
        wait_guest "$1|GUEST-FAILED|Kernel panic" "$2"
        ! grep -qE 'GUEST-FAILED|Kernel panic' "$scratch/vm$n-console.log" || fail "machine $n failed"
    done
}
# vm_told MACHINE WORD: what stands behind it on its console
vm_told() { tr -d '\r' <"$scratch/vm$1-console.log" | sed -n "s/^$2: //p"; }
# with_data FILE MACHINE ROUND OUT: FILE with what that machine writes in that round
with_data() {
    cp "$1" "$4"
    awk -v who="machine $2, round $3" "$pattern" |
        dd of="$4" bs=1M seek=$part_mib iflag=fullblock conv=notrunc status=none
}
# switch_off MACHINE...: once they are off, their sessions are ended: no machine says good-bye.
switch_off() {
    for n; do
        wait_for 60 "the end of machine $n" has_ended "vm$n"
        ctl eject "vm$n"
    done
}
has_ended() { ! is_alive "$1"; }

# client NUMBER WORD [SEED]: as a process of its own; its log ends with CLIENT-OK. boot: sets its Root Path. fresh:
# all that it sees is the file SEED. write, has: the pattern of that seed. kept: the disk is @1 around the pattern.
client() {
    local n=$1 ns=lb-c$1-$$ rootpath part=$((part_mib << 20))
    local path=$scratch/rootpath$n
    case $2 in
    boot)
        boot_client "$ns" "$n"
        ;;
    fresh | around)
        ip netns exec "$ns" "$lunboot" read --rootpath="$(cat "$path")" --output="$scratch/seen$n.img"
        if [ "$2" = around ]; then
            cmp -n "$part" "$scratch/seen$n.img" "$3"
            cmp -i $((part + 4194304)) "$scratch/seen$n.img" "$3"
        else
            cmp "$scratch/seen$n.img" "$3"
        fi
        rm "$scratch/seen$n.img"
        ;;
    write)
        ip netns exec "$ns" "$exercise" --rootpath="$(cat "$path")" --write-verify=4194304 --offset=$part \
            --seed="$3"
        ;;
    has)
        ip netns exec "$ns" "$exercise" --rootpath="$(cat "$path")" --write-verify=4194304 --offset=$part \
            --seed="$3" --verify-only
        ;;
    esac
    echo CLIENT-OK
}
# all_clients WORD ARGUMENT: at once, and they go on while the script does
all_clients() {
    local argument=${2:-}
    for n in "${clients[@]}"; do spawn "client$n" client "$n" "$1" "${argument/NUMBER/$n}"; done
}
# clients_end WHAT: all of them, and well
clients_end() {
    for n in "${clients[@]}"; do
        wait_for 90 "the end of client $n" has_ended "client$n"
        grep -q CLIENT-OK "$scratch/client$n.log" || fail "client $n: $1"
    done
    ok "$1"
}
# version_is NUMBER FILE WHAT
version_is() {
    cmp "$images/class@$1" "$2" || fail "class@$1 has changed: $3"
    ok "$3"
}

# All at once, from one image.
mkdir -p "$scratch/initramfs-extra/bin"
cp "$lunboot" "$scratch/initramfs-extra/bin/lunboot"
cp "$scratch/steps" "$scratch/initramfs-extra/steps"
make_initramfs "$scratch/initramfs.gz" "$top/tests/vm/takeover/init" "${guest_modules[@]}"
for n in "${machines[@]}"; do switch_on "$n" 1; done
all_say GUEST-FINDS 240
base=$(sha256 "$scratch/base.img")
for n in "${machines[@]}"; do
    [ "$(vm_told "$n" GUEST-FINDS)" = "$base" ] || fail "machine $n finds another disk"
done
ok "four machines boot from one image, and see it"
all_clients boot
clients_end "sixteen clients boot from it beside them"
touch "$scratch/files/write-1"
all_clients write 1NUMBER
all_say GUEST-HAS 120
for n in "${machines[@]}"; do
    with_data "$scratch/base.img" "$n" 1 "$scratch/vm$n.img"
    [ "$(vm_told "$n" GUEST-HAS)" = "$(sha256 "$scratch/vm$n.img")" ] || fail "machine $n has another disk"
done
ok "each machine has what it wrote on the image, and nothing of the others"
clients_end "each client reads what it wrote, all at the same place"
version_is 1 "$scratch/base.img" "the image is byte for byte what it was"

# Updated, while all of them run.
ctl image update "$scratch/new.img" class
ctl image list
ctl_says '^class@1 +32\.0 MiB +20$' "all twenty have the first version"
touch "$scratch/files/look-1"
all_clients has 1NUMBER
all_say GUEST-ERRORS 120
for n in "${machines[@]}"; do
    [ "$(vm_told "$n" GUEST-KEEPS)" = "$(sha256 "$scratch/vm$n.img")" ] || fail "machine $n: the update has changed it"
    [ "$(vm_told "$n" GUEST-ERRORS)" = 0. ] || fail "machine $n had I/O errors"
done
ok "after an update the machines have their disks as before, without an I/O error"
clients_end "and so have the clients"
all_clients around "$scratch/base.img"
clients_end "whose disks are the first version everywhere else"
version_is 1 "$scratch/base.img" "the first version is byte for byte what it was"
version_is 2 "$scratch/new.img" "the second is the file"

# Reset: those that keep are reset by hand, the others by their next boot; machine 4 stays as it is.
touch "$scratch/files/off-1"
switch_off "${machines[@]}"
ctl reset vm2
for n in "${clients[@]}"; do [ "$(writes_of "$n")" = drop ] || ctl reset "c$n"; done
all_clients boot
clients_end "all clients boot again"
all_clients fresh "$scratch/new.img"
clients_end "and see the second version, and nothing of what they wrote"
ctl maintain vm1
for n in "${machines[@]}"; do switch_on "$n" 2; done
all_say GUEST-FINDS 240
for n in 1 2 3; do
    [ "$(vm_told "$n" GUEST-FINDS)" = "$(sha256 "$scratch/new.img")" ] || fail "machine $n finds another disk"
done
ok "three machines see the second version"
[ "$(vm_told 4 GUEST-FINDS)" = "$(sha256 "$scratch/vm4.img")" ] || fail "machine 4 has not kept its disk"
ok "the fourth, which keeps, has the first version and what it wrote"
touch "$scratch/files/write-2"
all_clients write 2NUMBER
all_say GUEST-HAS 120
clients_end "all of them write again"
version_is 1 "$scratch/base.img" "the first version is byte for byte what it was, a machine still on it"

# One is committed, while the clients have the second version.
touch "$scratch/files/look-2" "$scratch/files/off-2"
switch_off "${machines[@]}"
ctl image commit vm1
ctl_says '^class@3$' "machine 1, in maintenance, commits the third version"
with_data "$scratch/new.img" 1 2 "$scratch/third.img"
version_is 3 "$scratch/third.img" "it is what the machine had, byte for byte"
version_is 2 "$scratch/new.img" "the second version is byte for byte what it was"
version_is 1 "$scratch/base.img" "and so is the first"
all_clients has 2NUMBER
clients_end "the clients go on with the second"
ctl reset vm4
for n in "${clients[@]}"; do [ "$(writes_of "$n")" = drop ] || ctl reset "c$n"; done
all_clients boot
clients_end "they boot once more"
all_clients fresh "$scratch/third.img"
clients_end "and see the third version"
[ ! -e "$images/class@1" ] || fail "class@1 is there still"
ok "the first version has gone with its last user"
pass
