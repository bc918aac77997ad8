#!/bin/bash
# lunbootctl: lists machines, shows one, resets, ejects, adds and removes, as text and as JSON; others may not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
need qemu-io python3
make_net
make_gpt_disk "$scratch/disk.img"
mac=02:00:00:00:00:0a
start_lunbootd --writes=keep "$scratch/disk.img"

# boots: sets $rootpath.
boots() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$mac"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1 "$@"
    rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
    [ -z "$rootpath" ] || give_client_address
}
writes() {
    lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=8388608 --seed="$1" "${@:2}"
}

[ "$(stat -c %a "$scratch/state/control")" = 600 ] || fail "others may open the control socket"
[ "$(stat -c %a "$scratch/state")" = 700 ] || fail "others may see the state folder"
ok "the control socket is its owner's alone"
boots
ctl list
ctl_says '^02-00-00-00-00-0a +off +0 .* /.*/disk\.img$' "a machine that asked for an address is listed"
ctl show 02-00-00-00-00-0a
ctl_says '^mac +02:00:00:00:00:0a$' "one machine is shown"
ctl_says '^target +iqn\.2026-11\.org\.lunboot:disk:02-00-00-00-00-0a$' "with its target"
ctl_says '^stage +login 15%$' "and with its stage"
ctl --json list
python3 -c 'import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert len(lines) == 1 and lines[0]["mac"] == "02:00:00:00:00:0a" and lines[0]["state"] == "off", lines
assert lines[0]["stage"] == "login", lines' \
    <"$scratch/ctl.log" || fail "the JSON is wrong" "$scratch/ctl.log"
ok "--json gives an object a line"

writes 1
succeeds "the machine writes"
ctl show $mac
ctl_says '^overlay +1\.0 MiB$' "what it wrote is counted; a machine is found by its card, too"
ctl reset $mac
ctl_says '^$' "it is reset"
reads_the_disk "after the reset it has the unchanged disk"

# A system that runs: QEMU keeps its session.
spawn system ip netns exec "$client_ns" qemu-io -r -f raw -c 'sleep 60000' "iscsi://$server_ip/${rootpath##*:0:}/0"
for _ in $(seq 100); do
    ctl list
    grep -qE ' 192\.0\.2\.[0-9]+ +1 ' "$scratch/ctl.log" && break
    sleep 0.1
done
ctl_says "^02-00-00-00-00-0a +192\.0\.2\.[0-9]+ +1 " "a machine that runs is listed with its address"
ctl show $mac
ctl_says "^session +192\.0\.2\.[0-9]+:[0-9]+ as iqn\..*: read " "its session is shown"
ctl_refuses "02-00-00-00-00-0a is running" 'lunbootctl eject 02-00' reset $mac
ctl eject $mac
lunbootd_says '02-00-00-00-00-0a +is ejected until its next boot' "it is ejected"
ctl list
ctl_says ' ejected +0 ' "and listed so"
run_lunboot probe --rootpath="$rootpath" --attempts=1
[ "$status" != 0 ] || fail "an ejected machine has logged in"
ok "it cannot log in"
end system KILL
boots --vendor-class=PXEClient:Arch:00007:UNDI:003016 --client-arch=7
run_lunboot probe --rootpath="$rootpath" --attempts=1
succeeds "its next boot has its disk again"

# Machines that come and go.
make_bytes "$scratch/other.img" 4194304 7
mac=02:00:00:00:00:0b
ctl add bert mac=$mac address=192.0.2.88 disk="$scratch/other.img" writes=keep
ctl_says '^$' "a machine is added"
boots
[[ $rootpath == *:other:bert ]] || fail "the machine that was added has $rootpath"
grep -q '^LUNBOOT_ADDRESS=192.0.2.88/' "$scratch/out.log" || fail "it has another address"
ok "it has its disk and its address"
ctl_refuses 'lunbootctl add:1: there are two machines bert' 'another name' add bert mac=02:00:00:00:00:0c
ctl_refuses 'lunbootctl add:2: mac cannot be "02"' 'a card' add carl mac=02
ctl_refuses 'machines bert and carl have the same mac' 'each machine its own' add carl mac=$mac
ctl_refuses 'the address of machine carl, 198.51.100.9, is in no network' 'subnet NAME' \
    add carl mac=02:00:00:00:00:0c address=198.51.100.9
ctl_refuses 'disk .*/none.img cannot be opened' 'check the path' add carl mac=02:00:00:00:00:0c disk=/none.img
ctl_refuses 'a secret is seen by others' 'lunbootd\.conf' add carl mac=02:00:00:00:00:0c chap-name=carl \
    chap-secret=hardly-secret
ctl list
grep -q carl "$scratch/ctl.log" && fail "a machine that was refused is listed" "$scratch/ctl.log"
ok "nothing is left of a machine that was refused"
end lunbootd KILL
start_lunbootd --writes=keep "$scratch/disk.img"
boots
[[ $rootpath == *:other:bert ]] || fail "after kill -9 the machine that was added has $rootpath"
ok "after kill -9 it is there"
ctl remove bert
boots
[[ $rootpath == *:disk:02-00-00-00-00-0b ]] || fail "the machine that was removed has $rootpath"
ok "a machine that was removed is unknown again"

# What goes wrong.
ctl_refuses 'there is no machine dora' 'lunbootctl list' show dora
exit_code=2 ctl_refuses 'there is no command "dance"' 'lunbootctl --help' dance
exit_code=2 ctl_refuses 'there is no command "image dance"' 'lunbootctl --help' image dance
exit_code=2 ctl_refuses 'something is missing after show' 'lunbootctl show MACHINE' show
exit_code=2 ctl_refuses 'too many words after list' 'lunbootctl list' list all
end lunbootd
ctl_refuses 'lunbootd does not answer at .*/control: No such file' 'start lunbootd' list
pass
