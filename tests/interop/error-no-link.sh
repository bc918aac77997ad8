#!/bin/bash
# Error: the cable is not plugged in.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
ip -n "$server_ns" link set vs0 down # the other end of the cable

boot --link-timeout=2s
fails_with no-link "no link" vc0
grep -q '[<,]UP[,>]' <(ip -n "$client_ns" -o link show vc0) && fail "the interface was left up"
ok "the interface is left as it was found"
pass
