#!/bin/bash
# ./try, as README.md shows it: both machines boot.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
output=$(mktemp)
trap 'rm -f "$output"' EXIT

fail() {
    sed 's/^/# /' "$output"
    echo "not ok 1 - $1"
    exit 1
}
[ "$(id -u)" = 0 ] || {
    echo "SKIP: network namespaces need root"
    exit 77
}
"$top/try" >"$output" 2>&1 </dev/null || fail "./try ends with an error"
for line in 'The loader that came over iSCSI is the one that was put on the disk' 'BOOT-OK root=/dev/sda2 sessions=1' \
    'The target saw 3 logins' "From power-on to Debian's root file system" 'Left behind: the folders build and deps'; do
    grep -q "$line" "$output" || fail "./try does not say '$line'"
done
echo "ok 1 - ./try boots both machines, and says what it leaves behind"
echo "1..1"
