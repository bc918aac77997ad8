#!/bin/bash
# DHCPv6 that has to be authenticated (RFC 3315 21.4), from power-on to the running kernel; tests/vm/uefi-dhcp-auth.sh
# is the same with DHCPv4. lunbootd has the key; a server without it answers first each time. The firmware passes it
# over; the initramfs, which has nothing but the firmware's table, asks nobody without a key and keeps the address that
# the firmware proved; with the key it requires the proof again; with another key it boots nothing.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/../vm/takeover.sh"
. "$(dirname "$0")/../vm/firmware.sh"
begin6 dnsmasq radvd tcpdump
need_lunboot
need_lunbootd
secret=0123456789abcdef
find_kernel

mkdir -p "$scratch/initramfs-extra"/{bin,etc}
cp "$lunboot" "$scratch/initramfs-extra/bin/lunboot"
echo "dhcp-keys = 1@boot.example:$secret" >"$scratch/initramfs-extra/etc/key.conf"
echo "dhcp-keys = 1@boot.example:another-secret-of-ours" >"$scratch/initramfs-extra/etc/another.conf"
: >"$scratch/initramfs-extra/etc/none.conf"
chmod 600 "$scratch/initramfs-extra/etc"/*.conf
cat >"$scratch/initramfs-extra/steps" <<'STEPS'
# Without a keeper: the session of one start gives way to that of the next.
echo 'lunboot.dhcp-timeout=8s lunboot.retry-time=0s lunboot.family=6 lunboot.keep-session=no' >/tmp/cmdline
# starts NAME: as the initramfs does, with the configuration of this name.
starts() {
    echo "GUEST-STARTS-$1"
    sleep 3 # the servers get ready
    device=$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline --config=/etc/$1.conf 2>/tmp/err)
    status=$?
    sed "s/^/$1: /" /tmp/err
    echo "GUEST-ENDED-$1 $status $device" $(ip -6 addr show dev eth0 | grep -o 'inet6 2[0-9a-f:]*')
}
starts another
starts none
echo "GUEST-READ $(dd if=$device bs=64k count=16 2>/dev/null | sha256sum)"
starts key
echo "GUEST-REPORT $(grep -o 'by key 1 of boot.example' /run/lunboot/report.json)"
STEPS
make_debian_disk "$scratch/disk.img" "$top/tests/vm/takeover/init" "${guest_modules[@]}"

in_server sysctl -qw net.ipv6.conf.all.forwarding=1
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
cat >"$scratch/lunbootd.conf" <<CONF
interface = br0
state = $scratch/state
disk = $scratch/disk.img
dhcp = off
dhcp6 = server
dhcp-keys = 1@boot.example:$secret
writes = drop
overlays = $scratch/overlays
CONF
chmod 600 "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"

make_namespace "$relay_ns" # who answers first, without the key
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip -6 addr add 2001:db8:77::66/64 dev vs0 nodad
in_relay ip link set vs0 up
server_interface=vs0 start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-rapid-commit
dhcp-range=2001:db8:77::300,2001:db8:77::3ff,1h
dhcp-option=option6:bootfile-url,"iscsi:[2001:db8:77::66]:::1:iqn.2026-11.evil:disk"
CONF

packets() { tcpdump -n -r "$scratch/capture.pcap" "$1" 2>/dev/null | wc -l; }
answers() { grep -cE 'DHCP(ADVERTISE|REPLY)' "$scratch/dnsmasq.log" || true; }
has_answered_since() { [ "$(answers)" -gt "$1" ]; }
# is_first: lunbootd stands still until the other server has answered.
is_first() {
    local before
    before=$(answers)
    kill -STOP "${pids[lunbootd]}"
    wait_for 120 "an answer of the other server" has_answered_since "$before"
    kill -CONT "${pids[lunbootd]}"
}

make_stick <<CONF
enable = yes
family = 6
require = dhcp-auth
dhcp-keys = 1@boot.example:$secret
CONF
boot_stick
is_first
wait_console 'GUEST-STARTS-another' 180 "firmware boots from the server that has the key"
console_has 'passed-over: +dhcp6-auth: from fe80:[0-9a-f:]+: not authenticated' "and says whom it passed over, and why"
wait_console 'GUEST-ENDED-another' 60
console_has 'GUEST-ENDED-another 1' "an initramfs with another key boots nothing"
console_has 'another: .*\(dhcp6-auth\)' "and says why"
start_capture "$server_ns" br0 -s 96
wait_console 'GUEST-READ' 60
stop_capture
[ "$(packets 'udp port 547')" = 0 ] || fail "DHCPv6 was asked: $(packets 'udp port 547') packets"
[ "$(packets 'tcp port 3260')" -gt 20 ] || fail "the capture has few packets of iSCSI: $(packets 'tcp port 3260')"
console_has 'GUEST-ENDED-none 0 /dev/sda inet6 2001:db8:77::' \
    "one without a key asks nobody, and keeps the firmware's address"
console_has "GUEST-READ $(head -c $((1 << 20)) "$scratch/disk.img" | sha256sum)" "it reads the disk"
wait_console 'GUEST-STARTS-key' 60
is_first
wait_console 'GUEST-DONE' 60
console_has 'key: .*passed-over: +dhcp6-auth: from fe80:[0-9a-f:]+: not authenticated' \
    "one with the key passes the other server over, too"
console_has 'GUEST-ENDED-key 0 /dev/sd' "and boots with the answer that is proved"
console_has 'GUEST-REPORT by key 1 of boot.example' "its report says by which key"
pass
