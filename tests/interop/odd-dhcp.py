#!/usr/bin/env python3
"""odd-dhcp.py INTERFACE CASE TARGET: a DHCPv4 server that breaks a rule as servers in the field do. TARGET is the
iSCSI name that its Root Path has. On standard output: a line for each message.

A case is the options of OFFER and ACK behind option 53, as bytes; the dict at the end has them all."""
import socket
import sys

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
        "user-class": (good, good, (77, wanted[77])),
        "client-arch": (good, good, (93, wanted[93])),
        "ipxe-features": (good, good, (175, wanted[175])),
    }


def main():
    interface, case = sys.argv[1].encode(), sys.argv[2]
    offer, ack, needs = cases_of(sys.argv[3])[case]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface)
    sock.bind(("", 67))
    print("ready", flush=True)
    while True:
        request, _ = sock.recvfrom(4096)
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
        sock.sendto(reply, ("255.255.255.255", 68))


main()
