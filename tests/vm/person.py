"""A person at a machine: the hands are on its keyboard (QEMU's monitor), the eyes on its serial console.

    person.py MONITOR CONSOLE [LETTER KEY VALUE]...

Opens lunboot.efi's page, types a value for each key by its letter on the page, and boots.
"""
import re
import socket
import sys
import time

NAMES = {" ": "spc", "\r": "ret", ".": "dot", "-": "minus", ":": "shift-semicolon", "/": "slash",
         "[": "bracket_left", "]": "bracket_right"}

monitor_path, console_path = sys.argv[1:3]


def connect(path):
    """The machine may not be there yet, and the socket of an earlier one may be."""
    deadline = time.time() + 30
    while True:
        one = socket.socket(socket.AF_UNIX)
        try:
            one.connect(path)
            return one
        except (ConnectionRefusedError, FileNotFoundError):
            one.close()
            if time.time() > deadline:
                raise
            time.sleep(0.1)


monitor = connect(monitor_path)


def press(keys):
    for key in keys:
        monitor.sendall(b"sendkey %s 40\n" % NAMES.get(key, key).encode())
        time.sleep(0.1)


def seen():
    with open(console_path, "rb") as file:
        return re.sub(rb"\x1b\[[0-9;=?]*[a-zA-Z]|\r", b"", file.read()).decode("utf-8", "replace")


def until(text, times):
    deadline = time.time() + 90
    while seen().count(text) < times:
        if time.time() > deadline:
            sys.exit(f"saw {text!r} {seen().count(text)} times, not {times}")
        time.sleep(0.1)


def echo_of(key):
    """What the page shows of the value that is being typed; of a secret as many stars."""
    return seen().rpartition(f"\n{key}: ")[2].partition("\n")[0]


def type_value(key, value):
    """As a person types: a character that does not appear is typed again."""
    for at, character in enumerate(value):
        for attempt in range(5):
            press(character)
            deadline = time.time() + 2
            while len(echo_of(key)) <= at and time.time() < deadline:
                time.sleep(0.02)
            if len(echo_of(key)) > at:
                break
            print(f"# {key}: {character!r} does not appear, and is typed again", flush=True)
        if echo_of(key) not in (value[:at + 1], "*" * (at + 1)):
            sys.exit(f"{key}: typed {value[:at + 1]!r}, and saw {echo_of(key)!r}")


until("started from", 1)
time.sleep(1)
press(["ctrl-b"])
until("Enter boots", 1)
words = sys.argv[3:]
for number in range(len(words) // 3):
    letter, key, value = words[3 * number:3 * number + 3]
    press(letter)
    until(f"\n{key}: ", 1)
    type_value(key, value)
    press("\r")
    until("Enter boots", number + 2)
press("\r")
