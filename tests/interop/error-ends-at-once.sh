#!/bin/bash
# A run that fails ends with its verdict, and does not wait for anything after it.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address

# takes_less MILLISECONDS ERROR WHAT ARGUMENT...: a run that fails so.
takes_less() {
    local start end most=$1 error=$2 what=$3
    shift 3
    start=$(date +%s%3N)
    in_client "$lunboot" "$@" >"$scratch/out.log" 2>&1 && fail "it did not fail"
    end=$(date +%s%3N)
    grep -q "($error)" "$scratch/out.log" || fail "$what: another error" "$scratch/out.log"
    [ $((end - start)) -lt "$most" ] || fail "$what: $((end - start)) ms"
    ok "$what"
}

takes_less 1500 rootpath-fields "probe with a broken Root Path" \
    probe --interface=vc0 --discovery=off --rootpath=iscsi:nonsense
takes_less 1500 connect-refused "read where nobody listens" \
    read --attempts=1 --rootpath="iscsi:$server_ip::::$iqn"
takes_less 1500 not-enabled "boot that nobody enabled" boot --interface=vc0
takes_less 1500 connect-refused "boot where nobody listens" boot --interface=vc0 --enable=yes \
    --attempts=1 --address=192.0.2.60/24 --rootpath="iscsi:$server_ip::::$iqn" --family=4
pass
