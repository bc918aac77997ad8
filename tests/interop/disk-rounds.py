#!/usr/bin/python3
"""A session that writes and reads its block for ever, and prints a line a round.

Usage: disk-rounds.py ADDRESS MACHINE [reads]. reads: it reads a block that it has not read before instead.
"""
import struct
import sys
import time

sys.dont_write_bytecode = True
from odd_initiator import GOOD, Initiator  # noqa: E402

s = Initiator(sys.argv[1], 3260, "iqn.2026-11.test:t:" + sys.argv[2], name="iqn.2026-11.test:" + sys.argv[2])
s.sock.settimeout(60)
s.log_in()
s.command([0] * 6)
print("logged in", flush=True)
number = 0
while True:
    number += 1
    block = struct.pack("<QQ", number, 7) * 256
    begin = time.monotonic()
    if sys.argv[3:] == ["reads"]:
        assert s.command(struct.pack(">BBIBHB", 0x28, 0, 256 * number, 0, 8, 0), read=4096).status == GOOD
    else:
        assert s.command(struct.pack(">BBIBHB", 0x2A, 0, 8, 0, 8, 0), block).status == GOOD
        answer = s.command(struct.pack(">BBIBHB", 0x28, 0, 8, 0, 8, 0), read=4096)
        assert answer.status == GOOD and answer.data == block
    print("done %d in %d ms" % (number, 1000 * (time.monotonic() - begin)), flush=True)
    time.sleep(0.05)
