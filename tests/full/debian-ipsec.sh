#!/bin/bash
# Power-on to Debian's login prompt from LIO behind strongSwan, the whole way through IPsec: lunboot.efi has ESP of its
# own; the initramfs, which has no configuration, finds the key in the firmware's table, agrees on new keys and gives
# them to Debian's kernel, in which lunboot-ike renews them. No packet to or from the ports of iSCSI, iSNS and SLP is
# in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/takeover.sh"
. "$(dirname "$0")/../vm/ipsec.sh"
. "$(dirname "$0")/../vm/firmware.sh"
. "$(dirname "$0")/../vm/debian.sh"
need_uefi
need tcpdump
debian_kinds=lunboot debian_include='' debian_name=debian-bare
find_debian_disk
disk_file=$scratch/disk.img # that of LIO
cp --sparse=always --reflink=auto "$debian_image" "$disk_file"

printf 'timeout 0\ndefault lunboot.conf\n' >"$scratch/loader.conf"
MTOOLS_SKIP_CHECK=1 mcopy -o -i "$disk_file@@1M" "$scratch/loader.conf" ::/loader/loader.conf
after_boot <<'SCRIPT'
echo "KEEPERS $(cat /proc/[0-9]*/comm | grep -xE 'lunboot-(ike|keeper)' | sort | tr '\n' ' ')"
ls -l /sys/firmware/acpi/tables/iBFT | cut -c1-10 | sed 's/^/TABLE=/'
ls /etc/lunboot.conf 2>&1 | sed 's/^/CONF /'
ip xfrm policy | grep -c 'mode tunnel' | sed 's/^/POLICIES=/'
dd if=/dev/urandom of=/root/data bs=1M count=8 conv=fsync status=none && sha256sum /root/data >/root/sum
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /root/sum && echo DATA-OK
dmesg | grep -cE 'I/O error|EXT4-fs error' | sed 's/^/ERRORS=/'
SCRIPT
start_ipsec_lio 60
rootpath="iscsi:192.0.2.1:::0:iqn.2026-11.test:lio-plain"
serve_dhcp
make_ipsec_stick
start_capture "$server_ns" br0 -s 96 -B 65536
start_vm -m 768 "${stick[@]}" "${card[@]}"
wait_console 'ipsec +tunnel mode, AES-GCM-256' 120 "firmware agrees on keys with strongSwan"
wait_console 'Network disk /dev/sda' 400 "Debian's kernel and its initramfs are read, and the disk is there again"
wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 400 "Debian is up, its root on the network disk"
wait_console 'network-disk login:' 240 "there is the login prompt"
wait_console 'ERRORS=[0-9]+' 240
console_has 'KEEPERS lunboot-ike lunboot-keeper' "two processes of ours keep the session and its keys"
console_has 'TABLE=-r--------' "the table that the key came in is root's alone"
console_has 'CONF .*No such file' "and there is no configuration on the disk"
console_has 'POLICIES=[1-9]' "the kernel's policies are there"
console_has 'DATA-OK' "what is written is read back"
console_has 'ERRORS=0' "and no error"
wait_console 'lunboot: .*new keys' 240 "the keys are renewed under the running system"
stop_capture
none_in_clear
sealed=$(tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500 or ip proto 50' 2>/dev/null | wc -l)
[ "$sealed" -gt 10000 ] || fail "few packets of ESP: $sealed"
ok "$sealed packets of ESP and IKE"
pass
