#!/bin/bash
# tgt with one-way CHAP: MD5. tgt takes 7, the number of SHA-256, for its own SHA-1: a list with 7 in it
# must end with MD5, and a list without MD5 is one explained error.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt_account boot boot-secret-0123 1
give_client_address
chap=(--chap-name=boot --chap-secret=boot-secret-0123)

reads_the_disk "CHAP with tgt, algorithms as they come" "${chap[@]}"
for algorithms in md5 sha256,md5 sha3-256,sha256,sha1,md5; do
    reads_the_disk "CHAP with tgt and $algorithms" "${chap[@]}" --chap-algorithms=$algorithms
done
for algorithm in sha1 sha256 sha3-256; do
    probe "${chap[@]}" --chap-algorithms=$algorithm
    fails_with auth-method "CHAP with tgt and $algorithm alone" "$iqn"
done
reads_the_disk "a required CHAP that was done is enough" "${chap[@]}" --require=chap
pass
