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
takes_less 1500 connect-unreachable "a link-local portal without interface=" \
    probe --attempts=1 --rootpath="iscsi:[fe80::1]::::$iqn"
grep -q "fe80::1 is a link-local address: give interface=" "$scratch/out.log" || fail "the reason is not said"
ok "it says that interface= is missing"

# verdict_to_end ARGUMENTS...: the milliseconds between the line of the trace that says that it is over, and the
# program's end, in $late_ms.
verdict_to_end() {
    local line verdict=0 ended
    while IFS= read -r line; do
        [[ $line != *"-> over" ]] || verdict=${EPOCHREALTIME/[.,]/}
    done < <(in_client "$lunboot" "$@" --trace 2>&1 || true)
    ended=${EPOCHREALTIME/[.,]/}
    [ "$verdict" != 0 ] || fail "no verdict in the trace of $1"
    late_ms=$(((ended - verdict) / 1000))
}

# ends_with_its_verdict WHAT ARGUMENTS...: within 100 ms; on a busy machine in one of five runs.
ends_with_its_verdict() {
    local what=$1 try
    shift
    for try in 1 2 3 4 5; do
        verdict_to_end "$@"
        [ "$late_ms" -ge 100 ] || break
        [ "$try" -lt 5 ] || fail "$what: $late_ms ms after the verdict"
    done
    ok "$what"
}

ends_with_its_verdict "a probe ends within 0.1 s of its verdict" \
    probe --attempts=1 --rootpath="iscsi:$server_ip::::$iqn"
ends_with_its_verdict "so does a read" read --attempts=1 --rootpath="iscsi:$server_ip::::$iqn"
ends_with_its_verdict "and a probe of the network, where nobody answers" \
    probe --interface=vc0 --attempts=1 --dhcp-timeout=2s
pass
