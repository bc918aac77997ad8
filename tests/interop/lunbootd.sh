# Sourced after lib.sh by the tests of lunbootd.
# shellcheck shell=bash disable=SC2154,SC2034

lunbootd=${LUNBOOTD:-$top/build/lunbootd}

need_lunbootd() {
    [ -x "$lunbootd" ] || skip "$lunbootd has not been built"
}

# start_lunbootd ARGUMENTS...: in the server's namespace, at vs0 unless interface= says otherwise.
start_lunbootd() {
    spawn lunbootd ip netns exec "$server_ns" "$lunbootd" --interface="${server_interface:-vs0}" \
        --state="$scratch/state" "$@"
    wait_log lunbootd 'serves '
}

# lunbootd_says PATTERN WHAT: it prints it within moments.
lunbootd_says() {
    wait_log lunbootd "$1" 10
    ok "$2"
}

# lunbootd_refuses WHAT PATTERN PATTERN ARGUMENTS...: it does not start, and says this and tries that.
lunbootd_refuses() {
    local what=$1 problem=$2 remedy=$3 status=0
    shift 3
    in_server timeout 10 "$lunbootd" --state="$scratch/other-state" "$@" >"$scratch/refused.log" 2>&1 || status=$?
    case $status in
    1 | 2) ;;
    *) fail "$what: the exit code is $status" ;;
    esac
    grep -qE -- "$problem" "$scratch/refused.log" || fail "$what: it does not say '$problem'"
    grep -qE -- "^  try: .*$remedy" "$scratch/refused.log" || fail "$what: it does not try '$remedy'"
    ok "$what: a clear error with a remedy"
}
