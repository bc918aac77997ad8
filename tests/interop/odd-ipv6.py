#!/usr/bin/env python3
"""odd-ipv6.py INTERFACE CASE TARGET: an IPv6 router and a DHCPv6 server that are odd as those in the field are.
TARGET is the iSCSI name that the disk's URL (option 59) has. `--list` prints the cases.

A case says what the router advertises (a list of packets, or none) and what the DHCPv6 server answers. On standard
output: a line for each message."""
import select
import socket
import struct
import sys

US, LINK = "2001:db8:77::1", "fe80::1"
YOURS = "2001:db8:77::d"
INFINITE = 0xFFFFFFFF
MANAGED, OTHER = 0x80, 0x40
ON_LINK, AUTONOMOUS = 0x80, 0x40
EUROPE = "2001:db8:77::"


def addr(text):
    return socket.inet_pton(socket.AF_INET6, text)


# ---- routers


def prefix(net=EUROPE, length=64, flags=ON_LINK | AUTONOMOUS, valid=7200, preferred=3600):
    return struct.pack(">BBBBIII", 3, 4, length, flags, valid, preferred, 0) + addr(net)


def mtu(size):
    return struct.pack(">BBHI", 5, 1, 0, size)


def resolver(lifetime=600, *servers):
    return struct.pack(">BBHI", 25, 1 + 2 * len(servers), 0, lifetime) + b"".join(addr(s) for s in servers)


def search(lifetime, names):
    body = names + bytes(-len(names) % 8)
    return struct.pack(">BBHI", 31, 1 + len(body) // 8, 0, lifetime) + body


def route(net, length, preference=0, lifetime=600):
    return struct.pack(">BBBBI", 24, 3, length, preference, lifetime) + addr(net)


def advert(*options, flags=0, lifetime=1800, **how):
    """how: hops, code, source, delay (answers of solicitations left out before it), cut (bytes left out at its end)."""
    packet = struct.pack(">BBHBBHII", 134, how.get("code", 0), 0, 64, flags, lifetime, 0, 0) + b"".join(options)
    return packet[: len(packet) - how.get("cut", 0)], how


GOOD = advert(prefix())


def router_cases():
    one = {
        "plain": GOOD,
        "no-default-router": advert(prefix(), lifetime=0),
        "not-on-link": advert(prefix(flags=AUTONOMOUS)),
        "managed-without-server": advert(prefix(), flags=MANAGED | OTHER),
        "other-without-server": advert(prefix(), flags=OTHER),
        "deprecated": advert(prefix(preferred=0)),
        "infinite": advert(prefix(valid=INFINITE, preferred=INFINITE)),
        "short": advert(prefix(valid=20, preferred=10), lifetime=20),
        "valid-0-beside": advert(prefix("2001:db8:66::", valid=0, preferred=0), prefix()),
        "length-80-beside": advert(prefix("2001:db8:66::", length=80), prefix()),
        "length-200-beside": advert(prefix("2001:db8:66::", length=200), prefix()),
        "link-local-beside": advert(prefix("fe80::"), prefix()),
        "multicast-beside": advert(prefix("ff02::"), prefix()),
        "preferred-behind-valid-beside": advert(prefix("2001:db8:66::", valid=60, preferred=600), prefix()),
        "unique-local-beside": advert(prefix("fd00:77::"), prefix()),
        "same-prefix-twice": advert(prefix(), prefix(valid=20, preferred=20)),
        "many-prefixes": advert(*[prefix(f"2001:db8:{n:x}::") for n in range(256, 280)], prefix()),
        "mtu-1000": advert(prefix(), mtu(1000)),
        "mtu-1400": advert(prefix(), mtu(1400)),
        "mtu-9000": advert(prefix(), mtu(9000)),
        "mtu-of-8-bytes-more": advert(prefix(), struct.pack(">BBHI", 5, 2, 0, 1400) + bytes(8)),
        "resolver-0": advert(prefix(), resolver(0, US)),
        "resolver-none": advert(prefix(), resolver(600)),
        "resolver-half": advert(prefix(), struct.pack(">BBHI", 25, 2, 0, 600) + bytes(8)),
        "search-broken": advert(prefix(), search(600, b"\x3fab")),
        "unknown-options": advert(struct.pack(">BB", 99, 1) + bytes(6), prefix(), struct.pack(">BB", 14, 1) + bytes(6)),
        "reserved-preference": advert(prefix(), flags=0x10),
        "routes": advert(prefix(), route("::", 0, 0x08), route("2001:db8:99::", 48, 0x10), route("fe80::", 10)),
        "source-address-odd": advert(struct.pack(">BB", 1, 1) + b"\xff" * 6, prefix()),
        "third-solicitation": advert(prefix(), delay=2),
    }
    bad_first = {
        "hops-64-first": advert(prefix("2001:db8:66::"), hops=64),
        "from-global-first": advert(prefix("2001:db8:66::"), source=US),
        "code-1-first": advert(prefix("2001:db8:66::"), code=1),
        "option-of-0-first": advert(prefix("2001:db8:66::"), bytes(8)),
        "cut-first": advert(prefix("2001:db8:66::"), cut=3),
        "short-first": advert(cut=4),
    }
    cases = {name: ([packet], None) for name, packet in one.items()}
    return {**cases, **{name: ([packet, GOOD], None) for name, packet in bad_first.items()}}


# ---- DHCPv6


def option(code, value=b""):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">HH", code, len(value)) + value


