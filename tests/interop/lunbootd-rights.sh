#!/bin/bash
# lunbootd gives up its rights once its ports are open: /proc says so. What its filter of system calls does is shown
# by server/test_rights.c.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need python3 setpriv
make_net
make_gpt_disk "$scratch/disk.img"
chmod 711 "$scratch"
mkdir "$scratch/state" "$scratch/overlays"
chown nobody "$scratch/state" "$scratch/overlays" "$scratch/disk.img"
chmod 600 "$scratch/disk.img"

# has KEY PATTERN WHAT: of every thread of lunbootd.
has() {
    local file
    for file in /proc/"${pids[lunbootd]}"/task/*/status; do
        grep -qE "^$1:[[:space:]]+$2\$" "$file" || fail "$3: $(grep "^$1:" "$file")"
    done
    ok "$3"
}

start_lunbootd --user=nobody --state="$scratch/state" --writes=keep --overlays="$scratch/overlays" "$scratch/disk.img"
wait_log lunbootd 'runs as user nobody'
number=$(id -u nobody)
has Uid "(${number}[[:space:]]*){4}" "all threads are nobody's"
has Groups "$(id -G nobody) ?" "with the groups of that user alone"
for kind in Inh Prm Eff Bnd Amb; do has "Cap$kind" 0000000000000000 "Cap$kind is empty"; done
has NoNewPrivs 1 "there are no new rights"
if grep -q 'system calls are filtered' "$scratch/lunbootd.log"; then
    has Seccomp 2 "system calls are filtered in all threads"
fi
rootpath="iscsi:$server_ip::3260:0:iqn.2026-11.org.lunboot:disk"
run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
succeeds "a machine boots from it"
rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
give_client_address 192.0.2.99
reads_the_disk "the disk is read over it"
end lunbootd
grep -q ' ends$' "$scratch/lunbootd.log" || fail "lunbootd did not end in order"
ok "it ends in order"

# What it cannot read as that user, it says at once.
chown root "$scratch/disk.img"
lunbootd_refuses "a disk of root's" "disk.img cannot be opened: Permission denied" 'user' --interface=vs0 \
    --user=nobody --state="$scratch/state" "$scratch/disk.img"
lunbootd_refuses "an unknown user" 'there is no user "no-such-user"' 'user=root' --interface=vs0 \
    --user=no-such-user --state="$scratch/state" "$scratch/disk.img"

# Who is not root is told so.
printf '#!/bin/sh\nexec setpriv --reuid=nobody --clear-groups %q "$@"\n' "$lunbootd" >"$scratch/as-nobody"
chmod 755 "$scratch/as-nobody"
chown nobody "$scratch/disk.img"
lunbootd=$scratch/as-nobody lunbootd_refuses "the state folder, without root" \
    'nothing can be kept in .*: Permission denied' 'run lunbootd as root' --interface=vs0 "$scratch/disk.img"
lunbootd=$scratch/as-nobody lunbootd_refuses "DHCP's port, without root" \
    'port 68 .*: (Permission denied|Operation not)' 'run lunbootd as root' \
    --interface=vs0 --state="$scratch/state" "$scratch/disk.img"

# Root's, without the user: one capability.
chown nobody "$scratch/disk.img"
start_lunbootd --user=root --state="$scratch/state2" "$scratch/disk.img"
wait_log lunbootd 'runs as user root'
has CapEff 0000000000000002 "root keeps CAP_DAC_OVERRIDE"
has CapBnd 0000000000000000 "and nothing can be had again"
has NoNewPrivs 1 "there are no new rights"
pass
