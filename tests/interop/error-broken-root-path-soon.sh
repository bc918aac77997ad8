#!/bin/bash
# Errors: the only answer has a broken Root Path. It is told at once, and nothing waits long.
. "$(dirname "$0")/lib.sh"
need_lunboot
need script
make_net
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"iscsi:192.0.2.1:6:3260"
CONF

# within SECONDS WHAT ARGUMENTS...: one run; the console has the mistake, and it ends by then.
within() {
    local most=$1 what=$2 began
    shift 2
    began=$(now_ms)
    "$@"
    local took=$(($(now_ms) - began))
    fails_with rootpath-fields "$what" "1 answer passed over"
    [ "$took" -lt "$((most * 1000))" ] || fail "$what: $took ms" "$scratch/err.log"
    ok "$what: within $most s"
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }

within 6 "with discovery" boot
within 4 "without discovery" boot --discovery=off
within 2 "of IPv4 alone" boot --discovery=off --family=4

# On a terminal.
in_client timeout 60 script -qec "$lunboot boot --interface=vc0 --enable=yes --then=report --root=$scratch/root \
    --attempts=1 --discovery=off" /dev/null >"$scratch/err.log" </dev/null || true
says 'passed-over: rootpath-fields: from DHCP server 192\.0\.2\.1'
says 'waiting: up to 800 ms for the answer of another server'
ok "the console says what is wrong, and what is waited for"
pass
