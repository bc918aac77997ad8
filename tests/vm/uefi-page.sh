#!/bin/bash
# A person steps in: DHCP names no disk; a key opens the page, on which the server, the target, the LUN
# and a CHAP name and secret are typed, and Enter boots with them. The secret is not echoed.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok
tgt_account boot boot-secret-0123 1
rootpath="nfs:somebody:else"
offer_disk </dev/null
make_stick <<EOF
enable = yes
page-wait = 60s
chap-algorithms = md5
EOF
# The person's hands are on the machine's keyboard (QEMU's monitor), the eyes on its serial console.
cat >"$scratch/person.py" <<'PYTHON'
import re, socket, sys, time

monitor_path, console_path = sys.argv[1:3]
monitor = socket.socket(socket.AF_UNIX)
monitor.connect(monitor_path)
NAMES = {" ": "spc", "\r": "ret", ".": "dot", "-": "minus", ":": "shift-semicolon"}


def press(keys):
    for key in keys:
        monitor.sendall(b"sendkey %s 40\n" % NAMES.get(key, key).encode())
        time.sleep(0.15)


def seen():
    with open(console_path, "rb") as file:
        return re.sub(rb"\x1b\[[0-9;=?]*[a-zA-Z]|\r", b"", file.read()).decode("utf-8", "replace")


def until(text, times):
    deadline = time.time() + 90
    while seen().count(text) < times:
        if time.time() > deadline:
            sys.exit(f"saw {text!r} {seen().count(text)} times, not {times}")
        time.sleep(0.1)


until("started from", 1)
time.sleep(1)
press(" ")
until("Enter boots", 1)
values = (("d", "server: ", sys.argv[3]), ("f", "target: ", sys.argv[4]), ("g", "lun: ", "1"),
          ("i", "chap-name: ", "boot"), ("j", "chap-secret: ", "boot-secret-0123"))
for number, (letter, prompt, value) in enumerate(values):
    press(letter)
    until("\n" + prompt, 1)
    press(value + "\r")
    until("Enter boots", number + 2)
press("\r")
PYTHON
boot_stick
wait_for 10 "the monitor" test -S "$scratch/monitor"
spawn person python3 "$scratch/person.py" "$scratch/monitor" "$scratch/console.log" "$server_ip" "$iqn"
wait_console 'METER LOADER-OK' 200 "a person's values boot the machine"
console_has "server +$server_ip +.typed in" "the page shows what was typed, and that it was typed"
console_has 'chap-secret +.set.' "of a secret it says only that there is one"
! grep -q 'boot-secret-0123' "$scratch/console.log" || fail "the secret was echoed"
ok "and it was not echoed"
pass
