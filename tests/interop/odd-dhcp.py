#!/usr/bin/env python3
"""odd-dhcp.py INTERFACE CASE TARGET: a DHCPv4 server that breaks a rule as servers in the field do. TARGET is the
iSCSI name that its Root Path has. On standard output: a line for each message.

A case is the options of OFFER and ACK behind option 53, as bytes; the dict at the end has them all."""
import socket
import sys
import time

COOKIE = b"\x63\x82\x53\x63"
US = "192.0.2.1"
YOURS = "192.0.2.150"


def option(code, value):
    """An option, in as many pieces as it takes (RFC 3396). A str is an address or a text."""
    if isinstance(value, str):
        value = socket.inet_aton(value) if value[:1].isdigit() else value.encode()
    pieces = [value[at : at + 255] for at in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([code, len(piece)]) + piece for piece in pieces)


def plain(root_path, *more, without=()):
    """The options of a good server, with others behind them."""
    options = {54: US, 51: b"\x00\x00\x0e\x10", 1: "255.255.255.0", 3: US}
    if root_path:
        options[17] = root_path
    found = b"".join(option(code, value) for code, value in options.items() if code not in without)
    return found + b"".join(more)


def options_of(request):
    found, at = {}, 240
    while at + 1 < len(request) and request[at] != 255:
        if request[at] == 0:
            at += 1
            continue
        found[request[at]] = request[at + 2 : at + 2 + request[at + 1]]
        at += 2 + request[at + 1]
    return found


def answer(request, kind, options, has_end=True):
    header = bytes([2, 1, 6, 0]) + request[4:8] + bytes(8) + socket.inet_aton(YOURS) + bytes(8)
    end = b"\xff" if has_end else b""
    return header + request[28:44] + bytes(192) + COOKIE + option(53, bytes([kind])) + options + end


def more_cases(disk, good):
    """What else servers of routers, hypervisors and clouds send."""
    names = b"\x07example\xc0\x00"
    both = {
        # name: the options of OFFER and ACK
        "server-id-zero": plain(disk, option(54, bytes(4)), without=(54,)),
        "server-id-of-3-bytes": plain(disk, option(54, b"\xc0\x00\x02"), without=(54,)),
        "server-id-of-8-bytes": plain(disk, option(54, bytes([192, 0, 2, 1] * 2)), without=(54,)),
        "lease-of-3-bytes": plain(disk, option(51, bytes(3)), without=(51,)),
        "lease-of-1-s": plain(disk, option(51, b"\0\0\0\1"), without=(51,)),
        "times-reversed": good + option(58, b"\0\1\0\0") + option(59, b"\0\0\0\1"),
        "router-zero": plain(disk, option(3, bytes(4)), without=(3,)),
        "router-of-3-bytes": plain(disk, option(3, b"\xc0\x00\x02"), without=(3,)),
        "router-is-client": plain(disk, option(3, YOURS), without=(3,)),
        "mask-with-holes": plain(disk, option(1, "255.0.255.0"), without=(1,)),
        "mask-zero": plain(disk, option(1, bytes(4)), without=(1,)),
        "mtu-zero": good + option(26, bytes(2)),
        "mtu-of-1-byte": good + option(26, b"\x05"),
        "hostname-of-250-bytes": good + option(12, "h" * 250),
        "hostname-empty": good + option(12, b""),
        "domain-empty": good + option(15, b""),
        "search-list-loops": good + option(119, names) + option(119, b"\xc0\x00"),
        "routes-cut": good + option(121, bytes.fromhex("18cb0071c00002")),
        "routes-of-33-bits": good + option(121, bytes.fromhex("21cb007101c0000201")),
        "routes-of-microsoft": good + option(249, bytes.fromhex("18c63364c0000201")),
        "dns-zero": good + option(6, bytes(4)),
        "broadcast-odd": good + option(28, b"\xff"),
        "no-end": good + bytes(3),
        "pad-between": bytes(7) + good,
        "behind-the-end": good + b"\xff" + option(17, "iscsi:192.0.2.99::::iqn.2026-11.test:none"),
        "long": good + option(43, bytes(1000)),
        "root-path-in-parts": plain("", option(17, disk[:9]), option(51, b"\0\0\1\0"), option(17, disk[9:])),
        "root-path-twice": good + option(17, disk),
        "name-broken": good + option(203, "iqn.2026-11.test:a b"),
        "name-empty": good + option(203, b""),
        "relay-echoed": good + option(82, b"\x01\x04vlan"),
        "type-of-2-bytes": good + option(53, b"\x02\x02"),
        "nfs": plain(b"192.0.2.1:/srv/root"),
        "bootfile-field": plain(""),
        "no-address": good,
        "next-server": good,
        "hardware-zero": good,
        "other-port": good,
        "twice": good,
        "nak-once": good,
        "bootp": b"",
    }
    return {
        "ack-without-root-path": (good, plain(""), None),
        "offer-without-root-path": (plain(""), good, None),
        "other-server-acks": (good, plain(disk, option(54, "192.0.2.2"), without=(54,)), None),
        **{name: (options, options, None) for name, options in both.items()},
    }


