# Sourced by every script of tests/interop and tests/vm. A script is one peer and one subject.
#
# It makes network namespaces of its own, starts real programs in them, runs lunboot and says what it
# saw as TAP points. Exit code: 0 all passed, 77 skipped (a line `SKIP: reason` says why), else failed.
# Nothing outlives a script, whatever its end: processes are ended by their recorded pid, namespaces
# and the scratch folder are removed. Any number of scripts may run at once.
#
# This file has the beginning and the end of a script. What it can do in between is in the files that are
# sourced here, one story each.
#
# Environment: LUNBOOT (default build/lunboot), LUNBOOT_EXERCISE, KEEP=yes keeps the scratch folder.
# shellcheck shell=bash disable=SC2034  # the scripts use what is set here

set -Eeuo pipefail
shopt -s lastpipe # `... | start_dnsmasq` runs here, and its pid is known here

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
interop=$top/tests/interop
script=$(basename "$0")

. "$interop/points.sh"
. "$interop/processes.sh"
. "$interop/namespaces.sh"
. "$interop/capture.sh"
. "$interop/dhcp.sh"
. "$interop/disks.sh"
. "$interop/tgt.sh"
. "$interop/isns.sh"
. "$interop/slp.sh"
. "$interop/client.sh"

clean_up() {
    local code=$? name ns pid
    trap - ERR EXIT
    set +e
    for name in "${spawned[@]:-}"; do
        [ -z "$name" ] || end "$name" "$([[ $name == tgtd* ]] && echo KILL || echo TERM)"
    done
    for ns in "$server_ns" "$client_ns" "$relay_ns" ${more_ns[@]+"${more_ns[@]}"}; do
        [ -e "/run/netns/$ns" ] || continue
        for pid in $(ip netns pids "$ns"); do # whatever else still runs there: it is ours
            kill -KILL "$pid" 2>/dev/null
        done
        ip netns del "$ns"
    done
    if [ "${KEEP:-}" = yes ]; then echo "# kept: $scratch"; else rm -rf "$scratch"; fi
    if [ -z "$verdict" ]; then
        echo "not ok $((points + 1)) - $script ended without a verdict (exit code $code)"
        exit 1
    fi
    exit "$code"
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/lb-XXXXXX")
mkdir -p "$scratch/root/etc"
trap clean_up EXIT
trap 'fail "line $LINENO failed: $BASH_COMMAND"' ERR
trap 'fail "interrupted"' INT TERM HUP
trap 'exec >/dev/null 2>&1; verdict=failed; exit 1' PIPE # nobody reads what we say
