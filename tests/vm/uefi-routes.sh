#!/bin/bash
# Ways to the target that are not the default route, in firmware: by classless routes (option 121) of which the
# most specific wins, and by static routes (option 33), while the default router is dead. Frames come with a tag of
# VLAN 0 and a priority, as Cisco UCS sends them; and another machine wants the first address that DHCP gives.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
in_server ip link set lo up
in_server ip addr add 198.51.100.9/32 dev lo
in_server ip addr add 192.0.2.2/24 dev tap0
in_server ip link set tap0 mtu 1496 # OVMF's driver has no room for a full frame and a tag
server_ip=198.51.100.9 serve_loader_ok

# boot_over_wire OPTION...: power on, behind a wire of its own.
boot_over_wire() {
    rm -f "$scratch/wire" "$scratch/machine"
    spawn wire ip netns exec "$server_ns" python3 "$top/tests/vm/wire.py" tap0 "$scratch/wire" "$scratch/machine" "$@"
    wait_log wire '^ready'
    local ends=local.type=unix,local.path=$scratch/machine,remote.type=unix,remote.path=$scratch/wire
    start_vm "${stick[@]}" -netdev "dgram,id=n0,$ends" \
        -device "virtio-net-pci,netdev=n0,romfile=,mac=$card_mac"
}

routes=0.0.0.0/0,192.0.2.99,198.51.0.0/16,192.0.2.98,198.51.100.0/24,192.0.2.2,0.0.0.0/0,192.0.2.97
make_stick <<<"enable = yes"
offer_disk <<CONF
dhcp-option=option:router,192.0.2.99
dhcp-option=option:classless-static-route,$routes
CONF
start_capture "$server_ns" tap0 'port 67 or arp'
boot_over_wire --tag=3 --second-probe
wait_console 'METER LOADER-OK' 90 "over the most specific of the classless routes, with frames of VLAN 0: it boots"
stop_capture
grep -q "DHCP-Message.*Decline" <(in_server tcpdump -vnr "$scratch/capture.pcap" 2>/dev/null) ||
    fail "the address that another machine was about to use was not declined"
ok "an address that another machine probes for at the same time is declined"
end qemu KILL
end wire
end dnsmasq

offer_disk <<CONF
dhcp-option=option:router,192.0.2.99
dhcp-option=option:static-route,198.51.100.9,192.0.2.2
CONF
boot_over_wire
wait_console 'METER LOADER-OK' 90 "over a static route: it boots"
pass
