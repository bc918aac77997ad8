#!/bin/bash
# Does a seed mean the same to every build of lunboot-sim? Each build's traces of the same seeds, by their
# hashes, against those of build/. What differs is told by its seed and the first line of the trace that
# does. TAP, a point a build; one that is not there is skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

run_seeds() { # BUILD SEEDS
    "$1/lunboot-sim" --hashes --seeds="$2" >"$work/$1.$2" 2>&1
}

show_difference() { # BUILD SEEDS
    local seed
    seed=$(diff "$work/build.$2" "$work/$1.$2" | sed -n 's/^[<>] seed \([0-9]*\):.*/\1/p' | sed -n 1p)
    [ -n "$seed" ] || {
        diff "$work/build.$2" "$work/$1.$2" | sed -n 1,20p | sed 's/^/# /'
        return
    }
    echo "# seed $seed: the first lines that differ (< build, > $1)"
    build/lunboot-sim --seed="$seed" --trace >"$work/ours" 2>&1
    "$1/lunboot-sim" --seed="$seed" --trace >"$work/theirs" 2>&1
    diff "$work/ours" "$work/theirs" | sed -n 1,10p | sed 's/^/# /'
}

compare() { # BUILD SEEDS
    local name="$1 and build give the same traces of $2 seeds"
    points=$((points + 1))
    if [ ! -x build/lunboot-sim ] || [ ! -x "$1/lunboot-sim" ]; then
        echo "ok $points - $name # SKIP $1/lunboot-sim or build/lunboot-sim is not built"
        return
    fi
    run_seeds build "$2"
    run_seeds "$1" "$2"
    if grep -q "^seed $2: " "$work/build.$2" && cmp -s "$work/build.$2" "$work/$1.$2"; then
        echo "ok $points - $name"
        return
    fi
    show_difference "$1" "$2"
    echo "not ok $points - $name"
    failed=1
}

points=0
failed=0
compare build-clang 3000
compare build-asan 300 # a seed takes it some twenty times as long
echo "1..$points"
exit $failed
