#!/usr/bin/env python3
"""DNS servers with one odd behaviour each, as they are met in the field.

    odd-dns.py --list       the cases: NUMBER NAME OPTIONS of lunboot, `|`, what is right (a regular expression)
    odd-dns.py NETWORK      serves them: case N at NETWORK.N (the first server) and NETWORK.(N+1) (the second one)

The good address is 192.0.2.1, where nothing listens: `refused` means that the name was found, and the right one
of its addresses tried. What is asked for is storage.boot.example, unless the case says otherwise.
"""
import ipaddress
import select
import socket
import struct
import sys
import time

GOOD, GOOD6, BAD = "192.0.2.1", "2001:db8::1", "192.0.2.66"
A, CNAME, AAAA = 1, 5, 28
REFUSED = r"192\.0\.2\.1:3260.*\(connect-refused\)|\(connect-refused\).*192\.0\.2\.1:3260"
CASES = []


def wire(name):
    """A name as labels, without compression."""
    out = b""
    for label in [part for part in name.split(".") if part]:
        out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


class Query:
    def __init__(self, data, is_tcp, count):
        self.data, self.is_tcp, self.count = data, is_tcp, count
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += data[at] + 1
        self.name, self.type = ".".join(labels), struct.unpack(">H", data[at + 1:at + 3])[0]
        self.question = data[12:at + 5]

    def head(self, flags=0x8180, answers=0, questions=1, authority=0, additional=0, number=None):
        return (number or self.data[:2]) + struct.pack(">5H", flags, questions, answers, authority, additional)

    def message(self, records=(), flags=0x8180, **more):
        counts = dict(answers=len(records))
        counts.update(more)
        return self.head(flags, **counts) + self.question + b"".join(records)

    def record(self, value=None, owner=None, kind=None, ttl=60, class_=1):
        """A record; its owner is the question by a pointer, unless given."""
        if value is None:
            value = GOOD if self.type == A else GOOD6
        if isinstance(value, str) and kind in (CNAME, 39):
            data = wire(value)
        elif isinstance(value, str):
            data = ipaddress.ip_address(value).packed
        else:
            data = value
        name = b"\xc0\x0c" if owner is None else owner if isinstance(owner, bytes) else wire(owner)
        return name + struct.pack(">HHIH", kind or self.type, class_, ttl & 0xffffffff, len(data)) + data

    def good(self):
        """The address of IPv4; of IPv6 there is none."""
        return self.message([self.record()] if self.type == A else [])


def case(name, right=REFUSED, first=None, second=None, options="", host="storage.boot.example"):
    """first and second: functions of a query, which give messages (or pairs: seconds to wait, message)."""
    CASES.append((name, right, first or Query.good, second, options, host))


def code(number):
    return lambda q: q.message(flags=0x8180 | number)


def only_for(kind, otherwise, then=Query.good):
    """`then` for the questions of this type, `otherwise` for others."""
    return lambda q: then(q) if q.type == kind else otherwise(q)


def nothing(_):
    return None


def late(seconds, then=Query.good):
    return lambda q: [(seconds, then(q))]


# ---- both families

for name, number in (("formerr", 1), ("servfail", 2), ("nxdomain", 3), ("notimp", 4), ("refused", 5), ("notauth", 9)):
    case("aaaa-" + name, first=only_for(A, code(number)))
    case("aaaa-%s-and-a-late" % name, first=only_for(A, code(number), late(0.3)))
case("a-nxdomain-and-aaaa", r"2001:db8::1", first=only_for(AAAA, code(3), lambda q: q.message([q.record()])))
case("aaaa-only", r"2001:db8::1", first=only_for(AAAA, Query.message, lambda q: q.message([q.record()])))
case("aaaa-drop", first=only_for(A, nothing))
for name, address in (("zero", "::"), ("loopback", "::1"), ("mapped", "::ffff:192.0.2.66"), ("multicast", "ff02::1"),
                      ("link-local", "fe80::1"), ("site-local", "fec0::1")):
    case("aaaa-" + name, first=only_for(A, lambda q, a=address: q.message([q.record(a)])))
for name, address in (("zero", "0.0.0.0"), ("loopback", "127.0.0.53"), ("broadcast", "255.255.255.255"),
                      ("multicast", "224.0.0.1")):
    case("a-%s-first" % name, first=only_for(A, lambda q: q.message(),
                                             lambda q, a=address: q.message([q.record(a), q.record()])))
    case("a-%s-alone" % name, r"resolve|%s" % address.replace(".", r"\."),
         first=only_for(A, lambda q: q.message(), lambda q, a=address: q.message([q.record(a)])))

# ---- aliases


