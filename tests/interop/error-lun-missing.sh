#!/bin/bash
# Error: the target has no such LUN; the message lists those that are there.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
give_client_address
rootpath="iscsi:$server_ip:::7:$iqn"
probe
fails_with lun-missing "a LUN that is not there" 7 "$iqn" '\b1\b'
pass
