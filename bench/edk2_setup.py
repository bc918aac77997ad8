"""Operates the setup screens of EDK2 (OVMF): switches its own iSCSI initiator on, for bench/firmware.

The keys go to the emulated PS/2 keyboard through QEMU's monitor, and what the firmware draws comes
from its serial console through a terminal emulator (python3-pyte). What is set is remembered in the
file with the firmware's variables.
"""
import os
import socket
import subprocess
import time

import pyte

KEYS = {".": "dot", "-": "minus", ":": "shift-semicolon", " ": "spc"}
START_S = 60  # until the front page is there
HELP_COLUMN = 57  # what the line under the cursor means is shown from here on
VARIABLE_HEADER, VARIABLE_ADDED, VARIABLE_DELETED = 60, 0x3F, 0x3C
SCREEN_S = 15  # until a screen has what is waited for


class Setup:
    """A machine in its setup screens."""

    def __init__(self, command, folder):
        self.console = os.path.join(folder, "setup.log")
        monitor = os.path.join(folder, "setup-monitor")
        self.child = subprocess.Popen(command + ["-boot", "menu=on,splash-time=30000",
                                                 "-serial", "file:" + self.console,
                                                 "-monitor", "unix:%s,server,nowait" % monitor],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        self.monitor = socket.socket(socket.AF_UNIX)
        until = time.time() + 10
        while self.monitor.connect_ex(monitor) != 0 and time.time() < until:
            time.sleep(0.1)

    def end(self):
        self.child.kill()
        self.child.wait()
        self.monitor.close()

    def screen(self):
        screen = pyte.Screen(100, 31)
        with open(self.console, "rb") as file:
            pyte.ByteStream(screen).feed(file.read())
        explained = " ".join(line[HELP_COLUMN:80].strip() for line in screen.display[4:24])
        return "\n".join([line.rstrip() for line in screen.display] +
                         ["help: " + " ".join(explained.split())])

    def has(self, *texts, seconds=SCREEN_S):
        until = time.time() + seconds
        while True:
            screen = self.screen()
            if all(text in screen for text in texts):
                return True
            if time.time() >= until:
                return False
            time.sleep(0.2)

    def press(self, *keys):
        for key in keys:
            self.monitor.sendall(("sendkey %s\n" % key).encode())
            time.sleep(0.3)

    def press_until(self, key, *texts, times=12):
        """Presses a key, such as `down`, until the screen has the texts."""
        for _ in range(times):
            if self.has(*texts, seconds=0):
                return
            self.press(key)
            time.sleep(0.5)
        self.expect(*texts)

    def expect(self, *texts):
        if not self.has(*texts):
            raise RuntimeError("the firmware's setup does not show %s:\n%s" % (texts, self.screen()))

    def type(self, text):
        self.press(*[KEYS.get(c, c) for c in text])

    def open_iscsi(self):
        until = time.time() + START_S
        while not self.has("Device Manager", "Boot Manager", seconds=1) and time.time() < until:
            self.press("f2")
        self.expect("Device Manager", "Boot Manager")
        # Which line the cursor is on is known from the text of help at the right.
        self.press_until("down", "take you to the Device")
        self.press("ret")
        self.expect("iSCSI Configuration", "Devices List")
        self.press_until("down", "Configure the iSCSI")
        self.press("ret")
        self.expect("iSCSI Initiator Name", "Add an Attempt")

    def add_attempt(self, initiator):
        """An attempt that takes everything from DHCP, without CHAP."""
        self.press("ret")
        self.type(initiator)
        self.press("ret")
        self.expect(initiator)
        self.press_until("down", "help: Add an Attempt")
        self.press("ret")
        self.expect("MAC Selection")
        self.press("ret")
        self.expect("Attempt Configuration", "Disabled, Enabled,")
        self.press("ret")
        self.expect("Enabled for MPIO")
        self.press("down", "ret")
        self.expect("<Enabled>")
        self.press_until("down", "Spacebar")
        self.press("spc")
        self.expect("Get target info via DHCP")
        self.press("down", "spc")
        self.press("down", "ret")
        time.sleep(1)
        self.press("down", "ret")
        self.expect("<None>")
        self.press_until("down", "Must reboot system")
        self.press("ret")
        time.sleep(2)


def forget_boot_order(variables):
    """The firmware then lists what it can boot from anew: disks first, PXE after them. Until then PXE
    stands first, from the time when there was no disk. A variable is deleted by a bit in its state (UEFI
    PI, variable store: header of 60 bytes before the name, state in its third byte)."""
    name = "BootOrder\0".encode("utf-16-le")
    with open(variables, "r+b") as file:
        data = file.read()
        at = data.find(name)
        while at >= 0:
            header = at - VARIABLE_HEADER
            if data[header:header + 2] == b"\xaa\x55" and data[header + 2] == VARIABLE_ADDED:
                file.seek(header + 2)
                file.write(bytes([VARIABLE_DELETED]))
            at = data.find(name, at + 1)


def configure(command, variables, folder, initiator):
    """command starts the machine, variables is the file that it keeps its variables in."""
    setup = Setup(command, folder)
    try:
        setup.open_iscsi()
        setup.add_attempt(initiator)
    finally:
        setup.end()
    forget_boot_order(variables)
