#!/bin/bash
# A disk over 2 TiB (3 TiB, sparse): blocks beyond 2^32 are read where they are, and the backup GPT with
# them.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
make_gpt_disk "$scratch/disk.img"
truncate -s 3T "$scratch/disk.img" 2>/dev/null || skip "the file system here takes no file of 3 TiB"
sgdisk -e "$scratch/disk.img" >"$scratch/sgdisk.log" 2>&1
make_bytes "$scratch/far" $((1 << 20)) 3
far_offset=$(((5 << 39) + 512)) # 2.5 TiB and a block
dd if="$scratch/far" of="$scratch/disk.img" bs=1M seek=$far_offset oflag=seek_bytes conv=notrunc \
    status=none
start_tgt
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
rootpath="iscsi:$server_ip:::1:$iqn"
give_client_address

probe
succeeds "a probe of a 3 TiB disk succeeds"
says '3\.0+ ?TiB|3298534883328|3072(\.0)? GiB' "the probe says how large it is"
says 'BOOTX64\.EFI' "the probe finds the loader"
read_disk $far_offset $((1 << 20)) "$scratch/copy"
succeeds "blocks beyond 2 TiB are read"
same "$scratch/far" "$scratch/copy" "the blocks beyond 2 TiB"
ok "the blocks beyond 2 TiB are the right ones"
read_disk $(((3 << 40) - 512)) 512 "$scratch/copy"
succeeds "the last block is read"
[ "$(head -c 8 "$scratch/copy")" = "EFI PART" ] || fail "the last block is not the backup GPT"
ok "the last block is the backup GPT header"
read_disk $((3 << 40)) 512 "$scratch/copy"
[ "$status" != 0 ] || fail "a read beyond the end ended well"
says out-of-range "a read beyond the end is an error"
pass
