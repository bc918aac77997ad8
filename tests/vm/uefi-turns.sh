#!/bin/bash
# Two cards, and the network is behind the second: after each start its link takes 8 s to come up (10GBASE-T), and the
# switch forwards nothing for 30 s after that (IEEE 802.1D). The cards take turns, and none is started anew for its
# turn: the machine boots. The first card has a link, and nobody answers there.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
roms=/usr/lib/ipxe/qemu
begin python3
[ -e "$roms/efi-e1000e.rom" ] || skip "ipxe-qemu is not installed"
in_server ip tuntap add tap1 mode tap
in_server ip tuntap add tap2 mode tap
in_server ip addr flush dev tap0
in_server ip link add br0 type bridge mcast_snooping 0
in_server ip addr add "$server_ip/24" dev br0
in_server ip link set br0 up
in_server ip link set tap1 up
in_server ip link set tap2 up
server_interface=br0
serve_loader_ok
offer_disk </dev/null
make_stick <<<"enable = yes"
events=$scratch/events

# Each reset of a virtio device is a line; neither the stick nor the first card is one.
starts() { grep -c 'virtio_set_status.* val 0$' "$events" || true; }

: >"$events"
start_vm "${stick[@]:0:2}" -device ide-hd,drive=stick,bootindex=0 \
    -netdev tap,id=n0,ifname=tap1,script=no,downscript=no \
    -device "e1000e,netdev=n0,romfile=$roms/efi-e1000e.rom" \
    -netdev tap,id=n1,ifname=tap2,script=no,downscript=no \
    -device "virtio-net-pci,netdev=n1,romfile=,mac=$card_mac" \
    -trace virtio_set_status -D "$events"
seen=0 port=forwards since=$SECONDS
while ! console_shows 'METER LOADER-OK'; do
    is_alive qemu || console_shows 'METER LOADER-OK' || fail "the machine ended"
    [ $((SECONDS - since)) -lt 150 ] || fail "it did not boot"
    now=$(starts)
    if [ "$now" != "$seen" ]; then
        seen=$now port=down began=$SECONDS
        monitor set_link n1 off
        in_server ip link set tap2 nomaster
    elif [ $port = down ] && [ $((SECONDS - began)) -ge 8 ]; then
        port=blocks began=$SECONDS
        monitor set_link n1 on
    elif [ $port = blocks ] && [ $((SECONDS - began)) -ge 30 ]; then
        port=forwards
        in_server ip link set tap2 master br0
    fi
    sleep 0.2
done
[ "$seen" -gt 0 ] || fail "no start of the second card was seen: this shows nothing"
[ $port = forwards ] || fail "it booted while the port was $port"
ok "the second card's link takes 8 s and its port 30 s after each start: it boots"
console_shows '^net0 ' || fail "the first card had no turn"
ok "and the first card had its turns"
pass
