#!/usr/bin/env python3
"""memory-load.py ADDRESS TARGET PID: sessions that want more of lunbootd's memory than there is.

The target is one with an overlay: what was written there is answered by copies. Exits with 1 when something is not as
it should be."""
import struct
import sys

from odd_initiator import FULL, GOOD, Initiator

ADDRESS, TARGET, PID = sys.argv[1:4]
MIB = 1 << 20
READERS, READS, WRITES, WRITE_BYTES, IMMEDIATE = 20, 8, 40, 262144, 8192
KEYS = ["ImmediateData=Yes", "InitialR2T=Yes", "FirstBurstLength=65536", "MaxBurstLength=262144",
        "MaxRecvDataSegmentLength=65536"]


def check(fact, what):
    if not fact:
        sys.exit("not so: " + what)


def log_in(number):
    s = Initiator(ADDRESS, 3260, TARGET, isid=b"\x80\0\0\0\0" + bytes([number])).log_in(operational=KEYS)
    s.command([0] * 6)  # its unit attention
    return s


def ask(s, op, byte, count, flags, data=b""):
    """A READ or WRITE, of which nobody waits for the answer; gives its tag."""
    bhs = s.request(0x01, 0x80 | flags | 1)
    bhs[20:24] = struct.pack(">I", count)
    bhs[32:42] = struct.pack(">BBIBHB", op, 0, byte // 512, 0, count // 512, 0)
    s.send(bhs, data)
    return bytes(bhs[16:20])


def take_reads(s, tags):
    got = {tag: bytearray(MIB) for tag in tags}
    left = len(tags)
    while left > 0:
        bhs, data = s.receive()
        if bhs[0] & 0x3F == 0x21:
            check(False, "a read has no status but GOOD: %02x" % bhs[3])
        if bhs[0] & 0x3F == 0x20:  # a ping
            continue
        offset = struct.unpack(">I", bhs[40:44])[0]
        got[bytes(bhs[16:20])][offset:offset + len(data)] = data
        left -= bhs[1] & 1
    return [bytes(got[tag]) for tag in tags]


def resident():
    with open("/proc/%s/status" % PID) as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))


def words(byte, count):
    return b"".join(struct.pack("<I", n) for n in range(byte // 4, (byte + count) // 4))


def pipelined_writes(s):
    """Writes with immediate data, all at once. Who finds no memory is refused, and sent again."""
    bodies = [bytes([n + 1]) * WRITE_BYTES for n in range(WRITES)]
    places = [8 * MIB + n * WRITE_BYTES for n in range(WRITES)]
    tags = [ask(s, 0x2A, at, WRITE_BYTES, 0x20, body[:IMMEDIATE]) for at, body in zip(places, bodies)]
    r2ts, refused = {}, []
    while len(r2ts) + len(refused) < WRITES:
        bhs, _ = s.receive()
        if bhs[0] & 0x3F == 0x31:
            r2ts[bytes(bhs[16:20])] = bhs
        elif bhs[0] & 0x3F == 0x21:
            check(bhs[3] == FULL, "a write without memory is refused with TASK SET FULL, not %02x" % bhs[3])
            refused.append(tags.index(bytes(bhs[16:20])))
    check(refused and r2ts, "some of the writes are taken, and some are to come again: %d" % len(r2ts))
    for tag, bhs in r2ts.items():
        body = bodies[tags.index(tag)]
        s.give(bhs, bytes(8), body)
        check(s.finish(tag, bytes(8), body, 0).status == GOOD, "a write that was taken is done")
    for n in refused:
        cdb = struct.pack(">BBIBHB", 0x2A, 0, places[n] // 512, 0, WRITE_BYTES // 512, 0)
        if s.command(cdb, out=bodies[n], unsolicited=IMMEDIATE).status != GOOD:
            check(False, "a write that was sent again is done")
    for at, body in zip(places, bodies):
        cdb = struct.pack(">BBIBHB", 0x28, 0, at // 512, 0, WRITE_BYTES // 512, 0)
        if s.command(cdb, read=WRITE_BYTES).data != body:
            check(False, "what was written at %d is there" % at)


first = log_in(101)
for at in range(0, READS * MIB, WRITE_BYTES):
    cdb = struct.pack(">BBIBHB", 0x2A, 0, at // 512, 0, WRITE_BYTES // 512, 0)
    if first.command(cdb, out=words(at, WRITE_BYTES), unsolicited=IMMEDIATE).status != GOOD:
        check(False, "the disk is written")
before = resident()
readers = [log_in(n) for n in range(READERS)]
tags = [[ask(s, 0x28, n * MIB, MIB, 0x40) for n in range(READS)] for s in readers]
other = log_in(100)
pipelined_writes(other)
more = resident() - before
check(more <= 1.2 * 8 * MIB, "at most the budget and a fifth is resident: %d KiB more" % (more >> 10))
expected = [words(n * MIB, MIB) for n in range(READS)]
for s, asked in zip(readers, tags):
    if take_reads(s, asked) != expected:
        check(False, "a slow reader gets what it asked for")
print("%d KiB more were resident" % (more >> 10))
