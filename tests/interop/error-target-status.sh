#!/bin/bash
# Errors: the other ways in which a target refuses a login, each with its own word.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
while read -r status_word code what; do
    start_fake_target status "$status_word"
    TIME_LIMIT=120 probe
    fails_with "$code" "$what" '192\.0\.2\.1' "$iqn"
    end fake-target
done <<CASES
0201 auth-(failed|needed) authentication failed
0203 target-not-found not found
0204 target-removed removed
0205 login-version unsupported version
0206 target-busy too many connections
0300 login-rejected|target-busy target error
CASES
pass
