#!/bin/bash
# Two sessions, each with a keeper, in a machine with 256 MiB, of which most is in use: the target is
# away while more is written to both disks than memory is left. The keepers do not take each other
# for iscsid, and log in again although there is nothing to be had but by writing to those disks.
# Before that, the target of the first one asks for a logout, and drops the connection.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/takeover.sh"
need tshark tcpdump
make_guest_net
make_bytes "$scratch/one.img" $((128 << 20))
make_bytes "$scratch/two.img" $((128 << 20)) 9
serve_both() {
    serve_bytes "$scratch/one.img"
    tgt_target 2 "$iqn-two"
    tgt_lun 2 1 "$scratch/two.img"
}
serve_both
spawn proxy ip netns exec "$server_ns" python3 "$top/tests/vm/async-proxy.py" "$server_ip" 3261 \
    "$server_ip" 3260 "$scratch/order"
wait_log proxy ready
# says_async "EVENT PARAMETER2 PARAMETER3": the target of the first session.
says_async() {
    echo "$1" >"$scratch/order.new"
    mv "$scratch/order.new" "$scratch/order"
}
serve_dhcp
start_capture "$server_ns" br0 "tcp portrange 3260-3261"
start_client <<STEPS
keep() {
    echo "lunboot.enable=yes lunboot.rootpath=iscsi:$server_ip::\$2:1:\$1" >/tmp/cmdline
    device=\$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline 2>/tmp/err) || die "lunboot: \$(cat /tmp/err)"
}
keep $iqn 3261
one=\$device
keep $iqn-two 3260
two=\$device
# A keeper takes its name a moment after lunboot has ended.
for i in \$(seq 10); do
    keepers=\$(grep -lx lunboot-keeper /proc/[0-9]*/comm)
    [ \$(echo "\$keepers" | wc -l) = 2 ] && break
    sleep 1
done
echo "GUEST-KEEPERS: \$(echo "\$keepers" | wc -l)"
for keeper in \$keepers; do
    of=\${keeper%/comm}
    flags=\$(sed 's/.*) //' \$of/stat | cut -d' ' -f7)
    echo "GUEST-OOM: \$(cat \$of/oom_score_adj)"
    echo "GUEST-NOIO: \$((flags & 0x80000))"
    locked=\$(grep VmLck \$of/status | tr -dc 0-9)
    of=\$(grep VmRSS \$of/status | tr -dc 0-9)
    [ "\$locked" -ge "\$of" ] && echo "GUEST-LOCKED: all"
done
# again COUNT: the first session has been logged in again so many times.
again() {
    for i in \$(seq 60); do
        [ "\$(dmesg | grep -c 'session1: logged in again')" = "\$1" ] && break
        sleep 1
    done
    dd if=\$one bs=64k count=1 iflag=direct of=/dev/null 2>/dev/null || die "read after login \$1"
}
echo "GUEST-FIRST"
again 1
echo "GUEST-SECOND"
again 2
# What is left is less than what is written.
free=\$(grep MemAvailable /proc/meminfo | tr -dc 0-9)
dd if=/dev/zero of=/run/fill bs=1024 count=\$((free - 50000)) 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
echo 60 >/proc/sys/vm/dirty_ratio
echo "GUEST-READY"
until dmesg | grep 'session1: the connection is lost' >/dev/null; do sleep 1; done
(dd if=/dev/zero of=\$one bs=1M count=60 conv=fsync 2>/dev/null && echo "GUEST-WROTE: one") &
(dd if=/dev/zero of=\$two bs=1M count=60 conv=fsync 2>/dev/null && echo "GUEST-WROTE: two") &
sleep 5
echo "GUEST-DIRTY: \$(grep Dirty /proc/meminfo)"
wait
dmesg | grep lunboot:
echo "GUEST-ERRORS: \$(dmesg | grep -c 'I/O error')"
STEPS
wait_guest GUEST-FIRST 240
says_async "1 0 5"
wait_guest GUEST-SECOND 90
says_async "2 3 0"
wait_guest GUEST-READY 90
end tgtd KILL
wait_guest GUEST-DIRTY 120
sleep 15
serve_both
finish_client 300
stop_capture
told 'GUEST-KEEPERS: 2' "each session has a keeper"
[ "$(grep -c 'GUEST-OOM: -1000' "$scratch/console.log")" = 2 ] || fail "a keeper may be ended for memory"
ok "none of them is ended when memory runs out"
[ "$(grep -c 'GUEST-LOCKED: all' "$scratch/console.log")" = 2 ] || fail "memory of a keeper may go"
ok "all of their memory is locked"
[ "$(grep -c 'GUEST-NOIO: 524288' "$scratch/console.log")" = 2 ] || fail "a keeper may wait for a disk"
ok "what the kernel allocates for them does not wait for a disk"
told 'the target asks for a logout within 5 s' "the first keeper hears that its target asks for a logout"
tshark -r "$scratch/capture.pcap" -d tcp.port==3261,iscsi -Y 'iscsi.opcode == 0x06' 2>/dev/null |
    grep -q . || fail "there was no logout"
ok "and logs out"
told 'the target drops the connection; logging in again in 3 s' "it hears that a connection is dropped"
[ "$(grep -c 'session1: logged in again' <(tr -d '\r' <"$scratch/console.log"))" = 3 ] ||
    fail "the first keeper did not log in three times"
ok "the first keeper logged in again, three times"
told 'session2: logged in again' "and so did the second"
told 'GUEST-WROTE: one' "all is written to the first disk"
told 'GUEST-WROTE: two' "and to the second"
told 'GUEST-ERRORS: 0' "and nothing had an I/O error"
pass
