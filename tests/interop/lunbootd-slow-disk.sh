#!/bin/bash
# lunbootd with a disk that does not answer: its machine waits, and nobody else does. Neither another machine, nor
# DHCP, nor lunbootctl; and once it answers, what waited is done. So it is with the folder of overlays, when the first
# login of a boot opens one there, or when one is reset. All lie on a file system that is frozen.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3 fsfreeze mkfs.ext4 busybox
make_net
give_client_address
truncate -s 32M "$scratch/disk.img" "$scratch/base.img"
truncate -s 64M "$scratch/fs.img"
mkfs.ext4 -q "$scratch/fs.img"
mkdir "$scratch/fs"
mount -o loop "$scratch/fs.img" "$scratch/fs" 2>"$scratch/mount.log" || skip "no file system can be mounted here"
thaw() { fsfreeze -u "$scratch/fs" 2>/dev/null || true; }
# Also after a failure: who is frozen cannot be ended.
leave_fs() {
    local code=$?
    trap - ERR
    set +e
    thaw
    end lunbootd
    umount -l "$scratch/fs" 2>/dev/null
    (exit "$code")
    clean_up
}
trap leave_fs EXIT
truncate -s 32M "$scratch/fs/slow.img"
head -c 16M /dev/zero | dd of="$scratch/fs/slow.img" conv=notrunc status=none

cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
dhcp = server
dhcp-range = 192.0.2.100-192.0.2.110
isns = off
slp = off
state = $scratch/state
target = iqn.2026-11.test:t
unknown = ignore
threads = 2
overlays = $scratch/fs/overlays

[machine slow]
mac = 02:00:00:00:00:0a
disk = $scratch/fs/slow.img
writes = direct

[machine quick]
mac = 02:00:00:00:00:0b
disk = $scratch/disk.img
writes = direct

[machine late]
mac = 02:00:00:00:00:0c
disk = $scratch/base.img
writes = keep

[machine old]
mac = 02:00:00:00:00:0d
disk = $scratch/base.img
writes = keep
CONF
start_lunbootd --config="$scratch/lunbootd.conf"

ctl_in_time() {
    local begin took_ms
    begin=$(date +%s%N)
    ctl list
    took_ms=$((($(date +%s%N) - begin) / 1000000))
    [ "$took_ms" -lt 1500 ] || fail "lunbootctl takes $took_ms ms"
}

for name in slow quick; do
    rounds "$name"
    wait_log "$name" 'done 3 '
done
ok "two machines write and read"

fsfreeze -f "$scratch/fs"
sleep 1
stalled=$(wc -l <"$scratch/slow.log")
quick_goes_on "one disk does not answer; another machine goes on"
[ "$(wc -l <"$scratch/slow.log")" = "$stalled" ] || fail "the slow disk is not slow" "$scratch/slow.log"
in_client timeout 10 busybox udhcpc -i vc0 -n -q -t 3 -T 2 -s /bin/true >"$scratch/udhcpc.log" 2>&1 ||
    fail "DHCP waits" "$scratch/udhcpc.log"
ok "DHCP answers"
ctl_in_time
ctl_says '^slow ' "lunbootctl answers"
ctl_refuses 'slow is running' 'shut it down' reset slow
ctl eject slow
ctl list
ctl_says '^slow ' "ejecting the machine that waits delays nobody"

rounds late
wait_log lunbootd 'logged in as iqn.2026-11.test:late'
quick_goes_on "an overlay is opened where no disk answers; another machine goes on"
ctl_in_time
ctl_says '^late +192.0.2.50 ' "lunbootctl answers, and knows of it"
ctl_refuses 'late is running' 'shut it down' reset late
"$lunbootctl" --state="$scratch/state" reset old >"$scratch/reset.log" 2>&1 &
sleep 1
quick_goes_on "another overlay is reset there; the machine goes on"
grep -q 'is reset' "$scratch/lunbootd.log" && fail "a reset did not wait for its disk" "$scratch/lunbootd.log"

thaw
lunbootd_says 'dropped by the host' "once the disk answers, its session ends, as it was told to"
wait_log late 'done 3 '
ok "the overlay is open, and its machine writes and reads"
lunbootd_says 'old .*is reset' "the other is reset"
end late
end slow
end quick
end lunbootd
pass
