# Sourced by lib.sh: what a script says and how it ends, as TAP points.
# shellcheck shell=bash

points=0
verdict=

# ok SENTENCE: one TAP point that passed.
ok() {
    points=$((points + 1))
    echo "ok $points - $*"
}

# show FILE: a file as TAP diagnostics, its end if it is long.
show() {
    [ -s "$1" ] || return 0
    echo "# ---- $(basename "$1")"
    tail -n 60 "$1" | tr -d '\r' | sed 's/^/# /'
}

# fail MESSAGE [FILE...]: ends the script as failed, with the logs of all that was started.
fail() {
    trap - ERR
    verdict=failed
    points=$((points + 1))
    echo "not ok $points - $1"
    shift
    local file
    for file in "$@" "$scratch"/*.log; do show "$file"; done
    echo "1..$points"
    exit 1
}

# tell_cases FOLDER: a point for each case there, whose line of TAP is in NAME.tap. Where one has failed it shows what
# the case printed, NAME.out, and fails at the end.
tell_cases() {
    local tap failed=0
    for tap in "$1"/*.tap; do
        if grep -q '^ok' "$tap"; then ok "$(sed 's/^ok - //' "$tap")" && continue; fi
        echo "# $(cat "$tap")"
        show "${tap%.tap}.out"
        failed=$((failed + 1))
    done
    [ "$failed" = 0 ] || fail "$failed cases are otherwise"
}

# skip REASON: ends the script as skipped.
skip() {
    trap - ERR
    verdict=skipped
    echo "1..0 # SKIP $*"
    echo "SKIP: $*"
    exit 77
}

# pass: the last line of every script; without it the script has failed.
pass() {
    verdict=passed
    [ "$points" -gt 0 ] || fail "$script checked nothing"
    echo "1..$points"
    exit 0
}

# need PROGRAM...: skips the script where one is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

need_lunboot() {
    [ -x "$lunboot" ] || skip "$lunboot has not been built"
}
