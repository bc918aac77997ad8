#!/bin/bash
# A Debian machine as open-iscsi's README.Debian sets it up: both ways, with the initiator's name of its file, which is
# all that the target's access list knows, and with CHAP in both directions. `lunboot initramfs` in the place of
# open-iscsi's script. (There is no kernel's initiator in a namespace: a boot that gets so far ends with hand-over,
# behind the disk.)
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
make_gpt_disk "$scratch/disk.img"
start_tgt
me=iqn.1993-08.org.debian:01:9b3e5634fdb9
with_chap=iqn.2008-01.com.example:storage.foo
tgt --mode target --op new --tid 1 --targetname "$iqn"
tgt --mode target --op new --tid 2 --targetname "$with_chap"
for tid in 1 2; do
    tgt_lun $tid 1 "$scratch/disk.img"
    tgt --mode target --op bind --tid $tid --initiator-name "$me"
done
tgt_account username password1234 2
tgt_account in_username in_password12 2 outgoing
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
CONF
etc=$scratch/root/etc/iscsi
mkdir -p "$scratch/sys/class/net" "$etc"

# words LINE [ARGUMENT...]
words() {
    echo "BOOT_IMAGE=/boot/vmlinuz-6.1.0-37-amd64 root=UUID=0000 ro quiet $1" >"$scratch/cmdline"
    run_lunboot initramfs --kernel-cmdline="$scratch/cmdline" --sysfs="$scratch" --run="$scratch/run" \
        --root="$scratch/root" "${@:2}"
    tr '\r' '\n' <"$scratch/err.log" | grep -v '\.\.\.' >"$scratch/shown.log" || true
}
boots() {
    words "$2"
    grep -q '(hand-over)' "$scratch/err.log" || fail "$1" "$scratch/shown.log" "$scratch/cmdline"
    grep -qE '^ .* disk  *VIRTUAL-DISK' "$scratch/shown.log" || fail "$1: no disk" "$scratch/shown.log"
    ok "$1"
}

# ---- the name ------------------------------------------------------------------------------------

cat >"$etc/initiatorname.iscsi" <<NAME
## DO NOT EDIT OR REMOVE THIS FILE!
## If you remove this file, the iSCSI daemon will not start.
InitiatorName=$me
NAME
touch "$etc/iscsi.initramfs"
manual="iscsi_target_name=$iqn iscsi_target_ip=192.0.2.1 iscsi_target_port=3260 iscsi_target_group=1 ip=dhcp"
boots "the first way of README.Debian: words on the command line; the name is that of its file" "$manual"
words "$manual iscsi_initiator=iqn.2026-11.test:another" --attempts=1
fails_with target-not-found "a name on the command line stands above the file's, and this one is not allowed"
boots "and one that is allowed boots" "$manual iscsi_initiator=$me"
mv "$etc/initiatorname.iscsi" "$scratch/root/etc"
boots "the file where open-iscsi's own hook puts it" "$manual"
mv "$scratch/root/etc/initiatorname.iscsi" "$etc"
boots "root=iscsi: with the name of the file" "ip=dhcp root=iscsi:192.0.2.1::3260:1:$iqn"

# ---- iscsi.initramfs -----------------------------------------------------------------------------

cat >"$etc/iscsi.initramfs" <<FILE
ISCSI_INITIATOR="$me"
ISCSI_TARGET_NAME=$with_chap
ISCSI_TARGET_IP=192.0.2.1
ISCSI_TARGET_PORT=3260
ISCSI_USERNAME="username"
ISCSI_PASSWORD="password1234"
ISCSI_IN_USERNAME="in_username"
ISCSI_IN_PASSWORD="in_password12"
ISCSI_TARGET_GROUP=1
FILE
rm "$etc/initiatorname.iscsi"
boots "the second way: everything is in iscsi.initramfs, CHAP in both directions too" "ip=dhcp"
boots "with a fixed address" "ip=192.0.2.60::192.0.2.1:255.255.255.0::vc0:off"
! grep -rq password "$scratch/shown.log" "$scratch/out.log" || fail "a secret is shown"
ok "no secret of the file is shown"
words "ip=dhcp iscsi_in_password=in_password13" --attempts=1
fails_with chap "a word of the command line stands above that of the file"
! grep -rq password1 "$scratch/err.log" "$scratch/out.log" || fail "a secret is shown" "$scratch/err.log"
ok "and shows no secret"
mv "$etc/iscsi.initramfs" "$scratch/root/etc"
boots "the file where open-iscsi's own hook puts it" "ip=dhcp"
rm "$scratch/root/etc/iscsi.initramfs"

cat >"$etc/iscsi.initramfs" <<FILE
# two paths, and something for a shell
DATE=\$(date)
export ISCSI_INITIATOR='$me'
ISCSI_TARGET_IP="192.0.2.77  192.0.2.1"; ISCSI_TARGET_NAME=$iqn
FILE
boots "a list of addresses, the first of them down, in a file that a shell may read" "ip=dhcp"
says 'DATE in iscsi.initramfs is passed over' "what only a shell would work out is named"

# ---- nobody asks ---------------------------------------------------------------------------------

is_silent() {
    words "$2"
    if [ "$status" != 0 ] || [ -s "$scratch/err.log" ] || [ -s "$scratch/out.log" ]; then
        fail "$1: exit $status" "$scratch/err.log" "$scratch/out.log"
    fi
    ok "$1"
}
for line in "" "ISCSI_TARGET_NAME=$iqn" "ISCSI_TARGET_IP=192.0.2.1" "ISCSI_AUTO=" "if true; then \$X; fi"; do
    echo "$line" >"$etc/iscsi.initramfs"
    is_silent "nobody asks: '$line' in iscsi.initramfs" "ip=dhcp"
done
echo ISCSI_AUTO=true >"$etc/iscsi.initramfs"
words "ip=dhcp"
fails_with no-ibft "ISCSI_AUTO=true without a table"
pass
