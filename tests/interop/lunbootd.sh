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

# [exit_code=2] ctl_refuses PATTERN REMEDY WORDS...
ctl_refuses() {
    local problem=$1 remedy=$2 status=0
    shift 2
    "$lunbootctl" --state="$scratch/state" "$@" >"$scratch/ctl.log" 2>&1 || status=$?
    [ "$status" = "${exit_code:-1}" ] || fail "lunbootctl $*: the exit code is $status"
    grep -qE -- "^lunbootctl: .*$problem" "$scratch/ctl.log" || fail "$*: it does not say '$problem'" "$scratch/ctl.log"
    grep -qE -- "^  try: .*$remedy" "$scratch/ctl.log" || fail "$*: it does not try '$remedy'" "$scratch/ctl.log"
    ok "lunbootctl $1: a clear error with a remedy"
}

# two_disks [LINE...]: $scratch/lunbootd.conf with the machines anna, with an overlay over disk.img, and
# bert, with raw.img itself. The lines are added to the part for both.
two_disks() {
    {
        printf '%s\n' 'interface = vs0' 'dhcp = off' 'isns = off' 'slp = off' "state = $scratch/state" \
            "disk = $scratch/disk.img" 'writes = keep' "overlays = $scratch/overlays" 'unknown = ignore' "$@" ''
        printf '%s\n' '[machine anna]' 'mac = 02:00:00:00:00:0a' '' '[machine bert]' 'mac = 02:00:00:00:00:0b' \
            "disk = $scratch/raw.img" 'writes = direct'
    } >"$scratch/lunbootd.conf"
}

# rounds NAME [reads]: this machine writes and reads, round by round, and logs each.
rounds() { spawn "$1" ip netns exec "$client_ns" python3 -u "$interop/disk-rounds.py" "$server_ip" "$@"; }

# quick_goes_on WHAT: the machine `quick` does, in the next three seconds, too.
quick_goes_on() {
    local before after
    before=$(wc -l <"$scratch/quick.log")
    sleep 3
    after=$(wc -l <"$scratch/quick.log")
    [ $((after - before)) -ge 10 ] || fail "$1: $((after - before)) rounds in 3 s" "$scratch/quick.log"
    ok "$1: $((after - before)) rounds in 3 s"
}

# quick_in_time NAME MS WHAT: so does this one, and no round takes longer.
quick_in_time() {
    local before longest
    before=$(wc -l <"$scratch/$1.log")
    sleep 3
    longest=$(tail -n "+$((before + 1))" "$scratch/$1.log" | sed -n 's/^done .* in \([0-9]*\) ms$/\1/p' |
        sort -n | tail -n 1)
    [ -n "$longest" ] || fail "$3: $1 does nothing" "$scratch/$1.log"
    [ "$longest" -le "$2" ] || fail "$3: a round of $1 takes $longest ms" "$scratch/$1.log"
    ok "$3: a round takes $longest ms at most"
}

# boot_client NAMESPACE NUMBER: as firmware does; its Root Path is in $scratch/rootpathNUMBER, and it has its address.
as_firmware=(--vendor-class=PXEClient:Arch:00007:UNDI:003016 --client-arch=7)
boot_client() {
    local log=$scratch/env$2
    ip -n "$1" addr flush dev vc0
    ip -n "$1" link set vc0 down
    ip netns exec "$1" "$lunboot" boot --interface=vc0 --enable=yes --then=env --root="$scratch/root$2" \
        --attempts=1 "${as_firmware[@]}" >"$log"
    sed -n 's/^LUNBOOT_ROOTPATH=//p' "$log" >"$scratch/rootpath$2"
    ip -n "$1" addr add "$(sed -n 's/^LUNBOOT_ADDRESS=//p' "$log")" dev vc0 2>/dev/null || true
    ip -n "$1" link set vc0 up
}

# mount_slow_files FROM AT [cached]: the files of FROM are at AT, too. They do not answer while $scratch/hold is there
# (slow-files.py).
mount_slow_files() {
    slow_at=$2
    spawn files python3 -u "$interop/slow-files.py" "$1" "$2" "$scratch/hold" "${@:3}"
    for _ in $(seq 50); do
        grep -q mounted "$scratch/files.log" && break
        grep -q 'can be mounted' "$scratch/files.log" && skip "no file system can be mounted here"
        sleep 0.1
    done
    trap leave_slow_files EXIT
}

# Also after a failure: who waits for a read cannot be ended.
leave_slow_files() {
    local code=$?
    trap - ERR
    set +e
    rm -f "$scratch/hold" "$scratch/hold.open"
    end lunbootd
    umount -l "$slow_at" 2>/dev/null
    (exit "$code")
    clean_up
}
