#!/usr/bin/env python3
"""threads-load.py ADDRESS PREFIX SECONDS LUNBOOTCTL STATE IMAGE: many sessions of many machines at once, while machines
are ejected, removed, added, reset, and their images updated.

Each process writes blocks of its own, and reads them back. At a calm machine nothing may fail; at a stormy one sessions
may end at any time, but what is read is never another's. Exits with 1 when something is not as it should be."""
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import time

from odd_initiator import CHECK, FULL, GOOD, Closed, Initiator

ADDRESS, PREFIX, SECONDS, CTL, STATE, IMAGE = sys.argv[1:7]
CALM = [("keep%d" % n, "") for n in range(4)] + [("drop%d" % n, ".g1") for n in range(4)] + [("raw", "")]
STORMY = [("storm%d" % n, "") for n in range(4)]
EACH = 3  # sessions a machine
KEYS = ["ImmediateData=Yes", "InitialR2T=Yes", "FirstBurstLength=65536", "MaxBurstLength=262144",
        "MaxRecvDataSegmentLength=65536"]
REGION = 1 << 20  # bytes of each process


class Wrong(Exception):
    """What was read is not what was written."""


def rw(op, byte, count):
    return struct.pack(">BBIBHB", op, 0, byte // 512, 0, count // 512, 0)


def do(s, cdb, out=b"", read=0):
    """A command, again where it has to come again: a unit attention, no memory."""
    for _ in range(200):
        answer = s.command(cdb, out, read)
        if answer.status == GOOD:
            return answer
        if answer.status != FULL and not (answer.status == CHECK and answer.sense and answer.sense[0] == 6):
            raise Wrong("%s" % answer)
        time.sleep(0.005)
    raise Wrong("it has to come again for ever")


def session(rng, name, suffix, number):
    s = Initiator(ADDRESS, 3260, PREFIX + name + suffix, name="iqn.2026-11.test:load-" + name,
                  isid=b"\x80\0\0\0" + struct.pack(">H", number))
    s.log_in(operational=KEYS)
    base = (number + 1) * REGION
    for _ in range(rng.randrange(1, 20)):
        count = rng.choice([512, 4096, 65536, 262144])
        at = base + rng.randrange(0, (REGION - count) // 512) * 512
        body = struct.pack("<IIII", number, at, rng.getrandbits(32), rng.getrandbits(32)) * (count // 16)
        do(s, rw(0x2A, at, count), body)
        got = do(s, rw(0x28, at, count), read=count).data
        is_overwritten = name.startswith("storm") and not got.strip(got[:1])
        if got != body and not is_overwritten:
            raise Wrong("%s: %d bytes at %d are not what was written" % (name, count, at))
        do(s, rw(0x28, 0, 65536), read=65536)  # the base's
        if rng.random() < 0.2:
            do(s, struct.pack(">BBIBHB", 0x35, 0, 0, 0, 0, 0))
        if rng.random() < 0.1:
            do(s, bytes([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]),
               struct.pack(">HHIQII", 22, 16, 0, at // 512, count // 512, 0))
    end = rng.random()
    if end < 0.5:
        s.log_out()
    elif end < 0.9:
        s.sock.close()
    else:
        return s  # stays, and its place is taken
    return None


def sanitize(rng, name):
    """An overwrite of a whole disk, which the session does not wait for."""
    s = Initiator(ADDRESS, 3260, PREFIX + name, name="iqn.2026-11.test:load-" + name, isid=b"\x80\0\0\0\xff\xff")
    s.log_in(operational=KEYS)
    pattern = bytes([rng.randrange(256)]) * 4
    body = struct.pack(">BBH", 1, 0, len(pattern)) + pattern
    do(s, bytes([0x48, 0x80 | 0x20 | 0x01, 0, 0, 0, 0, 0]) + struct.pack(">HB", len(body), 0), body)
    s.sock.close()


def work(name, suffix, number, until, is_calm, results):
    rng = random.Random("%s %d" % (name, number))
    kept, count = [], 0
    while time.monotonic() < until:
        try:
            kept.append(session(rng, name, suffix, number))
            kept = kept[-1:]
            count += 1
        except Wrong as why:
            if is_calm or "not what was written" in str(why):
                results.put("%s %d: %s" % (name, number, why))
                return
        except (AssertionError, Closed, OSError) as why:
            if is_calm:
                results.put("%s %d: %r" % (name, number, why))
                return
            time.sleep(0.01)
    results.put(count)


def ctl(*words):
    return subprocess.run([CTL, "--state=" + STATE, *words], capture_output=True, text=True, timeout=60)


def disturb(until, results):
    """What a person does to machines that run."""
    rng, done = random.Random(7), 0
    while time.monotonic() < until:
        name = "storm%d" % rng.randrange(len(STORMY))
        try:
            sanitize(rng, name)
            done += 1
        except (AssertionError, Closed, OSError, Wrong):
            pass
        for words in (["eject", name], ["remove", name],
                      ["add", name, "mac=02:00:00:00:01:%02x" % int(name[-1])], ["list"], ["show", "keep0"],
                      ["reset", "storm%d" % rng.randrange(len(STORMY))], ["reload"],
                      ["image", "update", IMAGE, "base"]):
            if words[0] == "image" and rng.random() < 0.7:
                continue
            done += ctl(*words).returncode == 0
    results.put(-done)


def main():
    results = multiprocessing.Queue()
    until = time.monotonic() + float(SECONDS)
    jobs = [multiprocessing.Process(target=disturb, args=(until, results))]
    for machines, is_calm in ((CALM, True), (STORMY, False)):
        for name, suffix in machines:
            jobs += [multiprocessing.Process(target=work, args=(name, suffix, n, until, is_calm, results))
                     for n in range(EACH)]
    for job in jobs:
        job.start()
    sessions = acts = 0
    problems = []
    for _ in jobs:
        result = results.get(timeout=float(SECONDS) + 120)
        if isinstance(result, str):
            problems.append(result)
        elif result < 0:
            acts -= result
        else:
            sessions += result
    for job in jobs:
        job.join()
    print("%d sessions, %d acts" % (sessions, acts))
    for problem in problems:
        print("not so: " + problem)
    sys.exit(1 if problems or sessions == 0 or acts == 0 else 0)


if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    main()
