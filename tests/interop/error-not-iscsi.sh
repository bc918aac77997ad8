#!/bin/bash
# Errors: something listens on the port, but it is no iSCSI target.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
start_fake_target silent
TIME_LIMIT=120 probe --login-timeout=3s
fails_with login-timeout "a listener that never speaks" '192\.0\.2\.1'
end fake-target
start_fake_target chatter
probe
fails_with login-protocol "a mail server" '192\.0\.2\.1'
end fake-target
start_fake_target hang-up
probe
fails_with login-closed "a listener that hangs up" '192\.0\.2\.1'
pass
