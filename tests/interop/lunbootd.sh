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

lunbootctl=${LUNBOOTCTL:-$top/build/lunbootctl}

# ctl WORDS...: what it prints is in $scratch/ctl.log.
ctl() {
    "$lunbootctl" --state="$scratch/state" "$@" >"$scratch/ctl.log" 2>&1 ||
        fail "lunbootctl $* failed" "$scratch/ctl.log"
}

# ctl_says PATTERN WHAT: it has printed it; ^$ stands for nothing at all.
ctl_says() {
    if [ "$1" = '^$' ]; then
        [ ! -s "$scratch/ctl.log" ] || fail "$2: lunbootctl says something" "$scratch/ctl.log"
    else
        grep -qE -- "$1" "$scratch/ctl.log" || fail "$2: lunbootctl does not say '$1'" "$scratch/ctl.log"
    fi
    ok "$2"
}

# ctl_refuses PATTERN REMEDY WORDS...
ctl_refuses() {
    local problem=$1 remedy=$2 status=0
    shift 2
    "$lunbootctl" --state="$scratch/state" "$@" >"$scratch/ctl.log" 2>&1 || status=$?
    [ "$status" = 1 ] || fail "lunbootctl $*: the exit code is $status"
    grep -qE -- "^lunbootctl: .*$problem" "$scratch/ctl.log" || fail "$*: it does not say '$problem'" "$scratch/ctl.log"
    grep -qE -- "^  try: .*$remedy" "$scratch/ctl.log" || fail "$*: it does not try '$remedy'" "$scratch/ctl.log"
    ok "lunbootctl $1: a clear error with a remedy"
}
