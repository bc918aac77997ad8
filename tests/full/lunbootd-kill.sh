#!/bin/bash
# lunbootd's long runs: 200 times kill -9 under write load, and 10,000 power cuts of overlays and commits.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
if [ ! -x "$build/server/test_overlay" ]; then
    echo "SKIP: $build/server/test_overlay has not been built"
    exit 77
fi
# Its points are told as comments: the plan is the next one's.
if ! "$build/server/test_overlay" 10000 | sed 's/^/# /'; then
    echo "not ok 1 - power cuts"
    exit 1
fi
LUNBOOTD_KILLS=200 "$here/../interop/lunbootd-kill.sh"
