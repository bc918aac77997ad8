#!/bin/bash
# lunbootd in a terminal: a line for each machine stands below the log, and is drawn anew in its place. Where standard
# output is no terminal, or with view = off, there is none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need_lunboot
need script
make_net
give_client_address
truncate -s 32M "$scratch/disk.img"

# in_terminal NAME OPTION...: what the terminal got is in $scratch/NAME.log.
in_terminal() {
    local name=$1 command
    shift
    command="stty cols 100 rows 30; exec ip netns exec $server_ns $lunbootd --interface=vs0 --dhcp=off"
    command+=" --state=$scratch/state $* $scratch/disk.img"
    TERM=xterm spawn "$name" script -qfec "$command" /dev/null
    wait_log "$name" 'serves '
}

reads() {
    in_client "$lunboot" read --rootpath="iscsi:$server_ip::::iqn.2026-11.org.lunboot:disk" --output="$scratch/read" \
        --length=8M >"$scratch/read.log" 2>&1 || fail "it cannot be read" "$scratch/read.log"
}

in_terminal view
reads
wait_log view $'\e\\[1A\e\\[J'
ok "the lines are taken away and drawn anew"
wait_log view '192[.]0[.]2[.]50 +(reading|login|running|off) '
ok "the machine has a line, with its state"
tr '\r' '\n' <"$scratch/view.log" | sed $'s/\e\\[[0-9]*[AJ]//g' >"$scratch/lines"
grep -qE '^[0-9:]+ +192[.]0[.]2[.]50 +logged out' "$scratch/lines" || fail "the log is not there"
ok "the log stands above"
end view

in_terminal none --view=off
reads
wait_log none 'logged out'
! grep -q $'\e\\[' "$scratch/none.log" || fail "view = off: there is an escape sequence"
ok "view = off: the log alone"
end none
pass
