#!/usr/bin/env python3
"""Persistent reservations of a target over its restarts (SPC-4 5.13.4: APTPL), a phase a call.

  reservations.py ADDRESS TARGET reserve|kept|preempted|forgotten|lost
  reservations.py ADDRESS TARGET change|changed FILE

`change` registers one key after the other until the target is gone; FILE has the last that was answered, and the one
that was under way. `changed` sees that one of both is there. It prints what went wrong, and ends with 1 then.
"""
import struct
import sys

sys.dont_write_bytecode = True  # nothing is left beside the sources
from odd_initiator import CONFLICT, GOOD, Closed, Initiator  # noqa: E402

REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT = range(5)
REGISTER_AND_IGNORE = 6
EXCLUSIVE = 3
READ = [0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0]


def check(what, why):
    if not what:
        sys.exit("%s: %s" % (sys.argv[3], why))


def log_in(number):
    session = Initiator(sys.argv[1], 3260, sys.argv[2], "iqn.2026-11.test:node%d" % number)
    session.log_in()
    while session.command([0] * 6).status not in (GOOD, CONFLICT):
        pass
    return session


def out(session, action, key, new=0, kind=0, aptpl=True):
    data = struct.pack(">QQIBBH", key, new, 0, aptpl, 0, 0)
    return session.command([0x5F, action, kind, 0, 0, 0, 0, 0, len(data), 0], data, unsolicited=len(data)).status


def done(*words, **more):
    status = out(*words, **more)
    check(status == GOOD, "PERSISTENT RESERVE OUT %r has status %02x" % (words[1:], status))


def keys(session):
    data = session.command([0x5E, 0, 0, 0, 0, 0, 0, 4, 0, 0], read=1024).data
    return sorted(struct.unpack(">%dQ" % (struct.unpack(">I", data[4:8])[0] // 8), data[8:]))


def reservation(session):
    """(key, type) of who holds it, or None."""
    data = session.command([0x5E, 1, 0, 0, 0, 0, 0, 4, 0, 0], read=1024).data
    return (struct.unpack(">Q", data[8:16])[0], data[21] & 15) if len(data) > 8 else None


def is_kept(session):
    data = session.command([0x5E, 2, 0, 0, 0, 0, 0, 4, 0, 0], read=1024).data
    check(data[2] & 1, "PTPL_C is not set")
    return data[3] & 1


def reads(session):
    return session.command(READ, read=512).status


def reserve():
    one, two = log_in(1), log_in(2)
    check(not is_kept(one), "PTPL_A is set before a key is")
    done(one, REGISTER, 0, 0xAA)
    done(two, REGISTER, 0, 0xBB)
    done(one, RESERVE, 0xAA, kind=EXCLUSIVE)
    check(is_kept(one), "PTPL_A is not set")
    check(reads(two) == CONFLICT, "a reservation stands against nobody")


def kept():
    one, two = log_in(1), log_in(2)
    check(is_kept(two), "PTPL_A is not set after the restart")
    check(keys(two) == [0xAA, 0xBB], "the keys are %r" % keys(two))
    check(reservation(two) == (0xAA, EXCLUSIVE), "the reservation is %r" % (reservation(two),))
    check(reads(one) == GOOD and reads(two) == CONFLICT, "it is not that of who made it")
    done(two, PREEMPT, 0xBB, 0xAA, kind=EXCLUSIVE)


def preempted():
    one, two = log_in(1), log_in(2)
    check(keys(two) == [0xBB], "the keys are %r" % keys(two))
    check(reservation(two) == (0xBB, EXCLUSIVE), "the reservation is %r" % (reservation(two),))
    check(reads(one) == CONFLICT and reads(two) == GOOD, "it is not that of who preempted")
    done(two, CLEAR, 0xBB)


def forgotten():
    one = log_in(1)
    check(keys(one) == [] and reservation(one) is None, "what was cleared is there again")
    check(not is_kept(one), "PTPL_A is set without a key")
    done(one, REGISTER, 0, 0xAA, aptpl=False)


def lost():
    one = log_in(1)
    check(keys(one) == [], "a key is kept without APTPL")


def change():
    last = now = 0
    try:
        one = log_in(1)
        done(one, REGISTER_AND_IGNORE, 0, 1)
        last = now = 1
        print("begins", flush=True)
        while True:
            now = last + 1
            done(one, REGISTER, last, now)
            last = now
    except (Closed, OSError):
        with open(sys.argv[4], "w") as file:
            file.write("%d %d" % (last, now))


def changed():
    with open(sys.argv[4]) as file:
        last, now = (int(word) for word in file.read().split())
    got = keys(log_in(1))
    check(got in ([last], [now]), "the key is %r, where %d was answered and %d under way" % (got, last, now))
    print("key %d of %d" % (got[0], last))


{f.__name__: f for f in (reserve, kept, preempted, forgotten, lost, change, changed)}[sys.argv[3]]()
