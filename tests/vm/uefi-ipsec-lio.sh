#!/bin/bash
# Power-on to a Debian kernel from LIO behind strongSwan, with the ESP of Debian's kernel: all packets between the two
# machines are in ESP, or are IKE's, DHCP's or ARP's.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need tcpdump
find_kernel
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
rm -rf "$scratch/initramfs"
start_ipsec_lio
rootpath="iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"
serve_dhcp
make_ipsec_stick
start_capture "$server_ns" br0 -s 96 -B 32768
boot_stick
wait_console 'ipsec +tunnel mode, AES-GCM-256' 90 "IKE with strongSwan, and its keys"
wait_console 'KERNEL-OK' 300 "a Debian kernel and its initramfs, wholly through the other kernel's ESP"
stop_capture
[ "$(clear_packets)" = 0 ] || fail "packets in clear: $(clear_packets)"
sealed=$(tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500' 2>/dev/null | wc -l)
[ "$sealed" -gt 1000 ] || fail "few packets in UDP 4500: $sealed"
ok "0 packets in clear, $sealed of ESP and IKE"
pass
