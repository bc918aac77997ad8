#!/bin/bash
# The threads of lunbootd with ThreadSanitizer: a build of its own, and the scripts in which threads meet most. A
# report is a failure. TAP, a point a script.
set -u
cd "$(dirname "$0")/../.." || exit 1
build="build-tsan"
log=build/test-logs/lunbootd-threads-build.log
export LUNBOOTD=$PWD/$build/lunbootd LUNBOOTCTL=$PWD/$build/lunbootctl LUNBOOT_THREADS_SECONDS=30
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
trap 'exit 130' INT TERM HUP

make_build() {
    [ -e $build/build.ninja ] ||
        CC=gcc meson setup $build -Duefi=disabled -Db_sanitize=thread -Db_lundef=false || return
    ninja -C $build lunbootd lunbootctl server/test_workers
}

if ! make_build >"$log" 2>&1; then
    tail -n 20 "$log" | sed 's/^/# /'
    echo "not ok 1 - lunbootd is built with ThreadSanitizer"
    echo 1..1
    exit 1
fi
echo "ok 1 - lunbootd is built with ThreadSanitizer"
points=2
failed=0
if TSAN_OPTIONS=exitcode=66 $build/server/test_workers >"$reports/log" 2>&1; then
    echo "ok 2 - test_workers: no report"
else
    sed 's/^/# /' "$reports/log" | tail -n 60
    echo "not ok 2 - test_workers: no report"
    failed=1
fi
for name in threads slow-disk hung-disk slow-files files sanitize control reload images kill; do
    points=$((points + 1))
    if TSAN_OPTIONS="log_path=$reports/$name exitcode=66" "tests/interop/lunbootd-$name.sh" >"$reports/log" 2>&1 &&
        [ -z "$(compgen -G "$reports/$name.*")" ]; then
        echo "ok $points - lunbootd-$name: no report"
    else
        sed 's/^/# /' "$reports/log" | tail -n 20
        cat "$reports/$name".* 2>/dev/null | sed -n '1,60s/^/# /p'
        echo "not ok $points - lunbootd-$name: no report"
        failed=1
    fi
done
echo "1..$points"
exit $failed
