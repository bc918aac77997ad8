#!/usr/bin/env python3
"""A DNS server that does what real ones cannot be made to do on demand.

    fake-dns.py ADDRESS A AAAA

A and AAAA say what a question of that type gets, whatever its name: an address, or one of
drop, servfail, refused, notimp, nxdomain, nodata. Each question is printed as a line.
"""
import ipaddress
import socket
import struct
import sys

TYPES = {1: "A", 28: "AAAA"}
CODES = {"nodata": 0, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}


def name_and_type(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    return ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


def reply(query, word):
    """The bytes of the answer; None: there is none."""
    _, kind, question = name_and_type(query)
    if word == "drop":
        return None
    if word in CODES:
        return query[:2] + struct.pack(">5H", 0x8180 | CODES[word], 1, 0, 0, 0) + question
    data = ipaddress.ip_address(word).packed
    record = struct.pack(">3HIH", 0xc00c, kind, 1, 60, len(data)) + data
    return query[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + question + record


def main():
    address, words = sys.argv[1], {1: sys.argv[2], 28: sys.argv[3]}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    print("ready", flush=True)
    while True:
        query, client = server.recvfrom(2048)
        name, kind, _ = name_and_type(query)
        print(f"{TYPES.get(kind, kind)} {name}", flush=True)
        answer = reply(query, words.get(kind, "notimp"))
        if answer:
            server.sendto(answer, client)


main()
