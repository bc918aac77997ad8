#!/bin/bash
# A lab after a power cut: the DHCP server is there after 20 s; the target answers 0203 for 10 s, then has no LUN for
# 6 s, then a disk that is becoming ready for 6 s. The initramfs finds the disk unattended, and its console says what it
# waits for. (Its bytes are read in odd-target.sh; here the kernel has no initiator to hand the session to.)
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3 dnsmasq
make_net
make_bytes "$scratch/disk.img" $((1 << 20)) 7
spawn odd-target in_server python3 "$interop/odd-target.py" --case=power-cut --disk="$scratch/disk.img" \
    --listen="$server_ip:3260"
wait_log odd-target ready
echo "lunboot.enable=yes" >"$scratch/cmdline"
spawn machine in_client timeout 180 "$lunboot" initramfs --interface=vc0 --kernel-cmdline="$scratch/cmdline" \
    --sysfs="$scratch" --run="$scratch/run"
sleep 20
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi:$server_ip:::1:iqn.2026-11.test:odd"
CONF
wait_log machine 'hand-over|FIELD-DISK' 120
tr '\r' '\n' <"$scratch/machine.log" | sed 's/\x1b\[K//' | awk 'NF' >"$scratch/console"
sed 's/^/# /' "$scratch/console"

# shows PATTERN FROM TO WHAT: a line of the console with a time between the two, in seconds.
shows() {
    awk -v from="$2" -v to="$3" -v pattern="$1" \
        '$0 ~ pattern && $1 >= from && $1 <= to { found = 1 } END { exit !found }' "$scratch/console" ||
        fail "$4: no line matches '$1'" "$scratch/console"
    ok "$4"
}
shows 'dhcp +DHCPv4 on vc0 [.][.][.]' 0 1 "it says that it waits for DHCP"
shows 'dhcp +192[.]0[.]2[.]' 18 90 "then it has an address"
shows 'login +failed: target-not-found' 18 90 "then it says that the target is not found"
shows 'disk +failed: lun-missing' 26 100 "then it says that there is no such LUN"
shows 'disk +.* [.][.][.]' 28 120 "then it says that it waits for the disk"
shows 'disk +FIELD-DISK' 38 150 "then it has the disk"
pass