def chain(length, order=1, own=True):
    def reply(q):
        if q.type != A:
            return q.message()
        names = [q.name] + ["a%d.boot.example" % i for i in range(length)]
        out = [q.record(names[i + 1], names[i], CNAME) for i in range(length)]
        if own:
            out.append(q.record(owner=names[-1]))
        return q.message(out[::order])
    return reply


def stepwise(length):
    def reply(q):
        at = int(q.name.split(".")[0][1:]) if q.name.startswith("a") else 0
        return q.message([q.record("a%d.boot.example" % (at + 1), kind=CNAME)]) if at < length else q.good()
    return reply


for count in (1, 3, 8, 9, 12, 16):
    case("chain-%d" % count, first=chain(count))
    case("chain-reversed-%d" % count, first=chain(count, -1))
for count in (1, 3, 8, 12):
    case("chain-step-by-step-%d" % count, first=stepwise(count))
case("cname-itself", r"\(resolve\)", first=lambda q: q.message([q.record(q.name, kind=CNAME)]))
case("cname-root", r"\(resolve\)", first=lambda q: q.message([q.record("", kind=CNAME)]))
case("cname-upper", first=lambda q: q.message([q.record("DISK.Boot.Example", kind=CNAME)]) if q.name[0] == "s" else
     q.good())
case("cname-and-a", first=only_for(A, Query.message, lambda q: q.message([q.record("x.example", kind=CNAME),
                                                                          q.record()])))
case("cname-underscore", first=lambda q: q.message([q.record("_x._tcp.boot.example", kind=CNAME)])
     if q.name[0] == "s" else q.good())
case("cname-with-compressed-tail", first=only_for(A, Query.message, lambda q: q.message([
    q.record(b"\4disk\xc0\x14", kind=CNAME), q.record(owner=b"\4disk\xc0\x14")])))
case("dname", first=only_for(A, Query.message, lambda q: q.message([
    q.record("other.example", "boot.example", 39), q.record("storage.other.example", kind=CNAME),
    q.record(owner="storage.other.example")])))
case("cname-then-nxdomain", r"\(resolve\)",
     first=lambda q: q.message([q.record("gone.example", kind=CNAME)], flags=0x8183))

# ---- records

for name, ttl in (("0", 0), ("max", 0x7fffffff), ("negative", 0x80000000), ("all-ones", 0xffffffff)):
    case("ttl-" + name, first=only_for(A, Query.message, lambda q, t=ttl: q.message([q.record(ttl=t)])))


def a(name, make, right=REFUSED, **more):
    """Only the answer about A is odd."""
    case(name, right, first=only_for(A, Query.message, make), **more)


a("owner-without-compression", lambda q: q.message([q.record(owner=q.name)]))
a("owner-in-upper-case", lambda q: q.message([q.record(owner=q.name.upper())]))
a("question-in-mixed-case", lambda q: q.head(answers=1) + q.question.replace(b"storage", b"StOrAgE") + q.record())
a("other-owner-first", lambda q: q.message([q.record(BAD, "evil.example"), q.record()]))
a("other-owner-alone", lambda q: q.message([q.record(BAD, "evil.example")]), r"\(resolve\)")
a("other-types", lambda q: q.message([q.record(b"\3txt", kind=16), q.record(b"\0" * 20, kind=46),
                                      q.record(b"\0\1\0", kind=65), q.record(GOOD6, kind=AAAA), q.record()]))
a("additional-and-authority", lambda q: q.head(answers=1, authority=1, additional=2) + q.question + q.record()
  + q.record("ns.boot.example", "boot.example", CNAME) + q.record(BAD, "ns.boot.example") + q.record(BAD))