def boot_cases(disk, good):
    """Odd messages round a good Root Path, and Root Paths in odd places."""
    text = disk.encode()
    long_disk = option(17, text[:12]) + option(17, text[12:20]) + option(17, text[20:])
    both = {
        # name: the options of OFFER and ACK
        "overload-file": plain("", option(52, b"\x01")),
        "overload-sname": plain("", option(52, b"\x02")),
        "overload-both": plain("", option(52, b"\x03")),
        "overload-odd": good + option(52, b"\x07"),
        "root-path-in-three": plain("", long_disk),
        "root-path-bom": plain(b"\xef\xbb\xbf" + disk.encode() + b"\r\n"),
        "lease-of-8-bytes": plain(disk, option(51, b"\0\0\x0e\x10" * 2), without=(51,)),
        "lease-infinite": plain(disk, option(51, b"\xff" * 4), option(58, bytes(4)), without=(51,)),
        "server-id-broadcast": plain(disk, option(54, b"\xff" * 4), without=(54,)),
        "server-id-loopback": plain(disk, option(54, "127.0.0.1"), without=(54,)),
        "server-id-client": plain(disk, option(54, YOURS), without=(54,)),
        "hostname-blank": good + option(12, b"host name"),
        "hostname-address": good + option(12, b"192.0.2.150"),
        "hostname-latin1": good + option(12, b"b\xfcro"),
        "domain-dots": good + option(15, b".example.org."),
        "domain-odd": good + option(15, b"a..example"),
        "dns-many": good + option(6, b"\x7f\0\0\1\xe0\0\0\1" + bytes([192, 0, 2, 1]) * 14),
        "routers-odd-first": plain(disk, option(3, bytes(4) + b"\xe0\0\0\1" + bytes([192, 0, 2, 1])), without=(3,)),
        "router-broadcast": plain(disk, option(3, b"\xff" * 4), without=(3,)),
        "routes-empty": good + option(121, b""),
        "routes-on-link": good + option(121, bytes.fromhex("18c0000200000000")),
        "routes-many": good + option(121, bytes.fromhex("18cb0071c0000201") * 40),
        "routes-host-bits": good + option(121, bytes.fromhex("19cb0071ffc0000201")),
        "search-text": good + option(119, b"a.example b.example"),
        "search-empty": good + option(119, b""),
        "mtu-67": good + option(26, b"\0\x43"),
        "mtu-576": good + option(26, b"\x02\x40"),
        "mtu-65535": good + option(26, b"\xff\xff"),
        "vendor-cut": good + option(43, b"\x01\xc8ab"),
        "vendor-ff": good + option(43, b"\xff" * 40),
        "name-capitals": good + option(203, "IQN.2026-11.test:Client"),
        "name-line-feed": good + option(203, "iqn.2026-11.test:client\n"),
        "name-of-no-form": good + option(203, "client7"),
        "isns-cut": good + option(83, b"\0\1\0"),
        "slp-cut": good + option(78, b"\1\xc0\0") + option(79, b""),
        "features-cut": good + option(175, b"\xb1\x09"),
        "message": good + option(56, b"hello\x1b[2J"),
        "ipv6-only": good + option(108, b"\0\0\7\x08"),
        "autoconf-off": good + option(116, b"\0"),
        "rapid-in-offer": good + option(80, b""),
        "end-twice": good + b"\xff\xff\xff",
        "vendor-class-binary": good + option(60, b"\0\1\2"),
        "address-of-the-network": good,
        "address-of-broadcast": good,
        "address-link-local": good,
        "hops-and-flags": good,
        "client-address-set": good,
        "relay-set": good,
        "chaddr-rest": good,
        "no-cookie": good,
        "padded": good,
        "ack-with-another-address": good,
        "ack-for-discover": good,
        "offer-for-request": good,
        "nak-always": good,
        "third-request": good,
        "slow-ack": good,
    }
    return {name: (options, options, None) for name, options in both.items()}


