#!/usr/bin/env python3
"""A machine that asks for an address, and says a host name that no honest client would.

    dhcp-says.py INTERFACE MAC HOSTNAME

It asks with DISCOVER and REQUEST, over a packet socket, and prints the address that it was given.
"""
import socket
import struct
import sys
import time


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def option(code, value):
    return bytes([code, len(value)]) + value


def packet(mac, kind, name, more=b""):
    dhcp = struct.pack(">BBBBIHH16x16s64x128xI", 1, 1, 6, 0, 0x4c554e42, 0, 0x8000, mac.ljust(16, b"\0"),
                       0x63825363)
    dhcp += option(53, bytes([kind])) + option(12, name) + more + b"\xff"
    udp = struct.pack(">HHHH", 68, 67, 8 + len(dhcp), 0) + dhcp
    ip = struct.pack(">BBHHHBBH4x4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\xff" * 4)
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def answer(link, kind):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        frame = link.recv(2000)
        dhcp = frame[42:]
        if frame[23] == 17 and dhcp[4:8] == b"LUNB" and option(53, bytes([kind])) in dhcp:
            at = dhcp.index(b"\x36\x04", 240)
            return dhcp[16:20], dhcp[at + 2:at + 6]
    sys.exit("there is no answer")


def main():
    interface, mac, name = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), sys.argv[3].encode()
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    link.bind((interface, 0x0800))
    link.settimeout(5)
    link.send(packet(mac, 1, name))
    address, server = answer(link, 2)
    link.send(packet(mac, 3, name, option(50, address) + option(54, server)))
    address, server = answer(link, 5)
    print(socket.inet_ntoa(address))


main()
