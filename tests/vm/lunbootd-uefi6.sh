#!/bin/bash
# lunbootd alone boots a machine with UEFI firmware on a link without IPv4: router advertisements, DHCPv6, PXE by
# TFTP and then HTTP Boot, and lunboot reads the disk by iSCSI.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/lunbootd.sh"
. "$(dirname "$0")/firmware.sh"
begin6
need_lunbootd
meter_disk "$scratch/disk.img" <<METER
say LOADER-OK
crc 1048576 4194304 65536
off
METER
mkdir -p "$scratch/boot"
cp "$efi" "$scratch/boot/lunbootx64.efi"
# The firmware would ask for IPv4 first, for half a minute.
no_ipv4=(-fw_cfg "name=opt/org.tianocore/IPv4PXESupport,string=n")
cat >"$scratch/lunbootd.conf" <<CONF
interface = ${server_interface:-vs0}
state = $scratch/state
files = $scratch/boot
disk = $scratch/disk.img
dhcp = off
dhcp6 = server
router-advertisements = yes
writes = drop
overlays = $scratch/overlays

[machine anna]
mac = $card_mac
address6 = 2001:db8:77::a
CONF
start_lunbootd --config="$scratch/lunbootd.conf"
start_capture "$server_ns" tap0
start_vm "${first_card[@]}" "${no_ipv4[@]}"
wait_console 'METER LOADER-OK' 180 "from power-on to the loader on lunbootd's disk, without IPv4"
console_has 'started from PXE' "lunboot.efi came by PXE"
wait_console 'METER crc' 60
console_has "METER crc $(crc_of "$scratch/disk.img" 1048576 4194304)" "the disk is read right"
# The firmware asks for two addresses, by two IAIDs of one DUID: one is that of the section.
lunbootd_says "$card_mac  is given 2001:db8:77::a by DHCPv6, .*disk .*:anna.g1" "the machine has its address"
lunbootd_says "$card_mac  is given 2001:db8:77::.* by DHCPv6, UEFI x64, boot file lunbootx64.efi, disk .*:anna.g1" \
    "the firmware is told apart, and has its disk"
lunbootd_says '2001:db8:77::[0-9a-f]+ +fetched lunbootx64.efi by TFTP' "the loader's way is told"
lunbootd_says '2001:db8:77::[0-9a-f]+ +fetched lunboot.conf by TFTP' "lunboot.conf is made and fetched"
lunbootd_says '2001:db8:77::[0-9a-f]+ +logged in as iqn.2026-11.org.lunboot:uuid:' "the login is told"
stop_capture
none_malformed "nothing on the wire is malformed"
end qemu
end lunbootd

start_lunbootd --config="$scratch/lunbootd.conf" --tftp=no
start_vm "${first_card[@]}" "${no_ipv4[@]}" -fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=n
wait_console 'HTTP Boot|METER|Shell>' 120
if console_shows 'HTTP Boot'; then
    wait_console 'METER LOADER-OK' 240 "from HTTP Boot over IPv6 to the loader"
    console_has 'started from HTTP Boot' "lunboot.efi came by HTTP"
    lunbootd_says '2001:db8:77::[0-9a-f]+ +fetches /lunbootx64.efi by HTTP' "which lunbootd tells"
else
    ok "HTTP Boot # SKIP this firmware has none"
fi
pass
