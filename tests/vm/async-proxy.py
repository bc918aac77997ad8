#!/usr/bin/env python3
"""Stands before an iSCSI target, and puts Async Messages into what it says (RFC 7143 11.9).

async-proxy.py LISTEN PORT TARGET PORT FILE: when FILE appears with "EVENT PARAMETER2 PARAMETER3", the
message goes to the initiator between two PDUs, and FILE is taken away. No digests.
"""
import asyncio
import os
import struct
import sys

listen, listen_port, target, target_port, order = sys.argv[1:]


def message(stat_sn):
    with open(order, encoding="ascii") as f:
        event, parameter2, parameter3 = (int(word) for word in f.read().split())
    os.unlink(order)
    print("event", event, flush=True)
    return struct.pack(">BB2x4x8xIIIIIBBHHH4x", 0x32, 0x80, 0xFFFFFFFF, 0, stat_sn, 0, 0, event, 0, 0, parameter2,
                       parameter3)


def with_numbers(pdu, last):
    """ExpCmdSN and MaxCmdSN are the target's last."""
    return pdu[:28] + last[28:36] + pdu[36:]


async def pdu(reader):
    bhs = await reader.readexactly(48)
    length = bhs[4] * 4 + (int.from_bytes(bhs[5:8], "big") + 3) // 4 * 4
    return bhs + await reader.readexactly(length)


async def to_initiator(reader, writer):
    last = None
    while True:
        asked = asyncio.ensure_future(pdu(reader))
        while not asked.done():
            await asyncio.wait([asked], timeout=0.1)
            if last and os.path.exists(order) and not asked.done():
                writer.write(with_numbers(message(int.from_bytes(last[24:28], "big") + 1), last))
        last = asked.result()
        writer.write(last)


async def to_target(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)


async def serve(reader, writer):
    try:
        far_reader, far_writer = await asyncio.open_connection(target, int(target_port))
    except OSError:
        writer.close()
        return
    ways = [asyncio.ensure_future(to_initiator(far_reader, writer)),
            asyncio.ensure_future(to_target(reader, far_writer))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    writer.close()
    far_writer.close()


async def main():
    server = await asyncio.start_server(serve, listen, int(listen_port))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
