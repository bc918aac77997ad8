#!/bin/bash
# DNS servers that behave as they do in the field: all cases of odd-dns.py, many at once. The name is found where
# other resolvers find it, or the error says what the servers said.
#
# `odd-dns.sh NAME...` runs these alone.
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3
make_net
give_client_address
at_once=30
odd=$scratch/odd
mkdir "$odd"
python3 "$interop/odd-dns.py" --list >"$odd/cases"
address_of() { echo "10.78.$(($1 / 200)).$(($1 % 200 + 1))"; }
{
    while read -r number _; do
        echo "address add $(address_of $((2 * number + 1)))/16 dev vs0"
        echo "address add $(address_of $((2 * number + 2)))/16 dev vs0"
    done <"$odd/cases"
} >"$odd/addresses"
ip -n "$server_ns" -batch "$odd/addresses"
ip -n "$client_ns" addr add 10.78.255.1/16 dev vc0
spawn dns in_server python3 "$interop/odd-dns.py" 10.78
wait_log dns ready

# run_case NUMBER NAME HAS_SECOND HOST OPTIONS PATTERN: a line "ok" or "not ok" in $odd/NAME.tap
run_case() {
    local servers status=0
    servers=$(address_of $((2 * $1 + 1)))
    [ "$3" = no ] || servers+=,$(address_of $((2 * $1 + 2)))
    # shellcheck disable=SC2086  # options have no blanks
    in_client timeout --kill-after=5 60 "$lunboot" probe --rootpath="iscsi:$4:::1:$iqn" --dns="$servers" --attempts=1 \
        $5 >"$odd/$2.out" 2>&1 || status=$?
    tr '\n' ' ' <"$odd/$2.out" >"$odd/$2.line"
    if grep -qE -- "$6" "$odd/$2.line" && ! grep -q 192.0.2.66 "$odd/$2.out"; then
        echo "ok - $2"
    else
        echo "not ok - $2 (exit code $status), where /$6/ is right"
    fi >"$odd/$2.tap"
}

wanted=" $* "
while read -r number name second host rest; do
    [ $# = 0 ] || [[ $wanted == *" $name "* ]] || continue
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n || true; done
    run_case "$number" "$name" "$second" "$host" "${rest%%|*}" "${rest#*| }" &
done <"$odd/cases"
wait
tell_cases "$odd"
pass
