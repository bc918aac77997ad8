#!/bin/bash
# IPsec over IPv6: a disk is read through strongSwan, whose side renews the keys meanwhile, and nothing is in clear.
. "$(dirname "$0")/lib.sh"
. "$interop/strongswan.sh"
need_lunboot
need_strongswan
[ -d /proc/sys/net/ipv6 ] || skip "this kernel has no IPv6"
make_net
serve_disk "[$server_ip6]"
rootpath="iscsi:[$server_ip6]:::1:$iqn"
give_client_address 192.0.2.100
start_strongswan "$server_ip6"
block_clear
start_capture "$server_ns" vs0 'tcp port 3260'
keys=(--ipsec-psk="$psk" --ipsec-id=client.example --ipsec-peer-id=server.example)

# has_child: is there an association, as charon says?
has_child() {
    swan --list-sas && grep -q 'disk.*INSTALLED' "$scratch/swanctl.log"
}

# renew_keys: the server asks for new keys twice, while the disk is read.
renew_keys() {
    local tries=0 done=0
    while [ "$tries" -lt 400 ] && [ "$done" -lt 2 ]; do
        tries=$((tries + 1))
        if has_child && swan --rekey --child disk; then done=$((done + 1)); fi
        sleep 0.02
    done
    echo "$done" >"$scratch/renewed"
}

renew_keys &
renewer=$!
run_lunboot read --rootpath="$rootpath" --output="$scratch/disk.read" --queue-depth=1 "${keys[@]}" --trace=yes
wait "$renewer"
succeeds "a whole disk is read through IPsec over IPv6"
same "$scratch/disk.img" "$scratch/disk.read" "the disk"
[ "$(cat "$scratch/renewed")" = 2 ] || fail "the keys were renewed $(cat "$scratch/renewed") times"
[ "$(grep -c 'ike SAs' "$scratch/err.log")" = 3 ] || fail "lunboot saw other associations than three"
ok "the server renewed the keys twice meanwhile"
stop_capture
none_in_clear
pass