def cases_of(target):
    disk = f"iscsi:{US}:::1:{target}"
    good = plain(disk)
    wanted = {77: b"iPXE", 93: b"\x00\x07", 175: b"\xb1\x01\x01\xeb\x01\x01"}
    in_vendor = option(43, option(201, disk) + option(203, "iqn.2026-11.test:hba"))
    off_link = plain("iscsi:198.51.100.1:::1:" + target, option(121, bytes.fromhex("18cb0071c0000201")))
    return {
        # name: (options of the OFFER, of the ACK, what the client must send to be given the disk)
        "no-server-id": (plain(disk, without=(54,)),) * 2 + (None,),
        "no-server-id-ack": (good, plain(disk, without=(54,)), None),
        "no-lease-time": (plain(disk, without=(51,)),) * 2 + (None,),
        "lease-of-0-s": (plain(disk, option(51, bytes(4)), without=(51,)),) * 2 + (None,),
        "cut": (good + bytes([15, 32]) + b"ex",) * 2 + (None,),
        "cut-root-path": (plain("") + bytes([17, 200]) + disk[:20].encode(),) * 2 + (None,),
        "type-twice": (option(53, b"\x01") + good,) * 2 + (None,),
        "other-client": (good + option(61, b"\x01\x02\x00\x00\x00\x00\x63"),) * 2 + (None,),
        "bad-mask-length": (plain(disk, option(1, b"\xff\xff"), without=(1,)),) * 2 + (None,),
        "bad-dns": (good + option(6, b"\xc0\x00\x02"),) * 2 + (None,),
        "domains": (plain(f"iscsi:storage:::1:{target}", option(6, US), option(15, "a.example b.example")),) * 2
        + (None,),
        "domains-comma": (plain(f"iscsi:storage:::1:{target}", option(6, US), option(15, "a.example,b.example")),) * 2
        + (None,),
        "line-feed": (plain(disk + "\n"),) * 2 + (None,),
        "nul-and-quotes": (plain(f'"{disk}"\0'),) * 2 + (None,),
        "capitals": (plain("ISCSI:" + disk[6:]),) * 2 + (None,),
        "tcp": (plain(f"iscsi:{US}:tcp:3260:1:{target}"),) * 2 + (None,),
        "vendor": (plain("", option(60, "QLGC ISAN"), in_vendor),) * 2 + (None,),
        "bootfile": (plain("", option(67, disk)),) * 2 + (None,),
        "no-route": (off_link,) * 2 + (None,),
        "address-of-nobody": (b"",) * 2 + (None,),
        **more_cases(disk, good),
        **boot_cases(disk, good),
        "user-class": (good, good, (77, wanted[77])),
        "client-arch": (good, good, (93, wanted[93])),
        "ipxe-features": (good, good, (175, wanted[175])),
    }