def address(text=YOURS, preferred=3600, valid=7200, more=b""):
    return option(5, addr(text) + struct.pack(">II", preferred, valid) + more)


def status(code, text=""):
    return option(13, struct.pack(">H", code) + text.encode())


def lease(*inner, t1=1800, t2=2880, iaid=None):
    """An IA_NA; its IAID is the client's, unless it is given."""
    return lambda theirs: option(3, (theirs if iaid is None else iaid) + struct.pack(">II", t1, t2) + b"".join(inner))


def server_cases(target):
    url = f"iscsi:[{US}]::3260:1:{target}"
    boot = option(59, url)
    good = lease(address())
    both = {
        # name: what stands in Advertise and Reply behind the identifiers
        "url": [good, boot],
        "url-percent": [good, option(59, f"iscsi:%5B{US}%5D::3260:1:{target}")],
        "url-capitals": [good, option(59, "ISCSI" + url[5:])],
        "url-nul": [good, option(59, url + "\0")],
        "url-line-feed": [good, option(59, url + "\r\n")],
        "url-quotes": [good, option(59, f'"{url}"')],
        "url-twice": [good, boot, boot],
        "url-blank-first": [good, option(59), boot],
        "url-of-tftp-first": [good, option(59, f"tftp://[{US}]/boot.efi"), boot],
        "parameters": [good, boot, option(60, b"\0\3a=b\0\3c=d")],
        "t1-behind-t2": [lease(address(), t1=3000, t2=2000), boot],
        "times-0": [lease(address(), t1=0, t2=0), boot],
        "times-infinite": [lease(address(preferred=INFINITE, valid=INFINITE), t1=INFINITE, t2=INFINITE), boot],
        "t1-behind-preferred": [lease(address(preferred=60, valid=120), t1=3000, t2=4000), boot],
        "short": [lease(address(preferred=4, valid=8), t1=2, t2=3), boot],
        "valid-0-beside": [lease(address("2001:db8:77::e", 0, 0), address()), boot],
        "preferred-behind-valid-beside": [lease(address("2001:db8:77::e", 600, 60), address()), boot],
        "two-addresses": [lease(address("2001:db8:66::e"), address()), boot],
        "link-local-beside": [lease(address("fe80::77"), address()), boot],
        "multicast-beside": [lease(address("ff02::77"), address()), boot],
        "unspecified-beside": [lease(address("::"), address()), boot],
        "another-iaid-beside": [lease(address("2001:db8:66::e"), iaid=b"\xde\xad\xbe\xef"), good, boot],
        "two-leases": [good, good, boot],
        "status-success": [good, status(0, "All is well"), boot],
        "status-inside": [lease(address(more=status(0, "fine")), status(0)), boot],
        "status-latin1": [good, option(13, b"\0\0b\xfcro"), boot],
        "status-cut": [good, option(13, b"\0"), boot],
        "resolver-of-17-bytes": [good, option(23, addr(US) + b"\1"), boot],
        "resolver-empty": [good, option(23), boot],
        "search-broken": [good, option(24, b"\x3fab"), boot],
        "preference-255": [option(7, b"\xff"), good, boot],
        "preference-of-2-bytes": [option(7, b"\xff\xff"), good, boot],
        "unicast": [option(12, addr(US)), good, boot],
        "max-rt-odd": [option(82, struct.pack(">I", 1)), good, boot],
        "reconfigure": [option(20), good, boot],
        "rapid-not-asked": [option(14), good, boot],
        "prefix-too": [option(25, bytes(12)), good, boot],
        "vendor": [option(17, bytes([0, 0, 1, 1, 0, 1, 0, 1, 9])), option(16, bytes(6)), good, boot],
        "unknown-options": [option(65000, b"x" * 300), option(0), good, boot],
        "cut": [good, boot, struct.pack(">HH", 24, 40) + b"ab"],
        "trailing-bytes": [good, boot, b"\0\0"],
        "from-global": [good, boot],
        "other-port": [good, boot],
        "long-duid": [good, boot],
        "twice": [good, boot],
        "first-is-lost": [good, boot],
    }
    half = {
        "url-in-advertise-alone": ([good, boot], [good]),
        "url-in-reply-alone": ([good], [good, boot]),
        "lease-in-reply-alone": ([boot], [good, boot]),
        "another-address-in-reply": ([good, boot], [lease(address("2001:db8:77::e")), boot]),
    }
    without = [lease(status(2, "no addresses")), boot]
    onlink = [advert(prefix(flags=ON_LINK), flags=MANAGED)]
    cases = {"dhcp-" + name: (onlink, (parts, parts)) for name, parts in both.items()}
    cases.update({"dhcp-" + name: (onlink, parts) for name, parts in half.items()})
    cases["dhcp-no-addresses"] = ([advert(prefix(), flags=MANAGED)], (without, without))
    cases["dhcp-stateless"] = ([advert(prefix(), flags=OTHER)], ([boot], [boot]))
    cases["dhcp-without-flags"] = ([GOOD], ([good, boot], [good, boot]))
    cases["dhcp-without-router"] = ([], ([good, boot], [good, boot]))
    cases["dhcp-other-network"] = (onlink, ([lease(address("2001:db8:66::d")), boot],) * 2)
    return cases


