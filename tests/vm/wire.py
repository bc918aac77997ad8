#!/usr/bin/env python3
"""A cable between a virtual machine and a tap that can disturb its frames.

wire.py TAP OURS QEMUS [--tag=N] [--second-probe]

OURS and QEMUS are the unix sockets of QEMU's `-netdev dgram`. --tag=N: frames to the machine carry a tag of
VLAN 0 and priority N. --second-probe: whenever the machine probes an address by ARP, another machine probes the
same one at that moment (RFC 5227 2.1.1), for the first address that is probed. Says `ready`.
"""
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
OTHER = bytes.fromhex("020000000077")
EVERYBODY = b"\xff" * 6


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def with_tag(frame, priority):
    return frame[:12] + struct.pack("!HH", 0x8100, priority << 13) + frame[12:]


def probed(frame):
    """The address that an ARP probe asks for, or None."""
    is_probe = frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x01" and frame[28:32] == bytes(4)
    return frame[38:42] if is_probe else None


def others_probe(address):
    return EVERYBODY + OTHER + bytes.fromhex("08060001080006040001") + OTHER + bytes(10) + address


def main():
    name, ours, qemus = sys.argv[1:4]
    options = sys.argv[4:]
    priority = next((int(option[6:]) for option in options if option.startswith("--tag=")), None)
    wanted = None  # the address that another machine probes, once it is known
    tap = open_tap(name)
    machine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    machine.bind(ours)

    def to_machine(frame):
        try:
            machine.sendto(frame if priority is None else with_tag(frame, priority), qemus)
        except OSError:
            pass  # it is off

    print("ready", flush=True)
    while True:
        for ready in select.select([tap, machine], [], [])[0]:
            if ready == tap:
                to_machine(os.read(tap, 4096))
                continue
            frame = machine.recv(4096)
            address = probed(frame)
            wanted = wanted or address
            if "--second-probe" in options and address is not None and address == wanted:
                to_machine(others_probe(address))
            os.write(tap, frame)


main()