a("opt-unasked", lambda q: q.head(answers=1, additional=1) + q.question + q.record() + b"\0\0\x29\x10\0\0\0\0\0\0\0")
a("answers-count-too-high", lambda q: q.message([q.record()], answers=7))
a("answers-count-zero", lambda q: q.message([q.record()], answers=0), r"\(resolve\)")
a("address-in-additional", lambda q: q.message([q.record()], answers=0, additional=1), r"\(resolve\)")
a("trailing-bytes", lambda q: q.good() + b"\xff" * 40)
a("trailing-byte", lambda q: q.good() + b"\0")
a("length-16-first", lambda q: q.message([q.record(b"\1" * 16, kind=A), q.record()]))
a("length-0-first", lambda q: q.message([q.record(b"", kind=A), q.record()]))
a("class-chaos-first", lambda q: q.message([q.record(BAD, class_=3), q.record()]))
a("class-any", lambda q: q.message([q.record(class_=255)]), r"\(resolve\)")
a("cache-flush-bit", lambda q: q.message([q.record(class_=0x8001)]), r"\(resolve\)")
a("pointer-loop-second", lambda q: q.message([q.record(), b"\xc0\xff" + q.record()[2:]]))
a("pointer-to-itself-first", lambda q: q.message([b"\xc0\x32" + q.record()[2:], q.record()]), r"\(resolve\)")
a("the-same-twice", lambda q: q.message([q.record(), q.record()]))
a("sixty-addresses", lambda q: q.message([q.record()] + [q.record() for _ in range(60)]))
a("datagram-1400", lambda q: q.message([q.record()] + [q.record(b"\0" * 200, kind=16)] * 6))
a("datagram-4000", lambda q: q.message([q.record()] + [q.record(b"\0" * 200, kind=16)] * 18))
a("datagram-9000", lambda q: q.message([q.record()] + [q.record(b"\0" * 200, kind=16)] * 42))
a("flags-z-ad-cd", lambda q: q.message([q.record()], flags=0x81f0))
a("flags-not-recursive", lambda q: q.message([q.record()], flags=0x8100))
a("flags-not-recursive-not-desired", lambda q: q.message([q.record()], flags=0x8000))
a("flags-authoritative", lambda q: q.message([q.record()], flags=0x8500))
a("two-questions", lambda q: q.head(answers=1, questions=2) + q.question + q.question + q.record(), r"\(resolve\)")
a("no-question", lambda q: q.head(answers=1, questions=0) + q.record(owner=q.name), r"\(resolve\)")

# ---- several servers

for name, number in (("formerr", 1), ("servfail", 2), ("notimp", 4), ("refused", 5), ("notauth", 9)):
    case("first-" + name, first=code(number), second=Query.good)
    case("first-%s-header-alone" % name, first=lambda q, n=number: q.head(0x8180 | n, questions=0), second=Query.good)
    case("alone-%s-header-alone" % name, r"it failed.*\(resolve\)|\(resolve\).*it failed",
         first=lambda q, n=number: q.head(0x8180 | n, questions=0))
    case("first-%s-late" % name, first=late(1.5, code(number)), second=late(2.0))
case("first-silent", first=nothing, second=Query.good)
case("first-says-other-id", first=lambda q: q.message([q.record()], number=b"\0\0") if q.type == A else q.message(),
     second=Query.good)
case("first-says-garbage", first=lambda q: b"\xff" * 40, second=Query.good)
case("first-says-nothing", first=lambda q: b"", second=Query.good)
case("first-echoes-the-query", first=lambda q: q.data, second=Query.good)
case("first-refers", first=lambda q: q.head(0x8100, authority=1) + q.question +
     q.record("ns.boot.example", "boot.example", 39), second=Query.good)
case("first-not-recursive-empty", first=lambda q: q.message(flags=0x8100), second=Query.good)
case("first-http", first=lambda q: b"HTTP/1.1 400 Bad Request\r\n\r\n", second=Query.good)
for seconds in (0.2, 0.7, 2, 4):
    case("late-%s" % seconds, first=late(seconds))
case("twice", first=lambda q: [(0, q.good()), (0, q.good())])
case("every-second-is-lost", first=lambda q: q.good() if q.count % 4 >= 2 else None)
case("wrong-id-then-right", first=lambda q: [(0, q.message([q.record(BAD if q.type == A else GOOD6)],
                                                           number=b"\0\0")), (0.05, q.good())])

# ---- TCP


def cut(tcp, records=(), flags=0x8380):
    """Cut by UDP; `tcp` says what comes by TCP."""
    def reply(q):
        if q.type != A:
            return q.message()
        return tcp(q) if q.is_tcp else q.message([q.record(v) for v in records], flags=flags)
    return reply


CLOSE, RESET = "close", "reset"
case("cut", first=cut(Query.good))
case("cut-with-some", first=cut(Query.good, [BAD]))
case("cut-tcp-refused-alone", r"\(resolve\)", first=cut(None))
case("cut-tcp-refused-with-some", first=cut(None, [GOOD]))
case("cut-tcp-refused-second", first=cut(None), second=Query.good)
case("cut-tcp-closes", first=cut(lambda q: CLOSE), second=Query.good)
case("cut-tcp-closes-with-some", first=cut(lambda q: CLOSE, [GOOD]))
case("cut-tcp-resets", first=cut(lambda q: RESET), second=Query.good)
case("cut-tcp-silent", first=cut(nothing), second=Query.good)
case("cut-tcp-silent-with-some", first=cut(nothing, [GOOD]))
case("cut-tcp-servfail", first=cut(code(2)), second=Query.good)
case("cut-tcp-cut-again-with-some", first=cut(lambda q: q.message([q.record()], flags=0x8380), [GOOD]))
case("cut-and-nxdomain", r"\(resolve\)", first=lambda q: q.message(flags=0x8383))
case("cut-and-servfail", first=lambda q: q.message(flags=0x8382), second=Query.good)
case("cut-tcp-large", first=cut(lambda q: q.message([q.record()] + [q.record(b"\0" * 200, kind=16)] * 12)))
case("cut-tcp-larger", first=cut(lambda q: q.message([q.record()] + [q.record(b"\0" * 200, kind=16)] * 60)))
case("cut-in-the-middle", first=cut(None, [GOOD, GOOD, GOOD]))

