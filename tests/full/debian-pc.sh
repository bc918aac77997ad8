#!/bin/bash
# What tools/make-debian-disk makes by default: the kernel of real machines, which has the driver of a PC's card; a
# screen and a serial port; root by password and by key, and in no other way; nothing of the tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

need qemu-system-x86_64 ssh ssh-keygen mmdebstrap
make_vm_net
ssh-keygen -q -t ed25519 -N '' -f "$scratch/key"
disk_file=$scratch/debian.img
# Under emulation the many pages of a shell's programs are slow; see debian.sh.
"$top/tools/make-debian-disk" --password=correct-horse --authorized-key="$scratch/key.pub" --append="$emulated" \
    --lunboot="$lunboot" "$disk_file" >"$scratch/make-debian-disk.log" 2>&1 ||
    skip "no Debian image: $(tail -n 1 "$scratch/make-debian-disk.log")"
MTOOLS_SKIP_CHECK=1 mcopy -i "$disk_file@@1M" ::/loader/entries/lunboot.conf "$scratch/entry.conf"
grep -q '^options .*console=ttyS0,115200 console=tty0 ' "$scratch/entry.conf" ||
    fail "the consoles" "$scratch/entry.conf"
ok "the kernel speaks on the serial port and on the screen"
start_debian_target
take_kernel lunboot
offer_disk </dev/null

: >"$scratch/console.log"
spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 1024 -display none -no-reboot \
    -nodefaults -vga std -kernel "$kernel" -initrd "$initrd" \
    -append "$(sed -n 's/^options //p' "$scratch/entry.conf") lunboot.enable=yes" \
    -chardev "socket,id=serial,path=$scratch/serial,server=on,wait=off,logfile=$scratch/console.log" \
    -serial chardev:serial -monitor "unix:$scratch/monitor,server,nowait" \
    -netdev tap,id=n0,ifname=tap0,script=no,downscript=no -device "e1000e,netdev=n0,romfile=,mac=$card_mac"
wait_console 'network-disk login:' 500 "a machine with an e1000e card comes up to its login prompt"

# types TEXT: a line on the serial port.
types() {
    python3 - "$scratch/serial" "$1" <<'PYTHON'
import socket, sys, time
serial = socket.socket(socket.AF_UNIX)
serial.connect(sys.argv[1])
time.sleep(0.5)
serial.sendall(sys.argv[2].encode() + b"\r")
time.sleep(0.5)
PYTHON
}
types root
wait_console 'Password:' 60 "root is asked for a password"
types wrong
wait_console 'Login incorrect' 60 "a wrong one does not let in"
types root
asked_twice() { [ "$(grep -o Password: <(console) | wc -l)" = 2 ]; }
wait_for 60 "the second question" asked_twice
types correct-horse
wait_console 'root@network-disk:' 60 "the right one does"

address=$(awk '{ print $3 }' "$scratch/dnsmasq.leases")
remote() {
    in_server ssh -i "$scratch/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile="$scratch/known" -o ConnectTimeout=20 "root@$address" "$@" 2>"$scratch/ssh.log"
}
wait_for 120 "SSH" remote true
ok "the key lets in by SSH"
in_server ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="$scratch/known" -o IdentityFile=none \
    "root@$address" true 2>"$scratch/ssh.log" && fail "SSH lets in without a key"
ok "nothing else does"
[ "$(remote 'ls -d /usr/local/sbin/boot-ok /etc/systemd/system/boot-ok.service 2>&1 | grep -c "No such"')" = 2 ] ||
    fail "the tests' hook is on the image"
ok "the tests' hook is not on it"
[ "$(remote 'findmnt -no SOURCE /')" = /dev/sda2 ] || fail "the root file system"
ok "its root is the network disk"
remote 'systemctl poweroff' || true
wait_for 120 "the machine's end" has_ended qemu
pass
