#!/bin/bash
# Error: no DHCP server answers.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net

boot --dhcp-timeout=6s
fails_with dhcp-no-offer "no DHCP server" vc0
[ -z "$(ip -n "$client_ns" -4 -o addr show dev vc0)" ] || fail "an address was left behind"
ok "no address is left on the interface"
pass
