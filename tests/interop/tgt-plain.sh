#!/bin/bash
# tgt without authentication: probe says what is there, read copies it.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
give_client_address

probe
succeeds "a probe of a good disk succeeds"
says "$iqn" "the probe names the target"
says 'BOOTX64\.EFI' "the probe finds the loader"
says 'EFI [Ss]ystem' "the probe finds the EFI system partition"
reads_the_disk "a whole disk is read from tgt"
run_lunboot read --rootpath="$rootpath" --file=/EFI/BOOT/BOOTX64.EFI --output="$scratch/loader.read"
succeeds "the loader is read as a file"
same "$scratch/loader.efi" "$scratch/loader.read" "the loader"
tgt_target 2 iqn.2026-11.test:disk2
run_lunboot probe --server="$server_ip"
succeeds "tgt is asked for its targets"
says "$iqn" "SendTargets lists the first target"
says 'iqn\.2026-11\.test:disk2' "SendTargets lists the second target"
rootpath="iscsi:[2001:db8:77::1]:::1:$iqn"
end tgtd KILL
start_tgt '[2001:db8:77::1]:3260'
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
reads_the_disk "a whole disk is read over IPv6"
pass
