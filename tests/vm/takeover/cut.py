#!/usr/bin/env python3
"""A TCP proxy between an initiator and a target that cuts its first connection when the kernel takes it
over: at the second INQUIRY for standard data of one LUN. (A boot client asks once; the kernel asks again.)

    cut.py LISTEN_ADDRESS LISTEN_PORT TARGET_ADDRESS TARGET_PORT
"""
import selectors
import socket
import sys


def inquiries(stream):
    """Takes whole PDUs off the front of a bytearray; how many were standard INQUIRYs of LUN 1."""
    count = 0
    while len(stream) >= 48:
        data = int.from_bytes(stream[5:8], "big")
        size = 48 + 4 * stream[4] + (data + 3) // 4 * 4
        if len(stream) < size:
            break
        lun, cdb = stream[8:10], stream[32:48]
        if stream[0] & 0x3F == 1 and lun == b"\0\1" and cdb[0] == 0x12 and not cdb[1] & 1:
            count += 1
        del stream[:size]
    return count


def relay(client, target, cuts):
    """Until one end closes, or the cut."""
    seen, asked = bytearray(), 0
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, target)
        selector.register(target, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if key.fileobj is client:
                    seen += data
                    asked += inquiries(seen)
                if not data:
                    return
                if cuts and asked >= 2:
                    print("cut", flush=True)
                    return
                key.data.sendall(data)


def main():
    listen_address, listen_port, target_address, target_port = sys.argv[1:]
    listener = socket.create_server((listen_address, int(listen_port)))
    print("listening", flush=True)
    cuts = True
    while True:
        client, _ = listener.accept()
        target = socket.create_connection((target_address, int(target_port)))
        print("connection", flush=True)
        relay(client, target, cuts)
        cuts = False
        client.close()
        target.close()


main()
