#!/bin/bash
# A network without IPv4: the router's advertisement, an address and the Root Path by DHCPv6, the server's name
# from a resolver, the disk over IPv6, down to a Debian kernel that finds it all in the iBFT.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
begin6 tcpdump tshark
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
serve_image
rootpath="iscsi:disk.boot.test:::1:$iqn"
dns_port=53 offer_disk6 <<EOF
host-record=disk.boot.test,$server_ip
dhcp-option=option6:dns-server,[$server_ip]
EOF
make_stick <<EOF
enable = yes
initiator = iqn.2026-11.test:machine1
EOF
start_capture "$server_ns" tap0
boot_stick
wait_console 'KERNEL-OK' 150 "a Debian kernel and its initramfs, wholly over IPv6"
console_has 'IBFT ethernet0/ip-addr 2001:0db8:0077:(0000:){4}0[12]..$' "iBFT: this machine's address"
console_has 'IBFT ethernet0/prefix-len 64' "iBFT: the length of the link's prefix"
console_has 'IBFT ethernet0/origin 3' "iBFT: the address came by DHCP"
console_has 'IBFT ethernet0/dhcp fe80:' "iBFT: the DHCP server"
console_has 'IBFT ethernet0/gateway fe80:' "iBFT: the router"
console_has 'IBFT ethernet0/primary-dns 2001:0db8:0077:(0000:){4}0001' "iBFT: the name server"
console_has "IBFT ethernet0/mac $card_mac" "iBFT: the card"
console_has 'IBFT ethernet0/flags 7' "iBFT: the card is boot-selected"
console_has 'IBFT target0/ip-addr 2001:0db8:0077:(0000:){4}0001' "iBFT: the portal"
console_has 'IBFT target0/port 3260' "iBFT: its port"
console_has "IBFT target0/target-name $iqn" "iBFT: the target's name"
console_has 'IBFT target0/flags 3' "iBFT: the target is boot-selected"
stop_capture
none_malformed "nothing on the wire is malformed"
said=$(tshark -r "$scratch/capture.pcap" -Y 'dhcpv6.msgtype == 1' -T fields -E occurrence=a \
    -e dhcpv6.option.type 2>/dev/null | sed -n 1p)
for code in 61 62; do
    [[ ",$said," == *,$code,* ]] || fail "the Solicit has no option $code, but $said"
done
ok "the Solicit says the architecture and the network interface (options 61 and 62)"
pass
