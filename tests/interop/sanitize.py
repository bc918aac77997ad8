#!/usr/bin/env python3
"""SANITIZE of a target's LUN 0 (SBC-3 4.11), a phase a call.

  sanitize.py ADDRESS TARGET begin|refused|crypto LIST   LIST: OVERWRITE's parameter list in hex
  sanitize.py ADDRESS TARGET wait LIST                   the same without IMMED
  sanitize.py ADDRESS TARGET watch OTHER                 until it ends; OTHER: a target that is read meanwhile
  sanitize.py ADDRESS TARGET reads PATTERN               every block is this, in hex

It prints what it saw, and ends with 1 where something was wrong.
"""
import struct
import sys
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
from odd_initiator import CHECK, GOOD, Initiator  # noqa: E402

IN_PROGRESS = (2, 0x04, 0x1B)
OVERWRITE, CRYPTO_ERASE, IMMED = 1, 3, 0x80
BLOCKS = 2048  # of one READ


def check(what, why):
    if not what:
        sys.exit("%s: %s" % (sys.argv[3], why))


def test_unit_ready(session):
    return session.command([0] * 6)


def ready(target):
    """A session that has been told of all unit attentions."""
    session = Initiator(sys.argv[1], 3260, target, "iqn.2026-11.test:node1")
    session.log_in()
    while (test_unit_ready(session).sense or (0,))[0] == 6:
        pass
    return session


def sanitize(session, action, data):
    cdb = [0x48, action, 0, 0, 0, 0, 0, len(data) >> 8, len(data) & 255, 0]
    return session.command(cdb, data, unsolicited=len(data))


def progress(answer):
    check(answer.status == CHECK and answer.sense == IN_PROGRESS, "TEST UNIT READY says %r" % answer)
    check(answer.raw[15] & 0x80, "there is no progress in the sense")
    return struct.unpack(">H", answer.raw[16:18])[0]


def begin(session, data):
    started = time.monotonic()
    answer = sanitize(session, IMMED | OVERWRITE, data)
    check(answer.status == GOOD, "SANITIZE says %r" % answer)
    check(time.monotonic() - started < 2, "with IMMED it was answered late")
    progress(test_unit_ready(session))
    answer = session.command([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], read=512)
    check(answer.sense == IN_PROGRESS, "READ says %r" % answer)
    check(session.command([0x12, 0, 0, 0, 36, 0], read=36).status == GOOD, "INQUIRY fails")


def watch(session, other):
    """The progress never goes back, REQUEST SENSE tells it as well, and another disk is read in time."""
    neighbour, before, seen, slowest = ready(other), -1, set(), 0
    while True:
        answer = test_unit_ready(session)
        if answer.status == GOOD:
            break
        now = progress(answer)
        check(now >= before, "the progress goes from %d to %d" % (before, now))
        before = now
        seen.add(now)
        sense = session.command([3, 0, 0, 0, 18, 0], read=18).data
        check((sense[2] & 15, sense[12], sense[13]) in (IN_PROGRESS, (0, 0, 0)), "REQUEST SENSE: %s" % sense.hex())
        started = time.monotonic()
        check(neighbour.command([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0], read=4096).status == GOOD, "the other cannot read")
        slowest = max(slowest, time.monotonic() - started)
    check(len(seen) > 3, "the progress was %r" % sorted(seen))
    print("%d steps of progress; the slowest read of another machine took %d ms" % (len(seen), slowest * 1000))
    check(slowest < 5, "another machine waited for %.1f s" % slowest)


def reads(session, pattern):
    capacity = session.command([0x25] + [0] * 9, read=8).data
    blocks = struct.unpack(">I", capacity[:4])[0] + 1
    block = (pattern * 512)[:512]
    for lba in range(0, blocks, BLOCKS):
        count = min(BLOCKS, blocks - lba)
        answer = session.command(list(struct.pack(">BBIBHB", 0x28, 0, lba, 0, count, 0)), read=count * 512)
        check(answer.data == block * count, "the blocks from %d on are something else" % lba)
    print("%d blocks" % blocks)


def main():
    phase, last = sys.argv[3], sys.argv[4]
    session = ready(sys.argv[2])
    if phase == "begin":
        begin(session, bytes.fromhex(last))
    elif phase == "wait":
        answer = sanitize(session, OVERWRITE, bytes.fromhex(last))
        check(answer.status == GOOD, "SANITIZE says %r" % answer)
    elif phase == "refused":
        answer = sanitize(session, OVERWRITE, bytes.fromhex(last))
        check(answer.sense == (7, 0x27, 0x07), "SANITIZE says %r" % answer)
        check(test_unit_ready(session).status == GOOD, "the disk is not ready any more")
    elif phase == "crypto":
        answer = sanitize(session, CRYPTO_ERASE, b"")
        check(answer.sense == (5, 0x24, 0x00), "CRYPTOGRAPHIC ERASE says %r" % answer)
    elif phase == "watch":
        watch(session, last)
    else:
        reads(session, bytes.fromhex(last))


main()
