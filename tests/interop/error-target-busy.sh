#!/bin/bash
# Error: the target is out of resources. (No real target here can be made busy on demand.)
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
for status_word in 0301 0302; do
    start_fake_target status $status_word
    TIME_LIMIT=120 probe
    fails_with target-busy "a target that answers $status_word" '192\.0\.2\.1' "$iqn"
    end fake-target
done
pass
