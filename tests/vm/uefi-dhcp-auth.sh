#!/bin/bash
# DHCP that has to be authenticated, from power-on to the running kernel: the configuration of lunboot.efi requires it,
# and the initramfs has nothing but the firmware's table. A server without the key answers first each time. The firmware
# passes it over; the initramfs without a key asks nobody and keeps the address that the firmware proved; with the key
# it requires the proof again; with another key it boots nothing.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need dnsmasq tcpdump
test_dhcp=${LUNBOOT_TEST_DHCP:-$top/build/lunboot-test-dhcp}
[ -x "$test_dhcp" ] || skip "$test_dhcp has not been built"
secret=0123456789abcdef
evil=iqn.2026-11.evil:disk

make_guest_net
make_namespace "$relay_ns" # who answers first, without the key
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.66/24 dev vs0
in_relay ip link set vs0 up

# The guest: takeover/init, and what it is to do. Its configurations are on the disk, as an initramfs has them.
mkdir -p "$scratch/initramfs-extra"/{bin,etc}
cp "$lunboot" "$scratch/initramfs-extra/bin/lunboot"
echo "dhcp-keys = 7:$secret" >"$scratch/initramfs-extra/etc/key.conf"
echo "dhcp-keys = 7:another-secret-of-ours" >"$scratch/initramfs-extra/etc/another.conf"
: >"$scratch/initramfs-extra/etc/none.conf"
chmod 600 "$scratch/initramfs-extra/etc"/*.conf
cat >"$scratch/initramfs-extra/steps" <<'STEPS'
echo 'lunboot.dhcp-timeout=6s lunboot.retry-time=0s' >/tmp/cmdline
# starts NAME: as the initramfs does, with the configuration of this name.
starts() {
    echo "GUEST-STARTS-$1"
    sleep 3 # the servers get ready
    device=$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline --config=/etc/$1.conf 2>/tmp/err)
    status=$?
    sed "s/^/$1: /" /tmp/err
    echo "GUEST-ENDED-$1 $status $device $(ip -4 addr show dev eth0 | grep -o 'inet [0-9.]*')"
}
starts another
starts none
echo "GUEST-READ $(dd if=$device bs=64k count=16 2>/dev/null | sha256sum)"
starts key
echo "GUEST-REPORT $(grep -o 'by key 7' /run/lunboot/report.json)"
STEPS
make_debian_disk "$scratch/disk.img" "$top/tests/vm/takeover/init" "${guest_modules[@]}"
serve_bytes "$scratch/disk.img"

server_interface=vs0 start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-rapid-commit
dhcp-range=192.0.2.201,192.0.2.250,1h
dhcp-option=option:root-path,"iscsi:192.0.2.66:::1:$evil"
CONF
spawn dhcp ip netns exec "$server_ns" "$test_dhcp" br0 "$server_ip" "$rootpath" "7:$secret"
wait_log dhcp ready

packets() { tcpdump -n -r "$scratch/capture.pcap" "$1" 2>/dev/null | wc -l; }
offers() { grep -cE 'DHCP(OFFER|ACK)' "$scratch/dnsmasq.log" || true; }
more_offers() { [ "$(offers)" -gt "$1" ]; }
# is_first: the server with the key stands still until the other one has answered.
is_first() {
    local before
    before=$(offers)
    kill -STOP "${pids[dhcp]}"
    wait_for 120 "an offer of the other server" more_offers "$before"
    kill -CONT "${pids[dhcp]}"
}

make_stick <<CONF
enable = yes
require = dhcp-auth
dhcp-keys = 7:$secret
CONF
boot_stick
is_first
wait_console 'GUEST-STARTS-another' 180 "firmware boots from the server that has the key"
console_has 'passed-over: +dhcp-auth: from 192\.0\.2\.66: not authenticated' "and says whom it passed over, and why"
wait_console 'GUEST-ENDED-another' 60
console_has 'GUEST-ENDED-another 1 *$' "an initramfs with another key boots nothing"
console_has 'another: .*no answer was authenticated by a key of dhcp-keys \(dhcp-auth\)' "and says why"
start_capture "$server_ns" br0 -s 96
wait_console 'GUEST-READ' 60
stop_capture
[ "$(packets 'udp port 67')" = 0 ] || fail "DHCP was asked: $(packets 'udp port 67') packets"
[ "$(packets 'tcp port 3260')" -gt 20 ] || fail "the capture has few packets of iSCSI: $(packets 'tcp port 3260')"
console_has 'GUEST-ENDED-none 0 /dev/sda inet 192\.0\.2\.1[0-9][0-9]' \
    "one without a key asks nobody, and keeps the firmware's address"
console_has "GUEST-READ $(head -c $((1 << 20)) "$scratch/disk.img" | sha256sum)" "it reads the disk"
wait_console 'GUEST-STARTS-key' 60
is_first
wait_console 'GUEST-DONE' 60
console_has 'key: .*passed-over: +dhcp-auth: from 192\.0\.2\.66: not authenticated' \
    "one with the key passes the other server over, too"
console_has 'GUEST-ENDED-key 0 /dev/sdb inet 192\.0\.2\.1[0-9][0-9]' "and boots with the answer that is proved"
console_has 'GUEST-REPORT by key 7' "its report says by which key"
pass
