#!/usr/bin/env python3
"""rogue-dhcp.py INTERFACE ADDRESS: a DHCP server that answers each DISCOVER at once with an offer that no boot
should use: by turns one whose Root Path is malformed, or that is malformed itself, and one whose Root
Path names a server or target off the lists. It confirms what is asked of it. On standard output: a line
for each offer."""
import itertools
import socket
import sys

COOKIE = b"\x63\x82\x53\x63"
TARGET = b"iqn.2026-11.test:disk1"
MALFORMED = [
    b"iscsi:x",
    b"iscsi:192.0.2.1:::0x1:" + TARGET,
    b"iscsi:192.0.2.1:17:::" + TARGET,
    b"iscsi:192.0.2.1::65536::" + TARGET,
    b"iscsi:192.0.2.1::::disk1",
    b"iscsi:a_b:::1:" + TARGET,
    b"iscsi:192.0.2.1:::1:iqn.2026-11.test:\xc3\x28",
    b"iscsi:[2001:db8::1:::1:" + TARGET,
    b"iscsi:" + b"x" * 900,
    b"cut",  # the options end in the middle of one
]
OFF_THE_LISTS = [
    b"iscsi:192.0.2.66:::1:iqn.2026-11.evil:disk1",
    b"iscsi:192.0.2.1:::1:iqn.2026-11.evil:disk1",
    b"iscsi:203.0.113.66:::1:" + TARGET,
    b"iscsi:evil.example.com:::1:" + TARGET,
    b"iscsi:127.0.0.1:::1:" + TARGET,
    b"iscsi:224.0.0.1:::1:" + TARGET,
    b"iscsi:0.0.0.0:::1:" + TARGET,
    b"iscsi:[2001:db8::66]:::1:" + TARGET,
    b"iscsi:[ff02::1]:::1:" + TARGET,
    b"iscsi:::::iqn.2026-11.evil:disk1",
]


def option(code, value):
    """An option, in as many pieces as it takes (RFC 3396)."""
    pieces = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([code, len(piece)]) + piece for piece in pieces)


def kind_of(request):
    at = 240
    while at + 1 < len(request) and request[at] != 255:
        if request[at] == 53:
            return request[at + 2]
        at += 1 if request[at] == 0 else 2 + request[at + 1]
    return 0


def answer(request, kind, us, root_path):
    yours = socket.inet_aton("192.0.2.90")
    header = bytes([2, 1, 6, 0]) + request[4:8] + bytes(8) + yours + bytes(8) + request[28:44] + bytes(192)
    options = option(53, bytes([kind])) + option(54, us) + option(51, b"\x00\x00\x0e\x10")
    options += option(1, b"\xff\xff\xff\x00") + option(6, us)
    if root_path == b"cut":
        return header + COOKIE + options + bytes([17, 200]) + b"iscsi:192.0.2.1"
    return header + COOKIE + options + option(17, root_path) + b"\xff"


def main():
    interface, us = sys.argv[1].encode(), socket.inet_aton(sys.argv[2])
    turns = itertools.cycle(itertools.chain.from_iterable(zip(MALFORMED, OFF_THE_LISTS)))
    chosen = {}
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface)
    sock.bind(("", 67))
    print("ready", flush=True)
    while True:
        request, _ = sock.recvfrom(4096)
        kind, transaction = kind_of(request), request[4:8]
        if kind == 1 and transaction not in chosen:
            chosen[transaction] = next(turns)
            print("offer", chosen[transaction], flush=True)
        if kind in (1, 3) and transaction in chosen:
            reply = answer(request, 2 if kind == 1 else 5, us, chosen[transaction])
            sock.sendto(reply, ("255.255.255.255", 68))


main()
