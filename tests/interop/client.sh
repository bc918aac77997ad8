# Sourced by lib.sh: lunboot as a client: boots, reads, and what it said.
# shellcheck shell=bash

lunboot=${LUNBOOT:-$top/build/lunboot}
exercise=${LUNBOOT_EXERCISE:-$top/build/lunboot-exercise}

# Each of these leaves the exit code in $status, what was printed in $scratch/out.log (standard output)
# and $scratch/err.log, and never ends the script by itself. After 60 s (TIME_LIMIT) lunboot is ended.
run_lunboot() {
    status=0
    rm -f "$scratch/out.log" "$scratch/err.log"
    in_client timeout --kill-after=5 "${TIME_LIMIT:-60}" "$lunboot" "$@" \
        >"$scratch/out.log" 2>"$scratch/err.log" || status=$?
    [ "$status" != 124 ] || fail "lunboot $1 did not end within ${TIME_LIMIT:-60} s"
    [ "$status" -lt 128 ] || fail "lunboot $1 was ended by signal $((status - 128))"
}

# boot ARGUMENTS...: one attempt to boot from the bare interface, ended by the report.
boot() {
    run_lunboot boot --interface=vc0 --enable=yes --then=report --root="$scratch/root" --attempts=1 "$@"
}

# boot_then_read: a boot whose `then` program notes what the machine looks like at that moment (the
# environment, addresses, routes, resolv.conf) in $scratch/then.log, and reads the disk's EFI system
# partition by a `lunboot read` of its own. Needs $rootpath.
boot_then_read() {
    cat >"$scratch/then" <<THEN
#!/bin/bash
exec >"$scratch/then.log" 2>&1
env | grep ^LUNBOOT | sort
ip -o addr show dev vc0
ip -o link show dev vc0
ip route show
ip -6 route show dev vc0
cat "$scratch/root/etc/resolv.conf"
exec "$lunboot" read --rootpath="$rootpath" --offset=$esp_offset --length=$esp_bytes \
    --output="$scratch/esp.img"
THEN
    chmod +x "$scratch/then"
    run_lunboot boot --interface=vc0 --enable=yes --then="$scratch/then" --root="$scratch/root" "$@"
}

# saw PATTERN WHAT: what the `then` program of boot_then_read must have seen.
saw() {
    grep -qE -- "$1" "$scratch/then.log" || fail "$2: nothing in then.log matches '$1'"
    ok "$2"
}

# read_the_loader: after boot_then_read, the loader of the partition is the one that was put there.
read_the_loader() {
    take_loader "$scratch/esp.img" "$scratch/loader.read"
    same "$scratch/loader.efi" "$scratch/loader.read" "the loader read over iSCSI"
    ok "the loader read over iSCSI is the one that was put on the disk"
}

# read_disk OFFSET LENGTH FILE [ARGUMENTS...]: copies a piece of the disk at $rootpath. A length of 0 is
# the whole disk.
read_disk() {
    local where=(--offset="$1" --length="$2")
    [ "$2" != 0 ] || where=()
    rm -f "$3"
    run_lunboot read --rootpath="$rootpath" "${where[@]}" --output="$3" "${@:4}"
}

# reads_the_disk WHAT [ARGUMENTS...]: all of $scratch/disk.img comes over, and is the same; or its first
# $read_bytes, where the target is slow.
reads_the_disk() {
    local what=$1
    shift
    read_disk 0 "${read_bytes:-0}" "$scratch/copy.img" "$@"
    succeeds "$what"
    cmp ${read_bytes:+-n "$read_bytes"} "$scratch/disk.img" "$scratch/copy.img" >/dev/null ||
        fail "$what: the bytes differ"
    ok "$what: every byte is right"
    rm -f "$scratch/copy.img"
}

# probe [ARGUMENTS...]: a dry run from a client that is on the network.
probe() { run_lunboot probe --rootpath="$rootpath" --attempts=1 "$@"; }

# lock_settings: from here on lunboot cannot write the kernel's settings, as in a container. IPv6 is slower then:
# the kernel takes a second or two for each address (`ip netns exec` makes a mount namespace of its own).
lock_settings() {
    cat >"$scratch/locked-lunboot" <<LOCKED
#!/bin/sh
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$lunboot" "\$@"
LOCKED
    chmod +x "$scratch/locked-lunboot"
    lunboot=$scratch/locked-lunboot
}

# succeeds WHAT: lunboot's last run must have ended well.
succeeds() {
    [ "$status" = 0 ] || fail "$1: lunboot's exit code is $status"
    ok "$1"
}

# says PATTERN WHAT: the last run must have printed it (an extended regular expression).
says() {
    grep -qE -- "$1" "$scratch/out.log" "$scratch/err.log" ||
        fail "${2:-the output}: nothing matches '$1'"
    [ -z "${2:-}" ] || ok "$2"
}

# fails_with CODE WHAT PATTERN...: the last run must have failed with this error, named by its code, with
# every fact in PATTERN and with a hint.
fails_with() {
    local code=$1 what=$2 pattern
    shift 2
    [ "$status" -ne 0 ] || fail "$what: lunboot ended well"
    says "$code"
    for pattern in "$@"; do says "$pattern"; done
    says '^ *(hint|try)'
    ok "$what: $code, with its facts and a hint"
}
