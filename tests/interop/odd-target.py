#!/usr/bin/env python3
"""A target with one odd behaviour that was met in the field.

  odd-target.py --list                     the cases, with where each was met
  odd-target.py --case=NAME --disk=FILE --listen=ADDRESS:PORT [--listen=...] [OPTION...]

  odd-target.py --disk=FILE --fleet=FOLDER  one process for each line of FOLDER/options

It serves FILE, of which it has a copy, as LUN 1 of iqn.2026-11.test:odd, unless the case says otherwise. What it saw is
printed: a line for each PDU that matters; of a fleet in FOLDER/NAME. It says `ready` when it listens, and ends on
SIGTERM. Time begins with the first connection.
"""
import argparse
import heapq
import mmap
import os
import select
import signal
import socket
import sys
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
import odd_more  # noqa: E402,F401
import odd_third  # noqa: E402,F401
from odd_cases import CASES  # noqa: E402
from odd_target import Conn, Target, say  # noqa: E402


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--fleet")
    parser.add_argument("--case", default="plain")
    parser.add_argument("--disk")
    parser.add_argument("--listen", action="append", default=[])
    parser.add_argument("--other", help="where redirects and second portals point to")
    parser.add_argument("--dead", default="192.0.2.99", help="an address that nobody has")
    parser.add_argument("--address6", default="2001:db8:77::1", help="an address of IPv6 that it listens on, too")
    parser.add_argument("--verbose", action="store_true", help="reads and writes, too")
    return parser.parse_args(words)


def listener(where):
    host, port = where.rsplit(":", 1)
    host = host.strip("[]")
    out = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    out.bind((host, int(port)))
    out.listen(16)
    return out


def accept(target, server):
    sock, peer = server.accept()
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    target.accepts += 1
    conn = Conn(target, sock, peer)
    say("c%d from %s to %s" % (conn.number, peer[0], sock.getsockname()[0]))
    target.conns.append(conn)
    if target.on_accept:
        target.on_accept(conn)


def turn(target, servers):
    while target.timers and target.timers[0][0] <= time.time():
        heapq.heappop(target.timers)[2]()
    target.conns = [c for c in target.conns if not c.closed]
    wait = max(0, target.timers[0][0] - time.time()) if target.timers else 1.0
    ready, _, _ = select.select(servers + [c.sock for c in target.conns], [], [], min(wait, 1.0))
    for sock in ready:
        if sock in servers:
            accept(target, sock)
            continue
        for conn in target.conns:
            if conn.sock is sock and not conn.closed:
                conn.readable()


def serve(args, servers):
    select.select(servers, [], [])
    with open(args.disk, "rb") as f:
        target = Target(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY), args)
    CASES[args.case][0](target)
    try:
        while True:
            turn(target, servers)
    finally:
        if "at_end" in target.state:
            target.state["at_end"]()
        say("accepts %d, logins %d" % (target.accepts, target.logins))


def launch(args, children):
    servers = [listener(where) for where in args.listen]
    pid = os.fork()
    if pid:
        children.append(pid)
        for server in servers:
            server.close()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout = open(os.path.join(args.fleet, args.case), "w", encoding="utf-8")
    serve(args, servers)


def fleet(words):
    children = []
    folder = parse(words).fleet
    with open(os.path.join(folder, "options"), encoding="utf-8") as f:
        options = [parse(words + line.split()) for line in f]
    for args in options:
        launch(args, children)

    def end(*_):
        for pid in children:
            os.kill(pid, signal.SIGTERM)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    while True:
        signal.pause()


def main():
    args = parse(sys.argv[1:])
    if args.list:
        for name, (_, what) in CASES.items():
            print("%-28s %s" % (name, what))
    elif args.fleet:
        fleet(sys.argv[1:])
    else:
        servers = [listener(where) for where in args.listen]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("ready", flush=True)
        serve(args, servers)


main()
