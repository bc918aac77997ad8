#!/bin/bash
# lunbootd gives known clients the same address after a restart and after kill -9, even if another asks first.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
make_net
make_gpt_disk "$scratch/disk.img"

# Three addresses for three machines: a server that has forgotten them would give the first to whoever asks first.
start() { start_lunbootd --dhcp-range=192.0.2.100-192.0.2.102 "$scratch/disk.img"; }

# asks MAC: sets $address.
asks() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
    address=$(sed -n 's/^LUNBOOT_ADDRESS=//p' "$scratch/out.log")
}

# has MAC ADDRESS WHAT
has() {
    asks "$1"
    [ "$address" = "$2" ] || fail "$3: $1 is given $address, and had $2"
    ok "$3"
}

start
asks 02:00:00:00:00:0a
a=$address
asks 02:00:00:00:00:0b
b=$address
[[ -n $a && -n $b && $a != "$b" ]] || fail "the two have $a and $b"
ok "two machines have an address each"
has 02:00:00:00:00:0a "$a" "a machine that comes again has its address"
end lunbootd
start
has 02:00:00:00:00:0b "$b" "after a restart a known machine is answered the same"
asks 02:00:00:00:00:0c
c=$address
[[ -n $c && $c != "$a" && $c != "$b" ]] || fail "the third has $c"
ok "a third gets the address that is left"

# Killed at the moment that the machine has its answer.
for round in 1 2 3 4 5; do
    end lunbootd KILL
    rm -rf "$scratch/state"
    start
    asks 02:00:00:00:00:1$round
    first=$address
    end lunbootd KILL
    start
    asks 02:00:00:00:00:2$round
    [ "$address" != "$first" ] || fail "after kill -9 an unknown client is given $first, which is another's"
    asks 02:00:00:00:00:1$round
    [ "$address" = "$first" ] || fail "after kill -9 a known machine is given $address, and had $first"
done
ok "after kill -9 a known machine is answered the same, and an unknown client another address"
lunbootd_refuses "a state folder in use" "another lunbootd is using $scratch/state" '--state=FOLDER' \
    --interface=vs0 --state="$scratch/state" "$scratch/disk.img"
lunbootd_refuses "a state folder that cannot be had" 'nothing can be kept in /proc/x' '--state=FOLDER' \
    --interface=vs0 --state=/proc/x "$scratch/disk.img"
pass