# ---- names


def knows(*names):
    return lambda q: q.good() if q.name.lower() in names else q.message(flags=0x8183)


HOSTS = ["_storage.boot.example", "storage_1.boot.example", "STORAGE.Boot.Example", "storage.boot.example.",
         "xn--strage-wxa.example", "3par.example", "3par", "3par-a.nas", "nas.4thfloor", "a--b.example",
         "1.2.example", "storage.local", "a" * 63 + ".example", "x.1a", ".".join(["a" * 60] * 4), "0x.example",
         "a.b.c.d.e.f.g.h.i.j"]
for host in HOSTS:
    case("name-" + (host if len(host) < 30 else host[:5] + str(len(host))), first=knows(host.lower().rstrip(".")),
         host=host)
case("search", first=knows("storage.b.example"), host="storage", options="--domain=b.example")
case("search-servfail-first", first=lambda q: code(2)(q) if "example" in q.name else q.good(), host="storage",
     options="--domain=a.example")
case("search-with-dot", first=knows("storage.rack1.b.example"), host="storage.rack1", options="--domain=b.example")
case("search-upper", first=knows("storage.b.example"), host="Storage", options="--domain=B.Example.")
case("search-nodata", first=lambda q: q.message() if "example" in q.name else q.good(), host="storage",
     options="--domain=a.example")


# ---- serving

class Server:
    def __init__(self, address, reply):
        self.reply, self.count, self.later = reply, 0, []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, 53))
        self.listens = False
        self.streams = {}

    def ask(self, data, is_tcp):
        out = self.reply(Query(data, is_tcp, self.count))
        self.count += not is_tcp
        return out

    def datagram(self):
        data, client = self.udp.recvfrom(2048)
        out = self.ask(data, False)
        for wait, message in out if isinstance(out, list) else [(0, out)]:
            if message is not None:
                self.later.append((time.time() + wait, message, client))
        self.flush()

    def flush(self):
        now = time.time()
        for item in [item for item in self.later if item[0] <= now]:
            self.later.remove(item)
            self.udp.sendto(item[1], item[2])

    def stream(self, sock):
        data = self.streams[sock]
        try:
            got = sock.recv(4096)
        except ConnectionError:
            got = b""
        data += got
        if not got:
            del self.streams[sock]
            sock.close()
        elif len(data) >= 2 and len(data) >= 2 + struct.unpack(">H", data[:2])[0]:
            out = self.ask(bytes(data[2:]), True)
            del data[:]
            if out in (CLOSE, RESET):
                if out == RESET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                del self.streams[sock]
                sock.close()
            elif out is not None:
                sock.sendall(struct.pack(">H", len(out)) + out)


def serve(network):
    servers = []
    for number, (name, _, first, second, _, _) in enumerate(CASES):
        for offset, reply in ((1, first), (2, second)):
            at = 2 * number + offset
            if reply:
                server = Server("%s.%d.%d" % (network, at // 200, at % 200 + 1), reply)
                if name.startswith("cut") and "refused" not in name and name != "cut-in-the-middle":
                    server.tcp.listen(8)
                    server.listens = True
                servers.append(server)
    print("ready", flush=True)
    while True:
        waits = [item[0] for server in servers for item in server.later]
        socks = {}
        for server in servers:
            socks[server.udp] = server.datagram
            if server.listens:
                socks[server.tcp] = server
            for sock in server.streams:
                socks[sock] = server
        timeout = max(0, min(waits) - time.time()) if waits else 1
        for sock in select.select(list(socks), [], [], min(timeout, 1))[0]:
            what = socks[sock]
            if not isinstance(what, Server):
                what()
            elif sock is what.tcp:
                what.streams[sock.accept()[0]] = bytearray()
            elif sock in what.streams:
                what.stream(sock)
        for server in servers:
            server.flush()


def main():
    if sys.argv[1] == "--list":
        for number, (name, right, _, second, options, host) in enumerate(CASES):
            print(number, name, "yes" if second else "no", host, options, "|", right)
        return
    serve(sys.argv[1])


main()
