#!/bin/bash
# Networks that are not there yet, or not at all: two cards of which the first has no link; DHCP that
# answers only after 20 s; DHCP that never does, so that the firmware gets its turn within retry-time; and
# a stick whose configuration does not say `enable = yes`, which sends nothing.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok

make_stick <<<"retry-time = 20s"
start_capture "$server_ns" tap0 'port 67 or port 68 or port 3260'
boot_stick
wait_console 'not-enabled' 60 "a stick that is not enabled says so"
wait_console 'failed to start|Shell>|BdsDxe: loading .*Shell' 30 "and gives the firmware its turn"
stop_capture
[ "$(in_server tcpdump -nr "$scratch/capture.pcap" 2>/dev/null | wc -l)" = 0 ] ||
    fail "it sent packets all the same"
ok "and has sent nothing"
end qemu KILL

make_stick <<EOF
enable = yes
retry-time = 12s
dhcp-timeout = 4s
EOF
boot_stick
wait_console 'net0' 60
began=$SECONDS
wait_console 'dhcp-no-offer' 40 "silence for good is explained"
wait_console 'failed to start|Shell>|BdsDxe: loading .*Shell' 30
[ $((SECONDS - began)) -le 25 ] || fail "it took $((SECONDS - began)) s"
ok "and the firmware has its turn within retry-time"
end qemu KILL

make_stick <<<"enable = yes"
boot_stick
wait_console 'net0' 60
sleep 20
offer_disk </dev/null
wait_console 'METER LOADER-OK' 60 "DHCP that answers after 20 s: it boots"
end qemu KILL

# set_link goes through the monitor before the machine starts (-S).
start_vm -S -netdev "tap,id=n0,ifname=tap0,script=no,downscript=no" \
    -netdev "user,id=nolink,restrict=on" \
    -device "virtio-net-pci,netdev=nolink,id=first,romfile=,mac=52:54:00:00:00:01,addr=4" \
    -device "virtio-net-pci,netdev=n0,romfile=,mac=$card_mac,addr=5" "${stick[@]}"
wait_for 10 "the monitor" test -S "$scratch/monitor"
monitor set_link first off
monitor cont
wait_console 'METER LOADER-OK' 90 "two cards, the first without a link: it boots"
console_has "$card_mac" "by the card that has one"
pass
