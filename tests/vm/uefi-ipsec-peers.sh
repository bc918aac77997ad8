#!/bin/bash
# Firmware's ESP against the kernel's, behind strongSwan: over IPv6 in transport mode, and over IPv4 behind a NAT in
# both modes. What the loader reads is right, and nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need tcpdump nft
meter_disk "$scratch/disk.img" <<'METER'
say LOADER-OK
crc 8388608 4194304 1048576
say READ-OK
off
METER
make_bytes "$scratch/noise" $((20 << 20)) # where the file system has nothing
dd if="$scratch/noise" of="$scratch/disk.img" bs=2M seek=4 conv=notrunc 2>/dev/null
expected=$(crc_of "$scratch/disk.img" 8388608 4194304)
start_lio_for_peers
wait_for 10 "the bridge's link-local address" has_link_local

# boots NAME ID MODE LINES...: from the disk that dnsmasq's LINES name, and reads from it.
boots() {
    local name=$1 id=$2 mode=$3
    shift 3
    printf '%s\n' port=0 "$@" | start_dnsmasq
    make_ipsec_stick "$id" "the secret of $id" "ipsec-mode = $mode"
    start_capture "$server_ns" br0 -s 96 -B 32768
    boot_stick
    wait_console "ipsec +$mode(, | mode, )AES-GCM-256" 90 "$name: IKE with strongSwan, and its keys"
    wait_console 'METER LOADER-OK' 90 "$name: the loader runs"
    wait_console 'METER READ-OK' 120
    console_has "METER crc.*$expected" "$name: and reads what the disk has"
    wait_for 30 "the machine's end" has_ended_qemu
    stop_capture
    none_in_clear "$name"
    [ "$(esp_in_udp)" -gt 1000 ] || fail "$name: few packets in UDP 4500: $(esp_in_udp)"
    ok "$name: $(esp_in_udp) packets of ESP and IKE"
    end dnsmasq
}
has_ended_qemu() { ! is_alive qemu; }

boots "transport mode, IPv6" transport.example transport enable-ra \
    dhcp-range=2001:db8:77::100,2001:db8:77::200,64,1h \
    'dhcp-option=option6:59,"iscsi:[2001:db8:77::10]:::0:iqn.2026-11.test:lio-plain"'
from=$(tcpdump -n -r "$scratch/capture.pcap" 'ip6 and udp port 4500' 2>/dev/null | wc -l)
[ "$from" -gt 1000 ] || fail "few packets are of IPv6: $from"

put_behind_nat
server_interface=br1
boots "tunnel behind a NAT" nat.example tunnel dhcp-range=198.51.100.100,198.51.100.200,1h \
    dhcp-option=option:router,198.51.100.1 \
    'dhcp-option=option:root-path,"iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"'
inside=$(tcpdump -n -r "$scratch/capture.pcap" 'src net 198.51.100.0/24' 2>/dev/null | wc -l)
[ "$inside" = 0 ] || fail "packets from the address before the NAT: $inside"
moved=$(tcpdump -n -r "$scratch/capture.pcap" 'src 192.0.2.2 and udp dst port 4500 and not src port 4500' \
    2>/dev/null | wc -l)
[ "$moved" -gt 50 ] || fail "few packets whose port the NAT changed: $moved"
ok "the NAT changed address and port of $moved packets"
# The checksums of what comes are of the address that the server sees (RFC 3948 3.1.2).
boots "transport mode behind a NAT" transport.example transport dhcp-range=198.51.100.100,198.51.100.200,1h \
    dhcp-option=option:router,198.51.100.1 \
    'dhcp-option=option:root-path,"iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"'
pass
