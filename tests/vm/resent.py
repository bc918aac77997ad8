#!/usr/bin/env python3
"""How much a server sent twice: resent.py CAPTURE PORT [SKIP_SECONDS]. CAPTURE is a pcap file of tcpdump; of its TCP
segments with data from PORT it counts those of which every byte has been sent before, without the first
SKIP_SECONDS of each connection. Prints `TWICE of ALL`."""
import struct
import sys


def packets(path):
    """The time in seconds and the bytes of each frame."""
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    scale = 1e-9 if struct.unpack(order + "I", data[:4])[0] == 0xA1B23C4D else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, kept, _ = struct.unpack_from(order + "4I", data, at)
        yield seconds + fraction * scale, data[at + 16:at + 16 + kept]
        at += 16 + kept


def segment(frame):
    """(connection, source port, SYN, sequence number, data bytes) of a TCP segment in IPv4 or IPv6, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        tcp, whole = 14 + (frame[14] & 15) * 4, 14 + struct.unpack_from("!H", frame, 16)[0]
        hosts = frame[26:34]
    elif kind == b"\x86\xdd" and frame[20] == 6:
        tcp, whole, hosts = 54, 54 + struct.unpack_from("!H", frame, 18)[0], frame[22:54]
    else:
        return None
    source, dest, seq = struct.unpack_from("!HHI", frame, tcp)
    header = (frame[tcp + 12] >> 4) * 4
    return (hosts, source, dest), source, frame[tcp + 13] & 2, seq, whole - tcp - header


def main():
    port, skip = int(sys.argv[2]), float((sys.argv[3:] or ["0"])[0])
    began, ends = {}, {}
    twice = count = 0
    for when, frame in packets(sys.argv[1]):
        found = segment(frame)
        if found is None or found[1] != port:
            continue
        connection, _, is_syn, seq, length = found
        if is_syn or connection not in ends:
            began[connection], ends[connection] = when, (seq + 1 if is_syn else seq)
        if length <= 0:
            continue
        left = ends[connection] - (seq + length) & 0xFFFFFFFF
        is_old = left < 1 << 31
        if not is_old:
            ends[connection] = seq + length & 0xFFFFFFFF
        if when - began[connection] >= skip:
            count += 1
            twice += is_old
    print("%d of %d" % (twice, count))


main()
