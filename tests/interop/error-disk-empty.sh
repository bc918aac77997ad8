#!/bin/bash
# Errors: the disk is there, but nothing on it boots: it is blank, has no EFI system partition, or no loader
# in it.
. "$(dirname "$0")/lib.sh"
need_lunboot
need sgdisk mdel
make_net
serve_disk
give_client_address

truncate -s 64M "$scratch/blank.img"
tgt_lun 1 2 "$scratch/blank.img"
rootpath="iscsi:$server_ip:::2:$iqn"
probe
fails_with disk-empty "a blank disk" "$iqn"

truncate -s 64M "$scratch/data.img"
sgdisk -n 1:1M:+16M -t 1:8300 "$scratch/data.img" >"$scratch/sgdisk.log"
tgt_lun 1 3 "$scratch/data.img"
rootpath="iscsi:$server_ip:::3:$iqn"
probe
fails_with no-esp "a disk without an EFI system partition" "$iqn"

cp --sparse=always "$scratch/disk.img" "$scratch/bare.img"
MTOOLS_SKIP_CHECK=1 mdel -i "$scratch/bare.img@@$esp_offset" ::/EFI/BOOT/BOOTX64.EFI
tgt_lun 1 4 "$scratch/bare.img"
rootpath="iscsi:$server_ip:::4:$iqn"
probe
fails_with no-loader "an EFI system partition without a loader" "$iqn"
pass
