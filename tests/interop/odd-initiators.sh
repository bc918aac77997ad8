#!/bin/bash
# What other initiators send, as scripts (odd-initiators.py, odd-initiators.table): against an overlay, a raw file, a
# disk behind CHAP, one that is read only, and both kinds with blocks of 4,096 bytes.
#
# `odd-initiators.sh NAME...` runs these cases alone.
. "$(dirname "$0")/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
need python3
make_net
give_client_address
truncate -s 64M "$scratch/disk.img" "$scratch/raw.img" "$scratch/secret.img"
two_disks
cat >>"$scratch/lunbootd.conf" <<CONF

[machine carl]
mac = 02:00:00:00:00:0c
disk = $scratch/secret.img
writes = direct
chap-name = carl
chap-secret = boot-secret-0123
CONF
chmod 600 "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf"
base=iqn.2026-11.org.lunboot

# run_cases WHAT OPTION...: the cases of odd-initiators.py, each a line of TAP.
failed=0
run_cases() {
    local what=$1 line
    in_client timeout 300 python3 "$interop/odd-initiators.py" --address="$server_ip" "${@:2}" "${wanted[@]}" \
        >"$scratch/cases.log" 2>&1 || true
    grep -q '^ok\|^not ok' "$scratch/cases.log" || [ ${#wanted[@]} -gt 0 ] ||
        fail "$what: no case has run" "$scratch/cases.log"
    while read -r line; do
        case $line in
        "ok - "*) ok "$what: ${line#ok - }" ;;
        *) echo "# $what: $line" && failed=$((failed + 1)) ;;
        esac
    done <"$scratch/cases.log"
}

wanted=("$@")
run_cases overlay --target="$base:disk:anna"
run_cases "raw file" --target="$base:raw:bert"
run_cases CHAP --target="$base:secret:carl" --chap=carl:boot-secret-0123
end lunbootd
start_lunbootd --dhcp=off --isns=off --slp=off --read-only "$scratch/disk.img"
run_cases "read only" --target="$base:disk" --read-only
is_alive lunbootd || fail "lunbootd died"
end lunbootd
two_disks 'block-size = 4096'
start_lunbootd --config="$scratch/lunbootd.conf"
run_cases "overlay, blocks of 4096" --target="$base:disk:anna" --any-block
run_cases "raw file, blocks of 4096" --target="$base:raw:bert" --any-block
is_alive lunbootd || fail "lunbootd died"
[ "$failed" = 0 ] || fail "$failed cases are otherwise"
pass
