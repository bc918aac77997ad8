#!/bin/bash
# A person steps in: DHCP names no disk; a key opens the page, on which the server, the target, the LUN
# and a CHAP name and secret are typed, and Enter boots with them. The secret is not echoed.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need python3
make_vm_net
serve_meter <<EOF
say LOADER-OK
off
EOF
tgt_account boot boot-secret-0123 1
rootpath="nfs:somebody:else"
offer_disk </dev/null
make_stick <<EOF
enable = yes
page-wait = 30s
chap-algorithms = md5
EOF
cat >"$scratch/person.py" <<'PYTHON'
import socket, sys, time
path, log = sys.argv[1], open(sys.argv[2], "ab", buffering=0)
line = socket.socket(socket.AF_UNIX)
for _ in range(100):
    try:
        line.connect(path)
        break
    except OSError:
        time.sleep(0.1)
seen = b""


def until(word, seconds):
    global seen
    deadline = time.time() + seconds
    while word not in seen:
        line.settimeout(max(0.1, deadline - time.time()))
        data = line.recv(4096)
        if not data or time.time() > deadline:
            sys.exit(f"never saw {word}")
        log.write(data)
        seen += data
    seen = seen[seen.index(word) + len(word):]


def press(keys):
    for key in keys:
        line.sendall(bytes([key]))
        time.sleep(0.05)


until(b"started from", 90)
time.sleep(1)
press(b" ")
until(b"Enter boots", 30)
for letter, value in ((b"d", sys.argv[3]), (b"f", sys.argv[4]), (b"g", "1"), (b"i", "boot"),
                      (b"j", "boot-secret-0123")):
    press(letter)
    until(b": ", 20)
    time.sleep(0.3)
    press(value.encode() + b"\r")
    until(b"Enter boots", 30)
press(b"\r")
try:
    while True:
        line.settimeout(90)
        data = line.recv(4096)
        if not data:
            break
        log.write(data)
except OSError:
    pass
PYTHON
start_vm_with_person() {
    cp "$ovmf_vars" "$scratch/vars.fd"
    : >"$scratch/console.log"
    spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 512 \
        -display none -no-reboot -nodefaults \
        -drive "if=pflash,format=raw,readonly=on,file=$ovmf_code" \
        -drive "if=pflash,format=raw,file=$scratch/vars.fd" \
        -chardev "socket,id=person,path=$scratch/keyboard,server=on,wait=on" -serial chardev:person "$@"
}
rm -f "$scratch/keyboard"
start_vm_with_person "${card[@]}" "${stick[@]}"
spawn person python3 "$scratch/person.py" "$scratch/keyboard" "$scratch/console.log" "$server_ip" "$iqn"
wait_console 'METER LOADER-OK' 150 "a person's values boot the machine"
console_has "server +$server_ip +.typed in" "the page shows what was typed, and that it was typed"
console_has 'chap-secret +.set.' "of a secret it says only that there is one"
! grep -q 'boot-secret-0123' "$scratch/console.log" || fail "the secret was echoed"
ok "and it was not echoed"
pass