def odd_header(case, reply, disk):
    """What is odd before the options."""
    if case == "bootfile-field":
        return reply[:108] + disk.encode().ljust(128, b"\0") + reply[236:]
    if case == "no-address":
        return reply[:16] + bytes(4) + reply[20:]
    if case == "next-server":
        name = b"boot.example".ljust(64, b"\0")
        return reply[:20] + socket.inet_aton("192.0.2.77") + reply[24:44] + name + reply[108:]
    if case == "hardware-zero":
        return reply[:1] + bytes(2) + reply[3:]
    if case in ("overload-file", "overload-sname", "overload-both"):  # `file` comes before `sname`: RFC 3396 5
        halves = {"overload-file": (disk, ""), "overload-sname": ("", disk)}.get(case, (disk[:7], disk[7:]))
        file, sname = (option(17, half.encode()) + b"\xff" if half else b"" for half in halves)
        return reply[:44] + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + reply[236:]
    address = {"address-of-the-network": "192.0.2.0", "address-of-broadcast": "192.0.2.255",
               "address-link-local": "169.254.7.7"}.get(case)
    if address:
        return reply[:16] + socket.inet_aton(address) + reply[20:]
    if case == "hops-and-flags":
        return reply[:3] + b"\x07" + reply[4:8] + b"\x12\x34\xff\xff" + reply[12:]
    if case == "client-address-set":
        return reply[:12] + reply[16:20] + reply[16:]
    if case == "relay-set":
        return reply[:24] + socket.inet_aton("192.0.2.99") + reply[28:]
    if case == "chaddr-rest":
        return reply[:34] + b"\xaa" * 10 + reply[44:]
    if case == "no-cookie":
        return reply[:236] + bytes(4) + reply[240:]
    if case == "padded":
        return reply + bytes(700)
    return reply


def odd_turn(case, request, kind, reply, seen):
    """What is odd in the order of messages. seen counts those of each kind."""
    is_request = kind == 3
    if case == "ack-with-another-address" and is_request:
        return reply[:16] + socket.inet_aton("192.0.2.151") + reply[20:]
    if case == "ack-for-discover" and not is_request:
        return reply[:242] + b"\x05" + reply[243:]
    if case == "offer-for-request" and is_request and seen[3] < 3:
        return reply[:242] + b"\x02" + reply[243:]
    if case == "nak-always" and is_request:
        return answer(request, 6, option(54, US) + option(56, "wrong network"))
    if case == "third-request" and is_request and seen[3] < 3:
        return b""
    if case == "slow-ack" and is_request:
        time.sleep(1.5)
    return reply


def main():
    seen = {1: 0, 3: 0}
    naks = []
    interface, case = sys.argv[1].encode(), sys.argv[2]
    offer, ack, needs = cases_of(sys.argv[3])[case]
    disk = f"iscsi:{US}:::1:{sys.argv[3]}"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface)
    sock.bind(("", 1067 if case == "other-port" else 67))
    if case == "other-port":
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface)
        receiver.bind(("", 67))
    else:
        receiver = sock
    print("ready", flush=True)
    while True:
        request, _ = receiver.recvfrom(4096)
        sent = options_of(request)
        kind = sent.get(53, b"\0")[0]
        print("got", kind, sorted(sent), flush=True)
        if kind not in (1, 3):
            continue
        options = offer if kind == 1 else ack
        if needs and sent.get(needs[0]) != needs[1]:
            options = plain("")
        reply = answer(request, 2 if kind == 1 else 5, options, has_end=not case.startswith("cut"))
        if case == "address-of-nobody":
            reply = reply[:16] + socket.inet_aton("224.0.0.5") + reply[20:]
        reply = odd_header(case, reply, disk)
        if case == "nak-once" and kind == 3 and not naks:
            naks.append(1)
            reply = answer(request, 6, option(54, US))
        seen[kind] += 1
        reply = odd_turn(case, request, kind, reply, seen)
        for _ in range(0 if not reply else 2 if case == "twice" else 1):
            sock.sendto(reply, ("255.255.255.255", 68))


main()
