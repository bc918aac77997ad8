# Sourced by scripts after lib.sh: libiscsi's own test suite, and what it says.
# shellcheck shell=bash disable=SC2154,SC2034

# The suite: Debian's, or another version of it.
iscsi_test_cu=${LUNBOOT_ISCSI_TEST_CU:-iscsi-test-cu}

# suite_tests: its tests as SUITE/TEST, one a line, sorted.
suite_tests() {
    "$iscsi_test_cu" --list 2>/dev/null | sed -nE 's/^ALL\.([^.]+)\.([^.]+)$/\1\/\2/p' | sort -u
}

# run_suite WHAT ARGUMENTS...: iscsi-test-cu in the client's namespace, to its end; its log is $scratch/suite.log.
run_suite() {
    local what=$1
    shift
    in_client timeout 400 stdbuf -o0 "$iscsi_test_cu" -v "$@" >"$scratch/suite.log" 2>&1 || true
    grep -qE '^ *tests +[0-9]+' "$scratch/suite.log" || fail "$what: libiscsi's suite did not end" "$scratch/suite.log"
}

# suite_results passed|FAILED: its tests as SUITE/TEST, one a line. One of which something was skipped has not passed.
suite_results() {
    awk -v want="$1" '
        function done() { if (result == want && (want == "FAILED" || !is_skipped)) print suite "/" test }
        /^ *Suite: /{done(); result = ""; suite = $2}
        /^ *Test: /{done(); test = $2; is_skipped = 0; result = ""}
        /SKIPPED/{is_skipped = 1}
        /^passed|(\.\.\.|^ *)passed *$/{result = "passed"}
        /FAILED *$/{result = "FAILED"}
        END{done()}' "$scratch/suite.log" | sort -u
}

# suite_is_good WHAT MISTAKES: no test failed but those (SUITE/TEST|...) that are the suite's own mistakes.
suite_is_good() {
    suite_results FAILED | grep -vE "^($2)\$" >"$scratch/failed" || true
    [ ! -s "$scratch/failed" ] || fail "$1: $(tr '\n' ' ' <"$scratch/failed")" "$scratch/suite.log"
}
