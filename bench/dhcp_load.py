#!/usr/bin/python3
"""dhcp_load.py MACHINES ROUNDS: as a relay at 10.1.0.2, a DISCOVER and a REQUEST for each of so many
rounds, of the machines in turn, 64 of them at once. Prints how many answers came.
"""
import random
import select
import socket
import struct
import sys

SERVER, RELAY = "10.1.0.1", "10.1.0.2"
AT_ONCE = 64


def packet(machine, xid, options):
    header = struct.pack(">BBBBIHH4s4s4s4s16s192x", 1, 1, 6, 1, xid, 0, 0, b"", b"", b"",
                         socket.inet_aton(RELAY), b"\x02\x00" + struct.pack(">I", machine))
    return header + b"\x63\x82\x53\x63" + options + b"\x37\x03\x01\x03\x11\xff"


def option(answer, wanted):
    at = 240
    while at < len(answer) and answer[at] != 255:
        if answer[at] == 0:
            at += 1
            continue
        if answer[at] == wanted:
            return answer[at + 2:at + 2 + answer[at + 1]]
        at += 2 + answer[at + 1]
    return b""


class Load:
    def __init__(self, machines, rounds):
        self.machines, self.rounds = machines, rounds
        self.begun = self.answers = 0
        self.waits = {}  # xid: what was sent
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((RELAY, 67))

    def send(self, machine, options):
        xid = random.getrandbits(32)
        self.waits[xid] = (machine, packet(machine, xid, options))
        self.socket.sendto(self.waits[xid][1], (SERVER, 67))

    def take(self, answer):
        xid = struct.unpack(">I", answer[4:8])[0]
        if xid not in self.waits:
            return
        machine, _ = self.waits.pop(xid)
        self.answers += 1
        if option(answer, 53) == b"\x02":
            self.send(machine, b"\x35\x01\x03\x32\x04" + answer[16:20] + b"\x36\x04" + option(answer, 54))
        elif option(answer, 53) != b"\x05":
            sys.exit("machine %d got no address" % machine)

    def run(self):
        silent = 0
        while self.begun < self.rounds or self.waits:
            while self.begun < self.rounds and len(self.waits) < AT_ONCE:
                self.send(self.begun % self.machines, b"\x35\x01\x01")
                self.begun += 1
            if select.select([self.socket], [], [], 1)[0]:
                self.take(self.socket.recv(2048))
                silent = 0
                continue
            silent += 1
            if silent > 10:
                sys.exit("no answer for 10 s")
            for _, sent in self.waits.values():
                self.socket.sendto(sent, (SERVER, 67))
        print(self.answers)


Load(int(sys.argv[1]), int(sys.argv[2])).run()
