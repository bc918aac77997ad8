#!/bin/bash
# What keeps the kernel's ESP when lunboot has ended: its IKE process answers strongSwan, which renews keys, and
# negotiates anew when strongSwan has restarted; it steps aside for a daemon. Killed, it comes back. When all of its
# processes and the session's keeper are killed, I/O goes on. No packet to the target's port is ever in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump
start_ipsec_lio 15
rootpath="iscsi:192.0.2.1:::1:iqn.2026-11.test:lio-plain"
serve_dhcp
give_client_keys
add_strongswan
add_program ip
mv "$scratch/initramfs-extra/bin/ip" "$scratch/initramfs-extra/bin/iproute2"
# The other side of the same connection.
sed -i -e 's/local_addrs = .*/local_addrs = %any/' -e 's/remote_addrs = .*/remote_addrs = 192.0.2.1/' \
    -e 's/id = server.example/id = OURS/' -e 's/id = client.example/id = server.example/' \
    -e 's/id = OURS/id = client.example/' \
    "$scratch/initramfs-extra/etc/swanctl/swanctl.conf"
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
log_seconds=120
echo "GUEST-KEEPERS: $(processes lunboot-keeper) $(processes lunboot-ike)"
write 0
until_log 2 'new keys'
write 8
echo "GUEST-REKEYED: $(session state), $(dmesg | grep -c 'detected conn error') errors"
echo GUEST-RESTART
until_log 1 'the association is back'
write 16
echo "GUEST-BACK: $(session state)"
# An IKE daemon in the running system, with a connection of its own for the server.
export STRONGSWAN_CONF=/etc/strongswan.conf SWANCTL_DIR=/etc/swanctl
/bin/charon >/dev/null 2>&1 & # it does not get port 4500 yet
until_log 1 'an IKE daemon runs'
killall charon
while processes charon >/dev/null; do sleep 0.2; done
rm -f /run/vici
/bin/charon >/tmp/charon.log 2>&1 &
for i in $(seq 100); do [ -S /run/vici ] && break; sleep 0.2; done
/bin/swanctl --load-all >/dev/null 2>&1
/bin/swanctl --initiate --child disk >/tmp/initiate.log 2>&1 ||
    die "$(tail -n 5 /tmp/initiate.log) $(tail -n 20 /tmp/charon.log)"
write 20
echo "GUEST-ASIDE: $(session state)"
killall charon
until_log 1 'the IKE daemon is gone'
until_log 2 'the association is back'
write 22
echo "GUEST-AFTER-DAEMON: $(session state)"
# pids NAME
pids() {
    grep -lxE "$1" /proc/[0-9]*/comm | cut -d/ -f3
}
# Killed under I/O, and so is the one that steps in; each of them has a second process, also where that was killed.
while [ ! -e /tmp/enough ]; do
    write 0
    echo >>/tmp/written
done &
for i in 1 2; do
    kill -9 $(pids lunboot-spare)
    sleep 3
    kill -9 $(pids lunboot-ike)
    until_log $i 'another one steps in'
    until_log $((2 + i)) 'the association is back'
    keys=$(dmesg | grep -c 'new keys')
    written=$(wc -l </tmp/written)
    until_log $((keys + 1)) 'new keys'
    [ "$(wc -l </tmp/written)" -gt "$written" ] || die "nothing was written meanwhile"
done
touch /tmp/enough
wait %%
iproute2 xfrm state >/tmp/states
echo "GUEST-STEPPED-IN: $(session state), $(processes lunboot-ike) $(processes lunboot-spare)"
echo "GUEST-STATES: $(grep -c 'proto esp' /tmp/states)"
while [ -n "$(pids 'lunboot-(ike|spare|keeper)')" ]; do
    kill -9 $(pids 'lunboot-(ike|spare|keeper)')
    sleep 1
done
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
told 'GUEST-ASIDE: LOGGED_IN' "an IKE daemon begins in the running system, and the association is left to it"
told 'GUEST-AFTER-DAEMON: LOGGED_IN' "it ends, and lunboot's process makes the association anew"
told 'GUEST-STEPPED-IN: LOGGED_IN, lunboot-ike lunboot-spare' "killed twice under I/O, it comes back and renews keys"
told 'GUEST-STATES: [24]$' "no keys of those that died are left"
told 'GUEST-KILLED: *$' "all of them are killed at once"
told "GUEST-SHA: $(sha256 "$scratch/expected.img")" "I/O goes on without them, and all was written"
# A daemon that ends deletes the association: then the server has no policy but that of add_block.
all_is_esp
pass
