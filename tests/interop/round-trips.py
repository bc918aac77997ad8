#!/usr/bin/env python3
"""round-trips.py SERVER < PACKETS: how many round trips from SYN to the first block that a READ brought.

PACKETS are lines of tshark: ip.src, tcp.len, tcp.flags.syn, iscsi.opcode, scsi_sbc.opcode. A round trip
begins with a packet of the client that carries something and follows one of the server (or nothing)."""
import sys
trips, last, read_sent = 0, None, False
for line in sys.stdin:
    source, length, syn, opcodes, commands = (line.rstrip("\n").split("\t") + [""] * 5)[:5]
    if length == "0" and syn not in ("1", "True"):
        continue
    side = "S" if source == sys.argv[1] else "C"
    if side == "C" and last != "C":
        trips += 1
    if side == "C" and any(c in ("0x28", "0x88", "40", "136") for c in commands.split(",")):
        read_sent = True
    last = side
    if side == "S" and read_sent and "0x25" in opcodes.split(","):
        print(trips)
        break
