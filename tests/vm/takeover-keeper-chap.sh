#!/bin/bash
# The keeper knows CHAP from the firmware's table alone: the machine has no configuration. The target is restarted, and
# the keeper logs in again with the table's secret. A target that asks for no CHAP, or (mutual CHAP) proves another
# secret, is refused for as long as it is there, and the log says why; when the right one is back, so is the session.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
need python3
make_guest_net
server_ip=192.0.2.3 iqn=iqn.2001-04.com.example:disk # as in the table
in_server ip addr add "$server_ip/24" dev br0
make_bytes "$scratch/disk.img" $((4 << 20))
sum=$(sha256 "$scratch/disk.img")

# make_table CHAP: the vector of a table, with LUN 1, one-way (1) or mutual CHAP (2), and an address that is no lease.
make_table() {
    python3 - "$top/tests/vectors/ibft-v4-mutual.hex" "$scratch/ibft" "$1" <<'PYTHON'
import sys
table = bytearray.fromhex(open(sys.argv[1]).read())
NIC, ORIGIN, GATEWAY, DHCP, MAC = 0x98, 23, 24, 72, 90
TARGET, LUN, CHAP = 0x100, 24, 32
table[NIC + ORIGIN] = 1
table[NIC + GATEWAY:NIC + GATEWAY + 16] = table[NIC + DHCP:NIC + DHCP + 16] = bytes(16)
table[NIC + MAC:NIC + MAC + 6] = bytes.fromhex("525400123456") # QEMU's first card
table[TARGET + LUN + 1] = 1
table[TARGET + CHAP] = int(sys.argv[3])
table[9] = (table[9] - sum(table)) % 256
open(sys.argv[2], "wb").write(table)
PYTHON
}

# serves ACCOUNTS: the target is killed, and there is one again with these: "none", "one-way", "mutual", "impostor".
serves() {
    end tgtd KILL
    start_tgt
    tgt --mode target --op new --tid 1 --targetname "$iqn"
    tgt_lun 1 1 "$scratch/disk.img"
    [ "$1" = none ] || tgt_account user1 boot-secret-0123 1
    case $1 in
    mutual) tgt_account disk1 target-secret-01 1 outgoing ;;
    impostor) tgt_account disk1 another-secret-1 1 outgoing ;;
    esac
    tgt --mode target --op bind --tid 1 -I ALL # now it can be logged in to
}

# boots CHAP: the machine, with a table of this kind.
boots() {
    make_table "$1"
    rm -rf "$scratch/initramfs"
    start_client -acpitable "file=$scratch/ibft" <<'STEPS'
[ ! -e /etc/lunboot.conf ] || die "there is a configuration"
: >/tmp/cmdline
device=$(/bin/lunboot initramfs --kernel-cmdline=/tmp/cmdline --retry-time=20s 2>/tmp/err) ||
    die "lunboot: $(cat /tmp/err)"
dmesg -n 8 # what the keeper says is seen on the console
echo "GUEST-READY $(grep -lx lunboot-keeper /proc/[0-9]*/comm | wc -l)"
for n in 1 2; do
    until_log $n 'logged in again'
    echo "GUEST-SHA $n: $(dd if=$device bs=64k iflag=direct 2>/dev/null | sha256sum) $(session state)"
done
STEPS
    wait_guest 'GUEST-READY|GUEST-FAILED' 120
}

# refuses CODE WHAT: the keeper says why it does not log in, and in two more attempts it has not.
refuses() {
    wait_guest "lunboot: session1: $1" 40
    sleep 5
    [ "$(grep -c 'logged in again' "$scratch/console.log")" = 1 ] || fail "$2: it logs in" "$scratch/console.log"
    told "session1: $1: .*; trying until it is back" "$2"
}

serves mutual
boots 2
serves mutual
wait_guest 'GUEST-SHA 1' 60
told 'GUEST-READY 1' "mutual CHAP: a keeper stays, and no configuration is there"
told "GUEST-SHA 1: $sum +- LOGGED_IN" "the target is restarted, and the keeper logs in with the table's secrets"
serves impostor
refuses auth-target "a target that proves another secret is refused, and the log says why"
serves mutual
finish_client
told "GUEST-SHA 2: $sum +- LOGGED_IN" "the right one is back, and so is the session"

serves one-way
boots 1
serves one-way
wait_guest 'GUEST-SHA 1' 60
told "GUEST-SHA 1: $sum +- LOGGED_IN" "one-way CHAP: the target is restarted, and the keeper logs in with the secret"
serves none
refuses auth-method "a target that asks for no CHAP is refused, and the log says why"
serves one-way
finish_client
told "GUEST-SHA 2: $sum +- LOGGED_IN" "the right one is back, and so is the session"
pass
