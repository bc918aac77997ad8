#!/bin/bash
# iPXE, in a card's ROM, boots from lunbootd by its own iSCSI initiator: with UEFI firmware up to a kernel, and with a
# BIOS up to a boot sector that reads on through the BIOS.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
roms=/usr/lib/ipxe/qemu
for rom in "$roms/efi-virtio.rom" "$roms/pxe-virtio.rom"; do
    [ -e "$rom" ] || skip "$rom is missing (Debian package ipxe-qemu)"
done
begin
need_lunbootd

# boot_sector FILE: a disk whose boot sector reads sector 100 by INT 13h and sends its text to the serial line.
boot_sector() {
    python3 - "$1" <<'PYTHON'
import sys
code = bytes.fromhex(
    "31c0 8ed8 8ec0"  # DS = ES = 0
    "be 507c b442 cd13"  # SI = address packet, AH = 42h: read; DL is still the drive
    "be 0080"  # SI = 8000h
    "ac 84c0 7406"  # the next byte of it; 0 is the end
    "ba f803 ee ebf5"  # to COM1
    "f4 ebfd")  # halt
packet = bytes.fromhex("1000 0100 0080 0000 6400000000000000")  # 1 sector to 0000:8000 from 100 on
sector = bytearray(512)
sector[:len(code)] = code
sector[0x50:0x50 + len(packet)] = packet
sector[510:] = b"\x55\xaa"
with open(sys.argv[1], "wb") as disk:
    disk.truncate(8 << 20)
    disk.write(sector)
    disk.seek(100 * 512)
    disk.write(b"BIOS-DISK-OK\r\n\0")
PYTHON
}

ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
start_lunbootd --writes=drop --files="$top/build" "$scratch/disk.img"
start_vm "${card[@]:0:3}" "virtio-net-pci,netdev=n0,romfile=$roms/efi-virtio.rom,mac=$card_mac,bootindex=0"
wait_console 'KERNEL-OK' 240 "UEFI: a kernel is up, from a disk that iPXE logged in to"
console_has 'IBFT target0/target-name iqn.2026-11.org.lunboot:disk:52-54-00-12-34-56.g1' \
    "iBFT: the machine's own target"
lunbootd_says 'is given .* with iPXE, disk ' "lunbootd knows iPXE, and gives it the disk and no loader"
lunbootd_says 'logged in as iqn.2010-04.org.ipxe:' "lunbootd sees its login"
end qemu KILL
end lunbootd

boot_sector "$scratch/bios.img"
start_lunbootd --writes=drop "$scratch/bios.img"
: >"$scratch/console.log"
spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M pc -m 256 -display none \
    -no-reboot -nodefaults -uuid 564d4173-0000-4173-8000-525400123456 -boot n "${card[@]:0:2}" \
    -device "virtio-net-pci,netdev=n0,disable-legacy=on,disable-modern=off,romfile=$roms/pxe-virtio.rom,mac=$card_mac" \
    -serial "file:$scratch/console.log" -monitor "unix:$scratch/monitor,server,nowait"
wait_console 'BIOS-DISK-OK' 120 "BIOS: the boot sector runs, and reads its disk through iPXE"
pass
