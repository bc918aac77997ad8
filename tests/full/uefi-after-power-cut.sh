#!/bin/bash
# A lab after a power cut, and a machine that boots by lunboot.efi: the DHCP server is there after 20 s; the target
# answers 0203 for 10 s, then has no LUN for 6 s (PQ 3), then a disk that is becoming ready for 6 s. Nobody touches the
# machine: it boots, and its console says at each moment what it waits for.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/firmware.sh"
begin python3 dnsmasq
interop=$top/tests/interop
meter_disk "$scratch/disk.img" <<<$'say LOADER-OK\noff'
spawn odd-target in_server python3 "$interop/odd-target.py" --case=power-cut --disk="$scratch/disk.img" \
    --listen="$server_ip:3260"
wait_log odd-target ready
make_stick <<<"enable = yes"
boot_stick
wait_console 'net0 ' 90
wait_console 'dhcp +DHCPv4 on net0 [.][.][.] for' 20 "it says that it waits for DHCP"
sleep 15
! console_shows 'dhcp +192' || fail "it has an address before there is a server: this shows nothing"
rootpath="iscsi:$server_ip:::1:iqn.2026-11.test:odd"
offer_disk </dev/null
wait_console 'dhcp +192[.]0[.]2[.]' 60 "DHCP that comes after 20 s is heard"
wait_console 'login +.*target-not-found' 60 "it says that the target is not found"
wait_console 'disk +.*lun-missing' 60 "then it says that there is no such LUN"
wait_console 'disk +.* [.][.][.] for' 60 "then it says that it waits for the disk"
wait_console 'disk +waits: not-ready: .*04/01' 20 "and why: the target says that it is becoming ready"
wait_console 'METER LOADER-OK' 90 "and it boots, unattended"
# In this order.
for pattern in 'dhcp +192' 'target-not-found' 'lun-missing' 'METER LOADER-OK'; do
    tr '\r' '\n' <"$scratch/console.log" | grep -anEm1 -- "$pattern" | cut -d: -f1
done >"$scratch/lines"
if ! sort -nc "$scratch/lines" || [ "$(wc -l <"$scratch/lines")" != 4 ]; then
    fail "another order" "$scratch/lines"
fi
ok "each reason is on the console, in the order in which it came"
pass
