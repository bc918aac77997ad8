#!/bin/bash
# Error: tgt's access list does not have this initiator.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt --mode target --op unbind --tid 1 -I ALL
tgt --mode target --op bind --tid 1 -Q iqn.2026-11.test:friend
give_client_address
probe --initiator=iqn.2026-11.test:unknown
# tgt does not tell one it does not know that the target is there; other targets say 0202.
fails_with 'not-authorised|target-not-found' "an initiator that tgt does not let in" \
    iqn.2026-11.test:unknown "$iqn"
probe --initiator=iqn.2026-11.test:friend
succeeds "the initiator on the list gets in"
end tgtd KILL
start_fake_target status 0202
probe --initiator=iqn.2026-11.test:unknown
fails_with not-authorised "a target that answers 0202" iqn.2026-11.test:unknown "$iqn"
pass
