#!/bin/bash
# A read-only LUN: it boots and reads like any other, and a write to it is one explained error.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt --mode logicalunit --op update --tid 1 --lun 1 --params readonly=1
give_client_address

probe
succeeds "a probe of a read-only disk succeeds"
says 'read-only' "the probe says that the disk is read-only"
reads_the_disk "a read-only disk is read"
if [ -x "$exercise" ]; then
    before=$(sha256 "$scratch/disk.img")
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=65536
    fails_with write-protected "a write to a read-only disk"
    [ "$before" = "$(sha256 "$scratch/disk.img")" ] || fail "the read-only disk has changed"
    ok "the read-only disk has not changed"
fi
pass
