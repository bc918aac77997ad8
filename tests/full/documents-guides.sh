#!/bin/bash
# docs/guides.md, followed as written: its commands run on a computer with eth1, /srv and /etc/lunbootd.conf of its own;
# machines with UEFI firmware and thirty clients boot as it says.
. "$(dirname "$0")/../interop/lib.sh"
. "$top/tests/interop/lunbootd.sh"
. "$top/tests/vm/kernel.sh"
. "$top/tests/vm/firmware.sh"
. "$top/tests/docs/documents-lib.sh"
begin dnsmasq nsenter
need_lunboot
[ -x "$exercise" ] || skip "$exercise has not been built"
mapfile -t pupils < <(seq -w 30)

# The network: eth1 is a bridge, with the machine's tap0, the clients, and the company's DHCP server.
in_server ip addr flush dev tap0
in_server ip link add eth1 type bridge
in_server ip addr add "$server_ip/24" dev eth1
in_server ip link set eth1 up
to_bridge() { in_server ip link set "$1" master eth1 up; }
to_bridge tap0
for n in "${pupils[@]}"; do
    make_namespace "lb-p$n-$$"
    more_ns+=("lb-p$n-$$")
    join "$server_ns" "vp$n" "lb-p$n-$$" vc0
    ip -n "lb-p$n-$$" link set vc0 address "02:00:00:00:01:$n"
    to_bridge "vp$n"
    mkdir -p "$scratch/root$n/etc"
done
make_namespace "$relay_ns"
join "$server_ns" vs1 "$relay_ns" vs0
to_bridge vs1
in_relay ip addr add 192.0.2.3/24 dev vs0
in_relay ip link set vs0 up

# The computer: folders of its own where the guide writes.
mkdir -p "$scratch"/{srv,etc,var}
cp -a /etc/. "$scratch/etc/"
ibft_init "$scratch/init"
make_debian_disk "$scratch/srv/debian.img" "$scratch/init" iscsi_ibft
cp --sparse=always "$scratch/srv/debian.img" "$scratch/srv/debian-new.img"
printf 'NEW' | dd of="$scratch/srv/debian-new.img" bs=1M seek=36 conv=notrunc status=none
# shellcheck disable=SC2016  # that shell expands them
spawn computer ip netns exec "$server_ns" unshare --mount sh -c 'mount --bind "$1/etc" /etc &&
    mount --bind "$1/srv" /srv && mount --bind "$1/var" /var/lib && touch "$1/computer" && exec sleep 3600' \
    sh "$scratch"
wait_for 10 "the computer" test -e "$scratch/computer"
on_computer() { nsenter -t "${pids[computer]}" -m -n "$@"; }
# block NAME: the guide's commands of that name; sets $block
block() {
    take_blocks "run guide $1"
    block=$scratch/guide-$1
    cat "$blocks"/[0-9][0-9][0-9] >"$block"
}
# follows NAME: they are run; what they print is in $scratch/said.log
follows() {
    block "$1"
    on_computer bash -eo pipefail "$block" >"$scratch/said.log" 2>&1 </dev/null ||
        fail "$1" "$block" "$scratch/said.log"
    ok "guide: $(tail -n 1 "$block" | cut -c1-60)"
}
said() { grep -qE -- "$1" "$scratch/said.log" || fail "it does not say '$1'" "$scratch/said.log"; }
# serves NAME PATTERN: they are run in a terminal of their own, until ends
serves() {
    block "$1"
    sed -i 's/^lunbootd /exec &/' "$block"
    spawn lunbootd nsenter -t "${pids[computer]}" -m -n bash -eo pipefail "$block"
    wait_log lunbootd "$2"
    ok "guide: $(tail -n 1 "$block" | cut -c6-66)"
}
# boots SENTENCE: the machine is switched on, boots its kernel from the network disk, and is off again.
boots() {
    start_vm "${first_card[@]}"
    wait_console 'KERNEL-OK' 300 "$1"
    wait_for 30 "the machine's end" has_ended qemu
}
has_ended() { ! is_alive "$1"; }

