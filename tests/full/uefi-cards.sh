#!/bin/bash
# The drivers of six cards, as firmware has them (EFI_SIMPLE_NETWORK_PROTOCOL): OVMF's own for virtio, and those in
# iPXE's option ROMs. With each the machine boots and reads 64 MiB. Their rings hold 10 to 256 frames, and one card
# stops for good when more comes: after the first second the target sends at most one frame in fifty twice.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/firmware.sh"
roms=/usr/lib/ipxe/qemu
begin python3 tcpdump
[ -e "$roms/efi-pcnet.rom" ] || skip "ipxe-qemu is not installed"
meter_disk "$scratch/disk.img" <<<"crc 1048576 $((64 << 20)) 1048576"$'\noff'
truncate -s 80M "$scratch/disk.img"
dd if=/dev/urandom of="$scratch/disk.img" bs=1M seek=40 count=25 conv=notrunc status=none
serve_image
offer_disk </dev/null
make_stick <<<"enable = yes"
crc=

# try_card DEVICE [ROM]
try_card() {
    local device=$1 rom=${2:-} twice all line
    spawn tcpdump ip netns exec "$server_ns" tcpdump --immediate-mode -n -U -s 100 -B 32768 -i tap0 \
        -w "$scratch/capture.pcap" 'tcp port 3260'
    wait_log tcpdump 'listening on'
    start_vm -netdev tap,id=n0,ifname=tap0,script=no,downscript=no "${stick[@]}" \
        -device "$device,netdev=n0,romfile=$rom,mac=$card_mac"
    wait_console 'METER crc [0-9a-f]{8}' 150
    line=$(console | grep -o 'METER crc [0-9a-f]*')
    stop_capture
    end qemu KILL
    [ "${crc:-$line}" = "$line" ] || fail "$device: it read other data: $line, where $crc is right"
    crc=$line
    read -r twice all < <(python3 "$top/tests/vm/resent.py" "$scratch/capture.pcap" 3260 1 | sed 's/of//')
    [ "$all" -ge 20000 ] || fail "$device: only $all frames in the capture: this shows nothing"
    [ $((twice * 50)) -le "$all" ] || fail "$device: the target sent $twice of $all frames twice"
    ok "$device: it boots and reads 64 MiB; the target sends $twice of $all frames twice"
}

try_card virtio-net-pci
for card in e1000 e1000e rtl8139 vmxnet3 pcnet; do
    try_card "$card" "$roms/efi-$card.rom"
done
pass
