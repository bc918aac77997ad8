# Sourced by lib.sh: iSCSI targets: tgt, and one that misbehaves (fake-target.py).
# shellcheck shell=bash

iqn=iqn.2026-11.test:disk1

# start_tgt [ADDRESS[:PORT]]: tgtd with nothing to serve yet. Its control socket lies in the scratch
# folder, so that any number may run at once. `tgt_name=tgtd-2` before this and the other calls is a second
# one in the same script.
start_tgt() {
    need tgtd tgtadm
    local portal=${1:-$server_ip} port=3260
    case $portal in
    *]:* | *.*:*) port=${portal##*:} ;;
    *) portal=$portal:3260 ;;
    esac
    spawn "${tgt_name:-tgtd}" ip netns exec "$server_ns" \
        env TGT_IPC_SOCKET="$scratch/${tgt_name:-tgtd}.socket" tgtd -f -C 1 --iscsi "portal=$portal"
    wait_for 15 "tgtd listening" has_listener "$server_ns" "$port"
    wait_for 15 "tgtd answering its control socket" tgt --mode sys --op show
}

# tgt ARGUMENTS...: tgtadm
tgt() {
    TGT_IPC_SOCKET="$scratch/${tgt_name:-tgtd}.socket" tgtadm -C 1 --lld iscsi "$@"
}

# tgt_target TID NAME: a target that any initiator may use.
tgt_target() {
    tgt --mode target --op new --tid "$1" --targetname "$2"
    tgt --mode target --op bind --tid "$1" -I ALL
}

# tgt_lun TID LUN FILE [BLOCK_BYTES [BACKEND]]
tgt_lun() {
    tgt --mode logicalunit --op new --tid "$1" --lun "$2" -b "$3" --blocksize "${4:-512}" \
        --bstype "${5:-rdwr}"
}

# tgt_account USER SECRET TID [outgoing]: CHAP; "outgoing" is the target's own answer (mutual).
tgt_account() {
    tgt --mode account --op new --user "$1" --password "$2"
    tgt --mode account --op bind --tid "$3" --user "$1" ${4:+--outgoing}
}

# serve_disk: the usual target: a GPT disk at LUN 1 of $iqn (LUN 0 is tgt's controller).
serve_disk() {
    make_gpt_disk "$scratch/disk.img"
    start_tgt "$@"
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$scratch/disk.img"
    rootpath="iscsi:$server_ip:::1:$iqn"
}

# serve_disk6: the same at $server_ip6 alone.
serve_disk6() {
    serve_disk "[$server_ip6]"
    rootpath="iscsi:[$server_ip6]:::1:$iqn"
}

# start_fake_target BEHAVIOUR [ARGUMENT]: see fake-target.py. Sets $rootpath.
start_fake_target() {
    need python3
    spawn fake-target ip netns exec "$server_ns" python3 "$interop/fake-target.py" \
        "$server_ip" 3260 "$@"
    wait_log fake-target ready
    rootpath="iscsi:$server_ip:::1:$iqn"
}
