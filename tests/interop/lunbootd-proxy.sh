#!/bin/bash
# lunbootd beside the DHCP server of others (dnsmasq): it looks, leaves the addresses to it, and adds the disk. Where
# it is alone it gives the addresses itself.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need dnsmasq bridge
make_bridged_net
make_namespace "$relay_ns" # the other server lives there
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.3/24 dev vs0
in_relay ip link set vs0 up
server_ip=192.0.2.2
make_gpt_disk "$scratch/disk.img"
start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.149,1h
CONF

server_interface=br0 start_lunbootd "$scratch/disk.img"
lunbootd_says 'found the DHCP server 192\.0\.2\.3 on br0, and leaves the addresses to it' "it finds the other server"
rootpath="iscsi:$server_ip::3260:0:iqn.2026-11.org.lunboot:disk"
boot_then_read
succeeds "a bare interface boots with an address of one and a disk of the other"
saw 'inet 192\.0\.2\.1[0-4][0-9]/24' "the address is dnsmasq's"
saw 'LUNBOOT_SERVER=192\.0\.2\.2' "the disk is lunbootd's"
read_the_loader
lunbootd_says 'asks for an address, which another server gives, disk iqn\.2026-11\.org\.lunboot:disk' \
    "the question is told"
! grep -q 'is given' "$scratch/lunbootd.log" || fail "lunbootd gave an address"
ok "lunbootd gave no address"

# A firmware is told the loader by the proxy.
mkdir -p "$scratch/boot"
: >"$scratch/boot/lunbootx64.efi"
end lunbootd
server_interface=br0 start_lunbootd --files="$scratch/boot" "$scratch/disk.img"
ip -n "$client_ns" addr flush dev vc0
run_lunboot boot --interface=vc0 --enable=yes --then=report --root="$scratch/root" --attempts=1 \
    --vendor-class=PXEClient:Arch:00007:UNDI:003016 --client-arch=7
succeeds "a firmware boots so, too"
lunbootd_says 'another server gives, UEFI x64, boot file lunbootx64.efi, disk' "it is told the loader"

# Alone on the link it is the server.
end lunbootd
end dnsmasq
server_interface=br0 start_lunbootd "$scratch/disk.img"
lunbootd_says 'gives addresses 192\.0\.2\.[0-9]+ to' "where there is no other it gives the addresses"
pass
