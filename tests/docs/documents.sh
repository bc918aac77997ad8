#!/bin/bash
# What README.md and docs/*.md say is run: their commands in an empty folder, or in a network with a DHCP server, a
# target and a machine, as the comment before each block says (blocks.py). Those that change a machine or take long are
# in tests/full/documents.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/documents-lib.sh"

[ "$(id -u)" = 0 ] || skip "network namespaces need root"
need tgtd tgtadm dnsmasq hexdump
need_lunboot
"$here/blocks.py" check "${documents[@]}" >"$scratch/check.log" || fail "a block is not marked" "$scratch/check.log"
ok "each of $(blocks list | wc -l) blocks says how it is checked"
! blocks list | grep -E '^[^ ]+ +- ' >"$scratch/unmarked" || fail "a block is not marked" "$scratch/unmarked"

# ---- the programs --------------------------------------------------------------------------------

take_blocks "shows here" "run here"
cp "${LUNBOOT_EFI:-$top/build/lunbootx64.efi}" "$folder/" 2>/dev/null || true
ln -sfn "$top/tools" "$folder/tools"
each_block here bash -eo pipefail

# ---- texts that programs read --------------------------------------------------------------------

take_blocks file
for block in "$blocks"/[0-9]*[0-9]; do
    read -r name _ kind file <"$block.name"
    case $kind in
    lunboot.conf)
        install -m 600 "$block" "$folder/${file:-lunboot.conf}"
        # A key that is not known, or a value that is not right, is an error before anything else is done.
        "$lunboot" probe --config="$folder/${file:-lunboot.conf}" --rootpath=iscsi:127.0.0.1::1:0:iqn.2026-11.test:x \
            --attempts=1 --allow-server=127.0.0.1 --allow-target='*' >"$scratch/conf.out" 2>&1 || true
        ! grep -qE 'config-(key|value|line|file)' "$scratch/conf.out" || fail "$name" "$block" "$scratch/conf.out"
        ;;
    dnsmasq)
        mkdir -p "$folder/srv/tftp"
        sed "s#=/srv/#=$folder/srv/#" "$block" >"$scratch/dnsmasq.block"
        dnsmasq --test -C "$scratch/dnsmasq.block" >"$scratch/dnsmasq.out" 2>&1 ||
            fail "$name" "$block" "$scratch/dnsmasq.out"
        ;;
    targets.conf)
        cp "$block" "$folder/targets.conf" # tgt-admin reads it where there is a tgtd, below
        continue
        ;;
    esac
    ok "$name: a $kind without a mistake"
done

# ---- the server ----------------------------------------------------------------------------------

make_net
ip -n "$client_ns" link set vc0 name eth0
mkdir -p "$scratch/srv"
make_gpt_disk "$scratch/srv/disk1.img"
cp "$scratch/srv/disk1.img" "$scratch/srv/debian.img"
# A folder /srv of its own; tgtd and the commands see the same.
spawn tgtd ip netns exec "$server_ns" unshare --mount sh -c "mount --bind '$scratch/srv' /srv &&
    exec env TGT_IPC_SOCKET='$scratch/tgtd.socket' tgtd -f --iscsi portal=$server_ip:3260"
wait_for 15 "tgtd listening" has_listener "$server_ns" 3260
in_server_too() {
    TGT_IPC_SOCKET=$scratch/tgtd.socket nsenter --target "${pids[tgtd]}" --mount --net --wd="$folder" "$@"
}
wait_for 15 "tgtd answering" in_server_too tgtadm --lld iscsi --mode sys --op show
take_blocks "run server"
each_block server in_server_too bash -eo pipefail
# tgt-admin takes no file that another target has.
cp "$scratch/srv/disk1.img" "$scratch/srv/again.img"
sed 's/disk1>/disk1-again>/; s/disk1.img/again.img/' "$folder/targets.conf" >"$scratch/targets.conf"
in_server_too tgt-admin -c "$scratch/targets.conf" --update iqn.2026-11.org.example:disk1-again \
    >"$scratch/targets.out" 2>&1 ||
    fail "tgt-admin and the targets.conf of a document" "$folder/targets.conf" "$scratch/targets.out"
in_server_too tgtadm --lld iscsi --mode target --op show >"$scratch/targets.out"
grep -q 'Backing store path: /srv/again.img' "$scratch/targets.out" ||
    fail "the targets.conf of a document makes no disk" "$scratch/targets.out"
ok "tgt-admin makes a target with a disk of the targets.conf"

# ---- the machine ---------------------------------------------------------------------------------

take_blocks "file" # the first of README's lines for dnsmasq names the disk
{
    echo port=0
    echo dhcp-range=192.0.2.100,192.0.2.200,1h
    grep -h '^dhcp-option' "$blocks"/* | sed -n 1p
} | start_dnsmasq
slp_service iqn.2026-11.org.example:disk1 >"$scratch/services"
spawn agent ip netns exec "$server_ns" "$slp_agent" --interface=vs0 --ipv4="$server_ip" --ipv6="$server_ip6" \
    --services="$scratch/services"
wait_log agent '^ready'
start_isns --node="iqn.2026-11.org.example:disk1,1,$server_ip" \
    --boot="iqn.2026-11.org.example:disk1,iqn.2026-11.org.example:me"
take_blocks "run namespace" "shows namespace"
each_block namespace in_client bash -eo pipefail
pass