# pupil NUMBER WORD: boots, or writes 1 MiB (or finds it) in the disk's last MiB; its log ends with PUPIL-OK.
pupil() {
    local n=$1 ns=lb-p$1-$$ path=$scratch/rootpath$1
    case $2 in
    boot)
        boot_client "$ns" "$n"
        ;;
    write)
        ip netns exec "$ns" "$exercise" --rootpath="$(cat "$path")" --write-verify=524288 --offset=$((36 << 20)) \
            --seed="1$n"
        ;;
    *) # the file that it sees
        ip netns exec "$ns" "$lunboot" read --rootpath="$(cat "$path")" --output="$scratch/seen$n.img"
        cmp "$scratch/seen$n.img" "$2"
        rm "$scratch/seen$n.img"
        ;;
    esac
    echo PUPIL-OK
}
pupils_do() {
    local n
    for n in "${pupils[@]}"; do spawn "pupil$n" pupil "$n" "$1"; done
    for n in "${pupils[@]}"; do
        wait_for 120 "the end of pupil $n" has_ended "pupil$n"
        grep -q PUPIL-OK "$scratch/pupil$n.log" || fail "pupil $n: $2" "$scratch/pupil$n.log"
    done
    ok "$2"
}

# One machine.
began=$SECONDS
serves one 'gives addresses .* on eth1'
boots "one machine has booted its kernel"
echo "# $((SECONDS - began)) s from the command to the kernel, in an emulated machine"
wait_log lunbootd 'is given .*boot file lunbootx64.efi, disk'
wait_log lunbootd 'reads its disk'
end lunbootd INT
serves one 'gives addresses .* on eth1'
boots "after a restart of lunbootd it boots again"
end lunbootd INT

# A classroom.
follows class
serves class-server 'gives addresses .* on eth1'
follows class-image
said '^debian@1$'
pupils_do boot "thirty machines boot at once"
pupils_do write "and write"
boots "the teacher's machine boots beside them"
follows class-list
[ "$(grep -c '02-00-00-00-01-' "$scratch/said.log")" = 30 ] ||
    fail "the list has not thirty machines" "$scratch/said.log"
said 'debian@1 .* 31 +newest'
pupils_do boot "the next lesson: all boot again"
pupils_do "$scratch/srv/debian.img" "with the unchanged disk"
on_computer lunbootctl eject teacher # a machine without power says no good-bye
follows class-reset

# An update, with the classroom at work.
follows update
said 'debian@1 .* 31$' # the teacher's, too: it boots anew later
said 'debian@2 .* 0 +newest'
pupils_do "$scratch/srv/debian.img" "nobody is disturbed"
follows update-back
follows update
pupils_do boot "the next boot"
pupils_do "$scratch/srv/debian-new.img" "has the new version"
follows fresh
boots "the teacher's machine boots for its maintenance"
on_computer lunbootctl eject teacher
follows commit
said '^debian@3$'
said 'debian@3 .*newest'
cmp "$scratch/var/lunbootd/images/debian@3" "$scratch/srv/debian-new.img" || fail "debian@3 was not made of debian@2"
ok "the maintenance began with the newest version"
end lunbootd INT

# Beside the company's DHCP.
server_interface=vs0
start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-range=192.0.2.150,192.0.2.199,1h
CONF
serves proxy 'serves /srv/debian.img'
boots "beside another DHCP server a machine boots its kernel"
wait_log lunbootd 'asks for an address, which another server gives, UEFI x64, boot file lunbootx64.efi, disk'
! grep -q 'is given' "$scratch/lunbootd.log" || fail "lunbootd gave an address"
grep -q "DHCPACK(vs0) 192.0.2.1[5-9][0-9] $card_mac" "$scratch/dnsmasq.log" || fail "the other server gave none"
ok "its address is the other server's, and lunbootd gave none"
pass
