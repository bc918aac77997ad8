#!/bin/bash
# lunbootd's long runs: 200 times kill -9 under write load, and 10,000 power cuts of overlays and commits.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
if [ ! -x "$build/server/test_overlay" ]; then
    echo "SKIP: $build/server/test_overlay has not been built"
    exit 77
fi
"$build/server/test_overlay" 10000 | grep -v '^1\.\.' # the plan is the next one's
LUNBOOTD_KILLS=200 "$here/../interop/lunbootd-kill.sh"
