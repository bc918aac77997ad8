#!/bin/bash
# lunbootd with CHAP: an account for all machines, one of a machine's own with mutual CHAP, and a machine that
# needs none. lunboot and libiscsi log in; all four hashes; secrets are never shown.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need iscsi-ls iscsi-inq curl
make_net
give_client_address
make_gpt_disk "$scratch/disk.img"
cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
disk = $scratch/disk.img
writes = drop
overlays = $scratch/overlays
chap-name = all
chap-secret = secret-of-all-1

[machine anna]
mac = 02:00:00:00:00:0a
writes = keep
chap-name = anna
chap-secret = secret-of-anna-1
chap-target-secret = disk-of-anna-12

[machine bert]
mac = 02:00:00:00:00:0b
writes = keep
initiator = iqn.2026-11.test:bert
chap = no

[machine carl]
mac = 02:00:00:00:00:0c
writes = keep
CONF
chmod 600 "$scratch/lunbootd.conf"
start_lunbootd --config="$scratch/lunbootd.conf" --dhcp=off
base=iqn.2026-11.org.lunboot:disk

# of MACHINE: its disk is the one to read.
of() { rootpath="iscsi:$server_ip::3260:0:$base:$1"; }
anna=(--chap-name=anna --chap-secret=secret-of-anna-1)
mutual=(--chap-target-name="$base:anna" --chap-target-secret=disk-of-anna-12)

of anna
reads_the_disk "a machine's own account" "${anna[@]}"
for algorithms in md5 sha1,md5 sha256,md5 sha3-256,md5; do
    reads_the_disk "mutual CHAP and $algorithms" "${anna[@]}" "${mutual[@]}" --chap-algorithms=$algorithms \
        --require=mutual-chap
done
probe
fails_with auth-needed "no CHAP where the machine has an account" "$base:anna"
probe --chap-name=all --chap-secret=secret-of-all-1
fails_with auth-failed "the account of all where the machine has its own" all
probe --chap-name=anna --chap-secret=secret-of-anna-2
fails_with auth-failed "a wrong secret" anna
lunbootd_says '192\.0\.2\.[0-9]+ +no login of iqn\.[^ ]*: .*[Aa]uth.*; try: compare chap-name and chap-secret' \
    "a refused login is told, and what to try"
in_server curl -sN -m 5 -H "Authorization: Bearer $(cat "$scratch/state/page-token")" http://127.0.0.1:8260/events \
    >"$scratch/events" 2>"$scratch/curl.log" || true
grep -q '"trouble":"no login of [^"]*","try":"compare chap-name and chap-secret' "$scratch/events" ||
    fail "the page does not say it" "$scratch/events"
ok "the page shows it, too"
probe "${anna[@]}" --chap-target-name="$base:anna" --chap-target-secret=disk-of-anna-34
fails_with auth-target "the target's secret is another" "$base:anna"
lunbootd_says 'no login of iqn\.[^ ]*: the connection is gone; try: look at the machine' \
    "that the machine itself ended the login is told, too"

of carl
reads_the_disk "the account of all machines" --chap-name=all --chap-secret=secret-of-all-1
probe --chap-name=all --chap-secret=secret-of-all-1 "${mutual[1]}"
fails_with 'auth-failed|auth-target' "a target that has no proof" carl

of bert
reads_the_disk "a machine without CHAP" --initiator=iqn.2026-11.test:bert
probe --initiator=iqn.2026-11.test:carl
fails_with not-authorised "another initiator at this machine's target" bert
lunbootd_says 'no login of iqn.2026-11.test:carl: .*; try: initiator = that name in the section' \
    "and what to try is told"

# libiscsi, with accounts in its URLs.
portal=$server_ip:3260
in_client timeout 20 iscsi-inq "iscsi://anna%secret-of-anna-1@$portal/$base:anna/0" \
    >"$scratch/inq.log" 2>&1 || fail "libiscsi does not get in"
in_client timeout 20 iscsi-inq \
    "iscsi://anna%secret-of-anna-1@$portal/$base:anna/0?target_user=$base:anna&target_password=disk-of-anna-12" \
    >>"$scratch/inq.log" 2>&1 || fail "mutual CHAP does not convince libiscsi"
in_client timeout 20 iscsi-inq "iscsi://anna%secret-of-anna-2@$portal/$base:anna/0" \
    >>"$scratch/inq.log" 2>&1 && fail "libiscsi gets in with a wrong secret"
in_client timeout 20 iscsi-inq "iscsi://$portal/$base:anna/0" \
    >>"$scratch/inq.log" 2>&1 && fail "libiscsi gets in without CHAP"
ok "libiscsi gets in with CHAP and mutual CHAP, and not with a wrong secret or with none"
in_client timeout 20 iscsi-ls "iscsi://anna%secret-of-anna-1@$portal" >"$scratch/ls.log" 2>&1 || fail "iscsi-ls"
grep -q "Target:$base:anna Portal:$portal,1" "$scratch/ls.log" || fail "iscsi-ls does not find the target"
! grep -q "$base:bert" "$scratch/ls.log" || fail "iscsi-ls is shown a target that its initiator may not use"
ok "iscsi-ls with an account lists the targets that its initiator may use"

! grep -rqE 'secret-of|disk-of-anna' "$scratch/lunbootd.log" "$scratch/overlays" || fail "a secret was shown"
ok "no secret is in what lunbootd prints or keeps"
end lunbootd

# Who can read the secrets, and where they are taken from.
chmod 640 "$scratch/lunbootd.conf"
lunbootd_refuses "secrets that others can read" 'lunbootd.conf: it has secrets, and others can read it \(mode 640\)' \
    'chmod 600' --config="$scratch/lunbootd.conf"
chmod 666 "$scratch/lunbootd.conf"
lunbootd_refuses "a file that others can change" 'others can change it \(mode 666, user 0\)' 'chmod 600' \
    --config="$scratch/lunbootd.conf"
lunbootd_refuses "a secret as an argument" 'all users of this machine can see a secret' 'file of --config' \
    --interface=vs0 --chap-name=all --chap-secret=secret-of-all-1 "$scratch/disk.img"
printf 'chap-secret = short-one\n' >"$scratch/wrong.conf"
lunbootd_refuses "a short secret" 'wrong.conf:1: this chap-secret cannot be used' '12 to 128 bytes' \
    --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
! grep -q short-one "$scratch/refused.log" || fail "the secret is in the error"
ok "errors do not show secrets"
pass
