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
rootpath="iscsi:[2001:db8:77::1]:::1:$iqn"
end tgtd KILL
start_tgt '[2001:db8:77::1]:3260'
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
reads_the_disk "a whole disk is read over IPv6"
pass
