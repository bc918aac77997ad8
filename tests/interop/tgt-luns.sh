#!/bin/bash
# Two LUNs behind one target: each is the disk its root path says, and LUN 0, tgt's controller, is none.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
make_bytes "$scratch/second.img" $((8 << 20)) 2
tgt_lun 1 2 "$scratch/second.img"
give_client_address

reads_the_disk "LUN 1 is the first disk"
rootpath="iscsi:$server_ip:::2:$iqn"
read_disk 0 0 "$scratch/copy.img"
succeeds "LUN 2 is read"
same "$scratch/second.img" "$scratch/copy.img" "LUN 2"
ok "LUN 2 is the second disk"
rootpath="iscsi:$server_ip:::0:$iqn"
probe
fails_with lun-not-disk "LUN 0 is a controller" 1 2
pass
