#!/bin/bash
# lunbootd with a disk that does not answer: its machine waits, and nobody else does. Neither another machine, nor
# DHCP, nor lunbootctl; and once it answers, what waited is done. The disk lies on a file system that is frozen.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3 fsfreeze mkfs.ext4 busybox
make_net
give_client_address
truncate -s 32M "$scratch/disk.img"
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

[machine slow]
mac = 02:00:00:00:00:0a
disk = $scratch/fs/slow.img
writes = direct

[machine quick]
mac = 02:00:00:00:00:0b
disk = $scratch/disk.img
writes = direct
CONF
start_lunbootd --config="$scratch/lunbootd.conf"

# disk NAME: a session that writes and reads its block, and says so, for each line of its input.
cat >"$scratch/disk.py" <<'PY'
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from odd_initiator import GOOD, Initiator  # noqa: E402

s = Initiator(sys.argv[2], 3260, "iqn.2026-11.test:t:" + sys.argv[3], name="iqn.2026-11.test:" + sys.argv[3])
s.sock.settimeout(60)
s.log_in()
s.command([0] * 6)
print("logged in", flush=True)
number = 0
while True:
    number += 1
    body = struct.pack("<QQ", number, 7) * 256
    begin = time.monotonic()
    assert s.command(struct.pack(">BBIBHB", 0x2A, 0, 8, 0, 8, 0), body).status == GOOD
    answer = s.command(struct.pack(">BBIBHB", 0x28, 0, 8, 0, 8, 0), read=4096)
    assert answer.status == GOOD and answer.data == body
    print("done %d in %d ms" % (number, 1000 * (time.monotonic() - begin)), flush=True)
    time.sleep(0.05)
PY
for name in slow quick; do
    spawn "$name" ip netns exec "$client_ns" python3 -u "$scratch/disk.py" "$interop" "$server_ip" "$name"
    wait_log "$name" 'done 3 '
done
ok "two machines write and read"

fsfreeze -f "$scratch/fs"
sleep 1
before=$(wc -l <"$scratch/quick.log") stalled=$(wc -l <"$scratch/slow.log")
sleep 3
after=$(wc -l <"$scratch/quick.log")
[ "$(wc -l <"$scratch/slow.log")" = "$stalled" ] || fail "the slow disk is not slow" "$scratch/slow.log"
[ $((after - before)) -ge 10 ] || fail "the other machine waits: $((after - before)) rounds in 3 s" "$scratch/quick.log"
ok "one disk does not answer; the machine on the other thread goes on: $((after - before)) rounds in 3 s"
in_client timeout 10 busybox udhcpc -i vc0 -n -q -t 3 -T 2 -s /bin/true >"$scratch/udhcpc.log" 2>&1 ||
    fail "DHCP waits" "$scratch/udhcpc.log"
ok "DHCP answers"
begin=$(date +%s%N)
ctl list
took_ms=$((($(date +%s%N) - begin) / 1000000))
[ "$took_ms" -lt 1500 ] || fail "lunbootctl takes $took_ms ms"
ctl_says '^slow ' "lunbootctl answers, in $took_ms ms"
ctl_refuses 'slow is running' 'shut it down' reset slow
ctl eject slow
ctl list
ctl_says '^slow ' "ejecting the machine that waits delays nobody"

thaw
lunbootd_says 'dropped by the host' "once the disk answers, its session ends, as it was told to"
end slow
end quick
end lunbootd
pass
