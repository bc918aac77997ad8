#!/bin/bash
# The kernel takes over a session with mutual CHAP, one with CRC32C digests over headers and data, and one
# with both: it goes on with the digests, and knows the secrets for the next login.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need tshark tcpdump
make_guest_net
make_bytes "$scratch/disk.img" $((4 << 20))
sum=$(sha256 "$scratch/disk.img")
start_tgt
# serve TID: a target of its own for each session.
serve() {
    tgt_target "$1" "iqn.2026-11.test:disk$1"
    tgt_lun "$1" 1 "$scratch/disk.img"
}
digests() {
    tgt --mode target --op update --tid "$1" --name HeaderDigest --value CRC32C
    tgt --mode target --op update --tid "$1" --name DataDigest --value CRC32C
}
accounts() {
    tgt --mode account --op bind --tid "$1" --user boot
    tgt --mode account --op bind --tid "$1" --user disk --outgoing
}
tgt --mode account --op new --user boot --password boot-secret-0123
tgt --mode account --op new --user disk --password disk-secret-4567
for tid in 1 2 3; do serve $tid; done
accounts 1
digests 2
accounts 3
digests 3
rootpath="iscsi:$server_ip:::1:iqn.2026-11.test:disk1"
serve_dhcp
start_capture "$server_ns" br0 tcp port 3260
start_client <<'STEPS'
chap="--chap-name=boot --chap-secret=boot-secret-0123 --chap-target-name=disk
    --chap-target-secret=disk-secret-4567 --chap-algorithms=md5"
# look N: what is read, and what the kernel knows of session N.
look() {
    echo "GUEST-SHA $1: $(sha256sum <$device)"
    (cd /sys/class/iscsi_session/session$1 && echo "GUEST-CHAP $1:" \
        $(cat username password username_in password_in))
    (cd /sys/class/iscsi_connection/connection$1:0 && echo "GUEST-DIGESTS $1:" \
        $(cat header_digest data_digest))
}
boot $chap --require=mutual-chap
look 1
boot --rootpath=iscsi:192.0.2.1:::1:iqn.2026-11.test:disk2 --require=header-digest,data-digest
look 2
boot --rootpath=iscsi:192.0.2.1:::1:iqn.2026-11.test:disk3 $chap --require=mutual-chap,header-digest,data-digest
look 3
dd if=/dev/zero of=$device bs=64k count=16 conv=fsync 2>/dev/null || die write
STEPS
finish_client
stop_capture
told "GUEST-SHA 1: $sum" "mutual CHAP: the disk is read"
told 'GUEST-CHAP 1: boot boot-secret-0123 disk disk-secret-4567' "the kernel knows names and secrets"
told 'GUEST-DIGESTS 1: 0 0' "and uses no digests"
told "GUEST-SHA 2: $sum" "digests: the disk is read"
told 'GUEST-DIGESTS 2: 1 1' "with both digests"
told 'GUEST-CHAP 2: \(null\) \(null\)|GUEST-CHAP 2: *$' "and without CHAP"
told "GUEST-SHA 3: $sum" "mutual CHAP and digests: the disk is read"
told 'GUEST-DIGESTS 3: 1 1' "with both digests"
head -c $((1 << 20)) "$scratch/disk.img" | cmp -s - <(head -c $((1 << 20)) /dev/zero) ||
    fail "what was written with digests is not on the target"
ok "and written"
[ "$(count_logins)" = 3 ] || fail "$(count_logins) logins"
[ "$(count_connections)" = 3 ] || fail "$(count_connections) connections"
ok "each session had one connection and one login"
pass
