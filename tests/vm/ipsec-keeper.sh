#!/bin/bash
# What keeps the kernel's ESP when lunboot has ended: its IKE process answers strongSwan, which renews keys, and
# negotiates anew when strongSwan has restarted. When it and the session's keeper are killed, I/O goes on. No packet of
# the target's port is ever in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump
start_ipsec_lio 15
rootpath="iscsi:192.0.2.1:::1:iqn.2026-11.test:lio-plain"
serve_dhcp
give_client_keys
start_capture "$server_ns" br0 -s 96 -B 32768
start_client <<'STEPS'
echo 'lunboot.enable=yes lunboot.ping-interval=2s' >/tmp/cmdline
device=$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline 2>/tmp/err) || die "lunboot: $(cat /tmp/err)"
processes() {
    cat /proc/[0-9]*/comm | grep -x "$1"
}
write() {
    dd if=/dev/zero of=$device bs=64k seek=$1 count=8 conv=fsync 2>/dev/null || die "write $1"
}
# until COUNT PATTERN: the kernel's log has it so often.
until_log() {
    for i in $(seq 120); do
        [ "$(dmesg | grep -c "$2")" -ge "$1" ] && return
        sleep 1
    done
    die "the log never had $1 times: $2"
}
echo "GUEST-KEEPERS: $(processes lunboot-keeper) $(processes lunboot-ike)"
write 0
until_log 2 'new keys'
write 8
echo "GUEST-REKEYED: $(session state), $(dmesg | grep -c 'detected conn error') errors"
echo GUEST-RESTART
until_log 1 'the association is back'
write 16
echo "GUEST-BACK: $(session state)"
kill -9 $(grep -lxE 'lunboot-(ike|keeper)' /proc/[0-9]*/comm | cut -d/ -f3)
sleep 1
echo "GUEST-KILLED: $(processes lunboot-keeper)$(processes lunboot-ike)"
write 24
echo "GUEST-SHA: $(dd if=$device bs=64k iflag=direct 2>/dev/null | sha256sum)"
dmesg | grep 'lunboot:'
STEPS
wait_guest GUEST-RESTART 240
restart_strongswan
finish_client 300
stop_capture
make_bytes "$scratch/expected.img" $((8 << 20)) 9
dd if=/dev/zero of="$scratch/expected.img" bs=64k count=32 conv=notrunc status=none
told 'GUEST-KEEPERS: lunboot-keeper lunboot-ike' "two processes stay when lunboot has ended"
told 'GUEST-REKEYED: LOGGED_IN, 0 errors' "strongSwan renews the keys, and the session does not notice"
told 'GUEST-BACK: LOGGED_IN' "strongSwan restarts, and the association is made anew"
told 'GUEST-KILLED: *$' "both processes are killed"
told "GUEST-SHA: $(sha256 "$scratch/expected.img")" "I/O goes on without them, and all was written"
[ "$(clear_packets)" = 0 ] || fail "packets in clear: $(clear_packets)"
[ "$(esp_packets)" -gt 500 ] || fail "few packets of ESP: $(esp_packets)"
ok "0 packets in clear, $(esp_packets) of ESP"
pass
