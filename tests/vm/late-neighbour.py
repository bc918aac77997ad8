#!/usr/bin/env python3
"""A machine that has an IPv6 address and is slow to say so: late-neighbour.py INTERFACE ADDRESS SECONDS.

Answers the first probe for the address (duplicate address detection, RFC 4862 5.4) so long after it came,
and says `answered`.
"""
import socket
import struct
import sys
import time

interface, address, seconds = sys.argv[1], socket.inet_pton(socket.AF_INET6, sys.argv[2]), float(sys.argv[3])
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")
MAC = bytes.fromhex("020000000099")


def checksum(message):
    pseudo = address + ALL_NODES + struct.pack("!IHBB", len(message), 0, 0, socket.IPPROTO_ICMPV6)
    total = sum(struct.unpack(f"!{len(pseudo + message) // 2}H", pseudo + message))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def advertisement():
    message = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + address + b"\x02\x01" + MAC
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(message), socket.IPPROTO_ICMPV6, 255) + address + ALL_NODES
    return b"\x33\x33\0\0\0\x01" + MAC + b"\x86\xdd" + header + message


def is_probe(frame):
    return (frame[12:14] == b"\x86\xdd" and frame[20] == socket.IPPROTO_ICMPV6 and frame[22:38] == bytes(16) and
            frame[54] == 135 and frame[62:78] == address)


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as link:
    link.bind((interface, 0))
    print("ready", flush=True)
    while not is_probe(link.recv(2048)):
        pass
    time.sleep(seconds)
    link.send(advertisement())
    print("answered", flush=True)
