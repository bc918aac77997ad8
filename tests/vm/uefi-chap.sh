#!/bin/bash
# CHAP, and a second LUN by its number and by what it holds; then a wrong secret, whose error a person at the console
# can act on, after which the firmware goes on to its next boot option.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
meter_disk "$scratch/disk.img" <<EOF
say LOADER-OK
return
EOF
make_bytes "$scratch/other.img" $((8 << 20))
start_tgt
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/other.img"
tgt_lun 1 2 "$scratch/disk.img"
tgt_account boot boot-secret-0123 1
rootpath="iscsi:$server_ip:::2:$iqn"
offer_disk </dev/null
make_stick <<EOF
enable = yes
chap-name = boot
chap-secret = boot-secret-0123
chap-algorithms = md5
require = chap
EOF
boot_stick
wait_console 'METER LOADER-OK' 60 "CHAP, and the disk is LUN 2"
wait_console 'loader-returned' 30 "a loader that gives up is told as loader-returned"
end qemu KILL
make_stick <<EOF
enable = yes
chap-name = boot
chap-secret = boot-secret-0123
lun = any
lun-holds = PARTLABEL="EFI System"
EOF
boot_stick
wait_console 'METER LOADER-OK' 60 "the LUN that holds the partition with that name"
end qemu KILL
make_stick <<EOF
enable = yes
chap-name = boot
chap-secret = not-the-secret-1
chap-algorithms = md5
EOF
boot_stick
wait_console 'auth-failed' 60 "a wrong secret ends with auth-failed"
console_has "$iqn" "the error names the target"
console_has 'try: check .*chap-secret' "and says what to try"
wait_console 'failed to start|Shell>|BdsDxe: loading' 30 "the firmware goes on"
pass