def options_of(message):
    found, at = {}, 4
    while at + 4 <= len(message):
        code, size = struct.unpack(">HH", message[at : at + 4])
        found.setdefault(code, message[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def reply(case, message, parts, count):
    """The answer to a client's message; None: none."""
    kinds = {1: 2, 3: 7, 5: 7, 6: 7, 11: 7, 8: 7, 4: 7}
    kind, asked = message[0], options_of(message)
    if kind not in kinds or (case == "dhcp-first-is-lost" and count == 1):
        return None
    advertise, final = parts
    theirs = asked.get(3, bytes(12))[:4]
    duid = b"\0\2\0\0\1\1" + (b"d" * 120 if case == "dhcp-long-duid" else b"server")
    out = option(1, asked.get(1, b"")) + option(2, duid)
    for part in advertise if kinds[kind] == 2 else final:
        out += part(theirs) if callable(part) else part
    return bytes([kinds[kind]]) + message[1:4] + out


# ---- both


class Router:
    def __init__(self, interface, packets):
        self.packets, self.heard = packets, 0
        self.index = socket.if_nametoindex(interface)
        self.sock = self.open(LINK)
        group = addr("ff02::2") + struct.pack("@I", self.index)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)

    def open(self, source):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        sock.bind((source, 0, 0, self.index if source == LINK else 0))
        return sock

    def solicited(self):
        message, _ = self.sock.recvfrom(2048)
        if message[:1] != b"\x85":
            return
        self.heard += 1
        print("solicitation", self.heard, flush=True)
        for packet, how in self.packets:
            if self.heard <= how.get("delay", 0):
                continue
            sock = self.open(how.get("source", LINK))
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, how.get("hops", 255))
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
            sock.sendto(packet, ("ff02::1", 0, 0, self.index))
            sock.close()


class Server:
    def __init__(self, interface, case, parts):
        self.case, self.parts, self.count = case, parts, {}
        self.index = socket.if_nametoindex(interface)
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.bind(("::", 547))
        group = addr("ff02::1:2") + struct.pack("@I", self.index)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        self.out = self.sock
        if case in ("dhcp-from-global", "dhcp-other-port"):
            self.out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            self.out.bind((US, 1547) if case == "dhcp-from-global" else (LINK, 1547, 0, self.index))

    def asked(self):
        message, client = self.sock.recvfrom(4096)
        self.count[message[0]] = self.count.get(message[0], 0) + 1
        print("dhcp", message[0], flush=True)
        answer = reply(self.case, message, self.parts, self.count[message[0]]) if self.parts else None
        for _ in range(0 if answer is None else 2 if self.case == "dhcp-twice" else 1):
            self.out.sendto(answer, client)


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join([*router_cases(), *server_cases("x")]))
        return
    interface, case, target = sys.argv[1:]
    packets, parts = {**router_cases(), **server_cases(target)}[case]
    router, server = Router(interface, packets), Server(interface, case, parts)
    print("ready", flush=True)
    while True:
        for sock in select.select([router.sock, server.sock], [], [])[0]:
            router.solicited() if sock is router.sock else server.asked()


main()
