#!/bin/bash
# Blocks of 512 and of 4096 bytes: whole disk, odd offsets and lengths, and the loader on the GPT.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
start_tgt
give_client_address
for block in 512 4096; do
    make_gpt_disk "$scratch/disk.img" $block
    tgt_target $block "$iqn-$block"
    tgt_lun $block 1 "$scratch/disk.img" $block
    rootpath="iscsi:$server_ip:::1:$iqn-$block"
    reads_the_disk "blocks of $block bytes"
    probe
    says 'BOOTX64\.EFI' "the probe finds the loader on a disk with $block-byte blocks"
    says "$block" "the probe says that blocks have $block bytes"
    read_disk 1048577 12345 "$scratch/piece"
    succeeds "a piece that is not a number of $block-byte blocks is read"
    dd if="$scratch/disk.img" of="$scratch/wanted" iflag=skip_bytes,count_bytes skip=1048577 count=12345 status=none
    same "$scratch/wanted" "$scratch/piece" "a piece of the disk"
    ok "the piece has the right bytes"
done
pass
