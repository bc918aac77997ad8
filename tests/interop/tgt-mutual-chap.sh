#!/bin/bash
# tgt with mutual CHAP: the target proves who it is.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt_account boot boot-secret-0123 1
tgt_account disk disk-secret-4567 1 outgoing
give_client_address
chap=(--chap-name=boot --chap-secret=boot-secret-0123
    --chap-target-name=disk --chap-target-secret=disk-secret-4567)

reads_the_disk "mutual CHAP with tgt" "${chap[@]}" --require=mutual-chap
reads_the_disk "the target's name need not be given" "${chap[0]}" "${chap[1]}" "${chap[3]}"
for algorithms in md5 sha256,md5; do
    reads_the_disk "mutual CHAP with tgt and $algorithms" "${chap[@]}" --chap-algorithms=$algorithms
done
pass
