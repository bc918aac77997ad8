#!/bin/bash
# tgt with one-way CHAP: MD5, and SHA-1, which tgt knows under 7, the number of SHA-256.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt_account boot boot-secret-0123 1
give_client_address
chap=(--chap-name=boot --chap-secret=boot-secret-0123)

reads_the_disk "CHAP with tgt, algorithms as they come" "${chap[@]}"
for algorithm in md5 sha1; do
    reads_the_disk "CHAP with tgt and $algorithm" "${chap[@]}" --chap-algorithms=$algorithm
done
reads_the_disk "a required CHAP that was done is enough" "${chap[@]}" --require=chap
pass
