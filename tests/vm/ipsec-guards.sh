#!/bin/bash
# What was protected stays so, however lunboot-ike ends. Killed by a signal, it leaves the kernel's guards, and the next
# boot takes them over. What somebody takes away of the kernel's IPsec is put back. It ends when no session to the peer
# is left, not when its own is; a new login soon after a logout is protected. Then the port of the disk stays blocked
# in clear, and nothing else of the server is.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump iscsid iscsiadm
extra=$scratch/initramfs-extra
rm -rf "$extra"
add_block
add_strongswan
cat >>"$extra/lio-steps" <<'STEPS'
target second
open_target
STEPS
start_prepared_lio
rootpath="iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"
serve_dhcp
give_client_keys
add_program iscsid
add_program iscsiadm
add_program ip
mv "$extra/bin/ip" "$extra/bin/iproute2"
mkdir -p "$extra/etc/iscsi"
cp /etc/iscsi/iscsid.conf "$extra/etc/iscsi/"
echo "InitiatorName=iqn.2026-11.test:another" >"$extra/etc/iscsi/initiatorname.iscsi"
echo "root:x:0:0:root:/:/bin/sh" >"$extra/etc/passwd" # iscsid asks who is there
start_capture "$server_ns" br0 -s 96 -B 32768
start_client -m 384 <<'STEPS'
ike() {
    grep -lx lunboot-ike /proc/[0-9]*/comm | cut -d/ -f3
}
policies() {
    iproute2 xfrm policy | grep -c "$1"
}
seconds() {
    iscsiadm -m session 2>/dev/null | grep -c second
}
read_disk() {
    dd if=$device of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null && echo good
}
# adopt: iscsid knows the sessions that are there when it starts.
adopt() {
    mkdir -p /run/lock/iscsi /var/lib/iscsi
    killall iscsid 2>/dev/null && sleep 1
    iscsid -f >/tmp/iscsid.log 2>&1 &
    for i in $(seq 100); do grep -q 'operational after recovery' /tmp/iscsid.log && return; sleep 0.2; done
    die "iscsid: $(cat /tmp/iscsid.log)"
}
boot --config=/etc/lunboot.conf
adopt

kill $(ike)
until_log 1 'ended by a signal'
while [ -n "$(ike)" ]; do sleep 0.2; done
echo "GUEST-TERM: $(policies 'action block') $(policies 'priority 2000') $(read_disk)"
iscsiadm -m session -r 1 -u >/tmp/out 2>&1 || die "logout: $(cat /tmp/out)"
sleep 3
echo "GUEST-TERM-LOGOUT: $(policies 'action block') $(policies 'priority 2000')"

boot --config=/etc/lunboot.conf
echo "GUEST-AGAIN: $(read_disk)"
iproute2 xfrm policy flush
until_log 1 'policies away; they are back'
iproute2 xfrm state flush
until_log 1 'keys away; asking for new ones'
until_log 1 'new keys'
echo "GUEST-FLUSHED: $(policies 'action block') $(policies 'priority 2000') $(read_disk)"

# Emptied over and over under I/O: nothing goes until the policies are back, so nothing goes in clear.
while [ ! -e /tmp/enough ]; do
    read_disk >>/tmp/reads
done &
for i in $(seq 200); do
    iproute2 xfrm policy flush
    usleep $((i % 20 * 5000))
done
touch /tmp/enough
wait %%
until_log 5 'policies away; they are back'
echo "GUEST-STORM: $(policies 'action block') $(policies 'priority 2000') $(read_disk)"
echo "GUEST-STORM-READS: $([ "$(grep -c good /tmp/reads)" -gt 5 ] && echo many)"

adopt
second="-m node -T iqn.2026-11.test:lio-second -p 192.0.2.1:3260"
iscsiadm $second -o new >/tmp/out 2>&1 || die "record: $(cat /tmp/out)"
iscsiadm $second -l >/tmp/out 2>&1 || die "login: $(cat /tmp/out)"
iscsiadm -m session -r 2 -u >/tmp/out 2>&1 || die "logout: $(cat /tmp/out)"
sleep 14
echo "GUEST-SECOND: $(policies 'action block') $(policies 'priority 2000') $(seconds)"
iscsiadm $second -u >/tmp/out 2>&1 || die "logout: $(cat /tmp/out)"
sleep 3
iscsiadm $second -l >/tmp/out 2>&1 || die "login: $(cat /tmp/out)"
echo "GUEST-SOON: $(seconds)"
iscsiadm $second -u >/tmp/out 2>&1 || die "logout: $(cat /tmp/out)"
until_log 1 'the session has ended'
while [ -n "$(ike)" ]; do sleep 0.2; done
iproute2 xfrm policy
echo "GUEST-REST: $(policies 'action block') $(policies 'priority 2000') $(iproute2 xfrm state | grep -c proto)"
ping -c 1 -W 5 192.0.2.1 >/dev/null && echo "GUEST-PING"
iscsiadm -m node -T iqn.2026-11.test:lio-second -o update -n node.session.initial_login_retry_max -v 1 >/dev/null
timeout 20 iscsiadm $second -l >/tmp/out 2>&1 && die "a login in clear"
echo "GUEST-REFUSED"
dmesg | grep 'lunboot:'
STEPS
finish_client 400
stop_capture
told 'GUEST-TERM: 2 2 good' "lunboot-ike is told to end: the guards stay, and I/O goes on"
told 'GUEST-TERM-LOGOUT: 2 2' "and stay when the session has ended, too"
told 'GUEST-AGAIN: good' "the next boot takes them over"
told 'GUEST-FLUSHED: 2 2 good' "policies and keys that somebody took away are back"
told 'GUEST-STORM: 2 2 good' "policies that are emptied 200 times under I/O are back"
told 'GUEST-STORM-READS: many' "and I/O went on in between"
told 'GUEST-SECOND: 2 2 1' "lunboot-ike lives on while another session to the peer is there"
told 'GUEST-SOON: 1' "a login soon after the last logout is protected"
told 'GUEST-REST: 2 0 0' "then only the port of the disk stays blocked"
told 'GUEST-PING' "the server is not locked out"
told 'GUEST-REFUSED' "but there is no login in clear"
all_is_esp
pass
