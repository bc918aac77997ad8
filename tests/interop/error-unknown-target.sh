#!/bin/bash
# Error: tgt has no target of this name.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
give_client_address
rootpath="iscsi:$server_ip:::1:iqn.2026-11.test:dsik1"
probe
fails_with target-not-found "a target name that is not there" iqn.2026-11.test:dsik1 '192\.0\.2\.1'
pass
