#!/bin/bash
# lunbootd reads its configuration again (SIGHUP, lunbootctl reload): machines come, go and change, sessions go on, and
# an error changes nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need qemu-io
make_net
make_gpt_disk "$scratch/disk.img"
make_bytes "$scratch/other.img" 4194304 7
conf=$scratch/lunbootd.conf
# conf_has [LINE...]: what is in the file beside the disk.
conf_has() {
    printf '%s\n' "interface = vs0" "disk = $scratch/disk.img" "writes = keep" "unknown = ignore" "$@" >"$conf"
}
anna=('[machine anna]' 'mac = 02:00:00:00:00:0a' 'address = 192.0.2.77')
bert=('[machine bert]' 'mac = 02:00:00:00:00:0b')

# boots MAC: sets $target and $address; none where it gets no disk.
boots() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
    target=$(sed -n 's/^LUNBOOT_TARGET=//p' "$scratch/out.log")
    address=$(sed -n 's/^LUNBOOT_ADDRESS=//p' "$scratch/out.log")
}
hang_up() { kill -HUP "${pids[lunbootd]}"; }
is_session() {
    ctl list
    ctl_says "^$1 +192\.0\.2\.[0-9]+ +1 " "$2"
}

conf_has "${anna[@]}"
start_lunbootd --config="$conf"
boots 02:00:00:00:00:0a
[ "$target" = iqn.2026-11.org.lunboot:disk:anna ] || fail "anna has $target"
[ "$address" = 192.0.2.77/24 ] || fail "anna is at $address"
boots 02:00:00:00:00:0b
[ -z "$target" ] || fail "bert has $target"
ok "one machine is served, another is not"
give_client_address 192.0.2.50
spawn system ip netns exec "$client_ns" qemu-io -r -f raw -c 'sleep 600000' \
    "iscsi://$server_ip/iqn.2026-11.org.lunboot:disk:anna/0"
lunbootd_says 'logged in as iqn.2008-11.org.linux-kvm' "anna runs"

# Machines come, and keys change.
conf_has "lease = 7200" "${anna[@]}" "${bert[@]}"
ctl reload
ctl_says '^$' "the file is read again"
is_session anna "anna's session goes on"
boots 02:00:00:00:00:0b
[ "$target" = iqn.2026-11.org.lunboot:disk:bert ] || fail "bert has $target"
grep -q '^LUNBOOT_LEASE_SECONDS=7200' "$scratch/out.log" || fail "the lease is another" "$scratch/out.log"
ok "bert has its disk, and the new lease"

# Errors name file, line, value and remedy, and change nothing.
# refused PATTERN REMEDY LINES...
refused() {
    conf_has "${@:3}"
    ctl_refuses "$1" "$2" reload
    is_session anna "anna's session goes on"
    boots 02:00:00:00:00:0b
    [ "$target" = iqn.2026-11.org.lunboot:disk:bert ] || fail "after a refused reload bert has $target"
    ok "bert is served as before"
}
refused 'lunbootd\.conf:5: lease cannot be "long"' 'a number from 60' "lease = long" "${anna[@]}"
refused 'the address of machine carl, 198\.51\.100\.9, is in no network' 'subnet NAME' "${anna[@]}" '[machine carl]' \
    'mac = 02:00:00:00:00:0c' 'address = 198.51.100.9'
refused 'port cannot change while lunbootd runs' 'restart lunbootd' "port = 3261" "${anna[@]}"
refused 'disk of anna cannot change while it runs' 'lunbootctl eject anna' "${anna[@]}" "disk = $scratch/other.img"
refused 'disk /none.img cannot be opened' 'check the path' "${anna[@]}" '[machine carl]' 'mac = 02:00:00:00:00:0c' \
    'disk = /none.img' "${bert[@]}" "disk = $scratch/other.img"
ctl list
grep -q carl "$scratch/ctl.log" && fail "carl is served" "$scratch/ctl.log"
refused 'dhcp-range is not within' 'FIRST-LAST' "dhcp-range = 198.51.100.1-198.51.100.9" "${anna[@]}" "${bert[@]}"

# SIGHUP; a machine that is off gets another disk, one that runs loses its section.
conf_has "${bert[@]}" "disk = $scratch/other.img"
hang_up
lunbootd_says 'has read its configuration again$' "SIGHUP reads the file again"
boots 02:00:00:00:00:0b
[ "$target" = iqn.2026-11.org.lunboot:other:bert ] || fail "bert has $target"
grep -q '^LUNBOOT_BLOCKS=8192' "$scratch/out.log" || fail "bert's disk is another" "$scratch/out.log"
ok "bert has its new disk"
is_session anna "anna's session goes on without its section"
boots 02:00:00:00:00:0a
[ -z "$target" ] || fail "anna boots without a section: $target"
ok "and nobody boots by it any more"
conf_has "${anna[@]}" "disk = $scratch/other.img"
ctl_refuses 'disk or writes of anna cannot change while it runs' 'lunbootctl eject anna' reload
conf_has "${anna[@]}"
ctl reload
boots 02:00:00:00:00:0a
[ "$target" = iqn.2026-11.org.lunboot:disk:anna ] || fail "anna has $target"
ok "with its section anna is served again"
is_session anna "by the session that it had"
ctl list
grep -q bert "$scratch/ctl.log" && fail "bert is served" "$scratch/ctl.log"
echo 'colour = red' >"$conf"
hang_up
lunbootd_says 'goes on as before: .*lunbootd\.conf:1: there is no key "colour"; try: lunbootd --help' \
    "after SIGHUP an error is told in the log"
end system KILL
end lunbootd
pass
