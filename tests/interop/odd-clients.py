#!/usr/bin/env python3
"""What the clients of DHCP, TFTP and HTTP in firmware and systems send, as scripts, against lunbootd.

  odd-clients.py INTERFACE SERVER [SERVER6]

It prints TAP: one line a case. The interface has the address 192.0.2.50, and its network's server is SERVER, which
gives 192.0.2.100 to 192.0.2.110; with SERVER6 the cases are those of DHCPv6. RFC 951, 1350, 2131, 2132, 2347, 3046,
4578, 7440, 8415, 9112.
"""
import socket
import struct
import sys
import time
import traceback

INTERFACE, SERVER = sys.argv[1], sys.argv[2]
SERVER6 = sys.argv[3] if len(sys.argv) > 3 else None
COOKIE = b"\x63\x82\x53\x63"
OWN = "192.0.2.50"
CASES = []


def case(name, is_6=False):
    def add(function):
        CASES.append((name, is_6, function))
        return function
    return add


def check(what, why):
    if not what:
        raise AssertionError(why)


# ---- DHCPv4

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def option(code, value):
    value = value.encode() if isinstance(value, str) else value
    return bytes([code, len(value)]) + value


class Answer:
    def __init__(self, frame, at):
        self.to_mac, self.to = frame[:6], socket.inet_ntoa(frame[30:34])
        data = frame[at:]
        self.op, self.flags = data[0], struct.unpack(">H", data[10:12])[0]
        self.yours, self.next_server = socket.inet_ntoa(data[16:20]), socket.inet_ntoa(data[20:24])
        self.ciaddr, self.giaddr = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[24:28])
        self.size, self.options, self.order = len(data), {}, []
        fields = [data[240:]]
        while fields:
            field, at = fields.pop(0), 0
            while at + 1 < len(field) and field[at] != 255:
                if field[at] == 0:
                    at += 1
                    continue
                code, value = field[at], field[at + 2:at + 2 + field[at + 1]]
                self.options[code] = self.options.get(code, b"") + value
                self.order.append(code)
                at += 2 + field[at + 1]
                if code == 52:
                    fields += [data[108:236]] * (value[0] & 1) + [data[44:108]] * (value[0] >> 1 & 1)
        self.kind = self.options.get(53, b"\0")[0]


class Machine:
    """A card of its own, which sends and receives whole frames."""
    count = 0

    def __init__(self):
        Machine.count += 1
        self.mac = bytes([2, 0, 0, 0, 1, Machine.count])
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.sock.bind((INTERFACE, 0))
        self.xid = 0x10000 + Machine.count
        self.server_mac = None

    def message(self, kind=None, options=b"", flags=0, ciaddr="0.0.0.0", giaddr="0.0.0.0", pad=300, end=True,
                hlen=6, htype=1, fields=b"", cookie=COOKIE, secs=0):
        data = struct.pack(">BBBBIHH", 1, htype, hlen, 0, self.xid, secs, flags) + socket.inet_aton(ciaddr) + bytes(8)
        data += socket.inet_aton(giaddr) + self.mac.ljust(16, b"\0") + fields.ljust(192, b"\0") + cookie
        data += (option(53, bytes([kind])) if kind else b"") + options + (b"\xff" if end else b"")
        return data.ljust(pad, b"\0")

    def send(self, data, source="0.0.0.0", to="255.255.255.255", port=67, from_port=68):
        udp = struct.pack(">HHHH", from_port, port, 8 + len(data), 0) + data
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + socket.inet_aton(source)
        ip += socket.inet_aton(to)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        mac = self.server_mac if to != "255.255.255.255" and self.server_mac else b"\xff" * 6
        self.sock.send(mac + self.mac + b"\x08\0" + ip + udp)

    def receive(self, wait=2.0, ports=(68, 67)):
        """The answer of its own transaction, or None."""
        until = time.time() + wait
        while time.time() < until:
            self.sock.settimeout(max(0.01, until - time.time()))
            try:
                frame = self.sock.recv(2048)
            except (TimeoutError, socket.timeout):
                return None
            at = 14 + (frame[14] & 15) * 4
            if frame[23] != 17 or struct.unpack(">H", frame[at + 2:at + 4])[0] not in ports:
                continue
            if frame[at + 8] == 2 and frame[at + 12:at + 16] == struct.pack(">I", self.xid):
                self.server_mac = frame[6:12]
                return Answer(frame[:at + struct.unpack(">H", frame[at + 4:at + 6])[0]], at + 8)
        return None

    def ask(self, *args, **more):
        sends = {key: more.pop(key) for key in ("source", "to", "port", "from_port") if key in more}
        self.send(self.message(*args, **more), **sends)
        return self.receive()

    def lease(self, options=b"", **more):
        """DISCOVER and REQUEST, as they should be."""
        offer = self.ask(1, options, **more)
        check(offer and offer.kind == 2, "no OFFER")
        ack = self.ask(3, options + option(54, offer.options[54]) + option(50, socket.inet_aton(offer.yours)), **more)
        check(ack and ack.kind == 5 and ack.yours == offer.yours, "no ACK")
        return ack


def is_lease(answer, kind=2):
    check(answer, "there is no answer")
    check(answer.kind == kind, "type %d" % answer.kind)
    check(answer.yours.startswith("192.0.2.1"), "the address %s" % answer.yours)
    check(answer.options[54] == socket.inet_aton(SERVER), "option 54")
    if kind != 6:
        check(answer.options[1] == b"\xff\xff\xff\0" and len(answer.options[51]) == 4, "options 1, 51")
    return answer


def pxe(arch, size=1260):
    return (option(55, bytes([1, 2, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58,
                              59, 60, 66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135])) +
            option(57, struct.pack(">H", size)) + option(97, b"\0" + bytes(range(16))) +
            option(93, struct.pack(">H", arch)) + option(94, b"\1\2\1") +
            option(60, "PXEClient:Arch:%05d:UNDI:002001" % arch))


for who, arch, size, name in (("pxe-rom", 0, 548, "undionly.kpxe"), ("edk2", 7, 347, "lunbootx64.efi"),
                              ("edk2", 11, 347, "lunbootaa64.efi"), ("an old UEFI", 9, 576, "lunbootx64.efi")):
    @case("%s: DISCOVER of %d bytes for architecture %d" % (who, size, arch))
    def _(arch=arch, size=size, name=name):
        offer = is_lease(Machine().ask(1, pxe(arch), pad=size, flags=0x8000))
        check(offer.options[67] == name.encode() and offer.options[66] == SERVER.encode(), "%s" % offer.options)
        check(offer.next_server == SERVER, "siaddr %s" % offer.next_server)
        check(offer.to == "255.255.255.255", "it goes to %s" % offer.to)
        check(offer.options[17].startswith(b"iscsi:" + SERVER.encode()), "the Root Path")


@case("edk2: HTTP boot")
def _():
    options = pxe(16)
    options = options[:options.index(option(60, "PXEClient:Arch:00016:UNDI:002001"))]
    offer = is_lease(Machine().ask(1, options + option(60, "HTTPClient:Arch:00016:UNDI:003001")))
    check(offer.options[60] == b"HTTPClient", "option 60")
    check(offer.options[67].startswith(b"http://" + SERVER.encode()), "option 67 %s" % offer.options[67])


@case("pxe-rom: the architecture is in option 60 alone")
def _():
    offer = is_lease(Machine().ask(1, option(60, "PXEClient:Arch:00007:UNDI:003016") + option(55, b"\1\3\x11\x42\x43")))
    check(offer.options.get(67) == b"lunbootx64.efi", "option 67 %s" % offer.options.get(67))


@case("pxe-rom: neither option 93 nor 94 nor 97, and option 60 is PXEClient")
def _():
    offer = is_lease(Machine().ask(1, option(60, "PXEClient") + option(55, b"\1\3\x42\x43")))
    check(offer.options.get(67) in (None, b"undionly.kpxe"), "option 67 %s" % offer.options.get(67))


for length in (0, 1, 16, 18):
    @case("pxe-rom: a UUID of %d bytes" % length)
    def _(length=length):
        options = pxe(7).replace(option(97, b"\0" + bytes(range(16))), option(97, bytes(length)))
        check(is_lease(Machine().ask(1, options)).options[67] == b"lunbootx64.efi", "option 67")


@case("raspberry-pi: what its boot ROM says of itself")
def _():
    options = (option(55, bytes([1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135])) +
               option(93, b"\0\0") + option(94, b"\1\2\1") + option(97, b"\0" + b"RPi4" + bytes(12)) +
               option(60, "PXEClient:Arch:00000:UNDI:002001"))
    machine = Machine()
    offer = is_lease(machine.ask(1, options, pad=342))
    check(offer.next_server == SERVER and offer.options[66] == SERVER.encode(), "where its files are")
    machine.lease(options)


@case("u-boot: a class of its own")
def _():
    machine = Machine()
    options = option(57, b"\2\x40") + option(60, "U-Boot.armv8") + option(93, b"\0\x16") + option(94, b"\1\0\0") + \
        option(97, b"\0" + bytes(16)) + option(55, bytes([1, 3, 6, 12, 17, 66, 67]))
    check(machine.lease(options).options[17].startswith(b"iscsi:"), "the Root Path")


@case("ipxe: its user class and encapsulated options")
def _():
    ack = Machine().lease(pxe(0) + option(77, "iPXE") + option(175, b"\xb1\1\1\x13\1\1") + option(61, b"\1" + bytes(6)))
    check(67 not in ack.options and ack.options[17].startswith(b"iscsi:"), "%s" % ack.options)


# ---- systems

for kind, value in (("type 1", b"\1\2\0\0\0\2\1"), ("type 0", b"\0printer-7"), ("type 255", b"\xff" + bytes(range(18))),
                    ("one byte", b"x"), ("255 bytes", bytes(255)), ("nothing", b"")):
    @case("systemd-networkd, dhclient: a client identifier of %s" % kind)
    def _(value=value):
        ack = Machine().lease(option(61, value))
        check(ack.options.get(61, b"") == value, "option 61 comes back as %s" % ack.options.get(61))


@case("systemd-networkd: two identifiers on one card have two addresses, one identifier has one")
def _():
    machine = Machine()
    first = machine.lease(option(61, b"\xff\0\0\0\1first")).yours
    machine.xid += 0x100000
    second = machine.lease(option(61, b"\xff\0\0\0\1second")).yours
    machine.xid += 0x100000
    third = machine.lease(option(61, b"\xff\0\0\0\1first")).yours
    check(second != first and third == first, "%s, %s, %s" % (first, second, third))


@case("dhcpcd: rapid commit, which is not given where it was not allowed")
def _():
    answer = Machine().ask(1, option(80, b"") + option(57, b"\5\xdc") + option(145, b"\1"))
    check(answer and answer.kind == 2 and 80 not in answer.options or answer.kind == 5 and 80 in answer.options,
          "type %d" % answer.kind)


@case("dhclient: INIT-REBOOT with an address of another network")
def _():
    answer = Machine().ask(3, option(50, socket.inet_aton("10.1.2.3")))
    check(answer and answer.kind == 6, "no NAK")
    check(answer.to == "255.255.255.255" and answer.yours == "0.0.0.0" and 51 not in answer.options, "a NAK with more")


@case("dhclient: INIT-REBOOT with its own address, RENEWING, REBINDING")
def _():
    machine = Machine()
    own = machine.lease().yours
    check(is_lease(machine.ask(3, option(50, socket.inet_aton(own))), 5).yours == own, "INIT-REBOOT")
    renewed = machine.ask(3, b"", ciaddr=own, source=own, to=SERVER)
    check(is_lease(renewed, 5).yours == own and renewed.to == own, "RENEWING")
    check(renewed.ciaddr == own and renewed.to_mac == machine.mac, "RENEWING goes to %s" % renewed.to_mac.hex())
    check(is_lease(machine.ask(3, b"", ciaddr=own, source=own), 5).yours == own, "REBINDING")


@case("windows: INFORM by unicast and by broadcast")
def _():
    for to in (SERVER, "255.255.255.255"):
        machine = Machine()
        machine.mac = open("/sys/class/net/%s/address" % INTERFACE).read().strip()
        machine.mac = bytes.fromhex(machine.mac.replace(":", ""))
        options = option(61, b"\1" + machine.mac) + option(12, "WIN-1") + option(60, "MSFT 5.0") + \
            option(55, bytes([1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252]))
        ack = machine.ask(8, options, ciaddr=OWN, source=OWN, to=to)
        check(ack and ack.kind == 5 and ack.yours == "0.0.0.0" and 51 not in ack.options, "an ACK with an address")
        check(ack.to == OWN and ack.options[1] == b"\xff\xff\xff\0", "it goes to %s" % ack.to)


@case("windows: option 81, a host name with a zero at its end, an empty list of parameters")
def _():
    options = option(81, b"\0\0\0WIN-1.example") + option(12, b"WIN-1\0") + option(55, b"") + option(60, "MSFT 5.0")
    Machine().lease(options)


@case("dhclient: DECLINE, and another address then")
def _():
    machine = Machine()
    first = machine.lease().yours
    machine.send(machine.message(4, option(54, socket.inet_aton(SERVER)) + option(50, socket.inet_aton(first))))
    check(machine.receive(0.5) is None, "a DECLINE is answered")
    machine.xid += 0x100000
    check(machine.lease().yours != first, "what was declined is given again")


@case("dhclient: RELEASE, and the same address then")
def _():
    machine = Machine()
    first = machine.lease().yours
    machine.send(machine.message(7, option(54, socket.inet_aton(SERVER)), ciaddr=first), source=first, to=SERVER)
    check(machine.receive(0.5) is None, "a RELEASE is answered")
    machine.xid += 0x100000
    check(machine.lease().yours == first, "another address is given")


@case("busybox: REQUEST for another server's offer is not answered")
def _():
    machine = Machine()
    offer = is_lease(machine.ask(1))
    machine.send(machine.message(3, option(54, b"\xc0\0\2\x63") + option(50, socket.inet_aton(offer.yours))))
    check(machine.receive(0.7) is None, "it is")


@case("busybox: the broadcast flag, and none")
def _():
    check(is_lease(Machine().ask(1, flags=0x8000)).to == "255.255.255.255", "with the flag it is unicast")
    machine = Machine()
    offer = is_lease(machine.ask(1))
    check(offer.to == offer.yours and offer.to_mac == machine.mac, "without the flag it goes to %s" % offer.to)


# ---- forms of messages

for name, more in (
        ("of 244 bytes, the least that there is", dict(pad=0)),
        ("without an end", dict(pad=0, end=False)),
        ("with options in the field for the file", dict(options=option(52, b"\1"),
                                                        fields=bytes(64) + option(55, b"\1\3\x11"))),
        ("with options in both fields", dict(options=option(52, b"\3"),
                                             fields=option(12, "host") + b"\xff" + bytes(57) +
                                             option(55, b"\1\3\x11") + b"\xff")),
        ("of 1,400 bytes", dict(pad=1400)),
        ("with bytes of padding between its options", dict(options=bytes(9) + option(57, b"\5\xdc"))),
        ("that is 65535 seconds old", dict(secs=65535)),
        ("whose hops are of another kind of network", dict(options=option(57, b"\0\x10"))),
        ("from another port", dict(from_port=1068)),
        ("with a server's name", dict(fields=b"boot.example")),
        ("with an option of nobody, twice", dict(options=option(224, "a") + option(224, "b")))):
    @case("anybody: a DISCOVER " + name)
    def _(more=more):
        more = dict(more)
        is_lease(Machine().ask(1, more.pop("options", b""), **more))


for name, data in (("of 239 bytes", lambda m: m.message(1, pad=0)[:239]),
                   ("of another kind of network", lambda m: m.message(1, htype=32, hlen=20)),
                   ("whose type is cut", lambda m: m.message(None, b"\x35\1", pad=0, end=False)),
                   ("that is an OFFER", lambda m: m.message(2)),
                   ("with type 99", lambda m: m.message(99))):
    @case("anybody: a message %s is not answered" % name)
    def _(data=data):
        machine = Machine()
        machine.send(data(machine))
        check(machine.receive(0.5) is None, "it is")


@case("grub: BOOTP of 300 bytes without a cookie")
def _():
    answer = Machine().ask(None, cookie=bytes(4), end=False)
    check(answer and answer.yours.startswith("192.0.2.1") and 53 not in answer.options, "no BOOTP answer")


@case("grub: BOOTP with a cookie and options")
def _():
    answer = Machine().ask(None, option(55, b"\1\3\x11"))
    check(answer and answer.yours.startswith("192.0.2.1") and 53 not in answer.options, "no BOOTP answer")
    check(51 not in answer.options and answer.options[1] == b"\xff\xff\xff\0", "%s" % answer.options)


@case("a relay: option 82 comes back as it was, and last")
def _():
    machine = Machine()
    added = b"\1\4vlan\2\6" + bytes(6)
    offer = machine.ask(1, option(82, added), giaddr=OWN, source=OWN, to=SERVER, from_port=67)
    check(offer and offer.kind == 2 and offer.options[82] == added, "%s" % (offer and offer.options))
    check(offer.order[-1] == 82, "the order is %s" % offer.order)
    check(offer.to == OWN and offer.giaddr == OWN, "it goes to %s" % offer.to)


@case("anybody: an answer fits into what option 57 says")
def _():
    for size in (0, 300, 576, 590, 1500, 65535):
        machine = Machine()
        offer = is_lease(machine.ask(1, pxe(7, size)))
        check(offer.size <= max(size, 576) - 28, "%d bytes of %d" % (offer.size, size))
        check(offer.options[67] == b"lunbootx64.efi" and 17 in offer.options, "options are left out")


# ---- TFTP

class Tftp:
    def __init__(self, port=0):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((OWN, port))
        self.peer = None

    def ask(self, name, *options, mode="octet", op=1):
        words = [name, mode] + [str(word) for word in options]
        self.sock.sendto(struct.pack(">H", op) + b"".join(word.encode() + b"\0" for word in words), (SERVER, 69))
        return self

    def receive(self, wait=2.0):
        self.sock.settimeout(wait)
        try:
            data, peer = self.sock.recvfrom(70000)
        except (TimeoutError, socket.timeout):
            return None, b""
        if self.peer is None:
            self.peer = peer
        return struct.unpack(">H", data[:2])[0], data[2:]

    def agreed(self):
        op, data = self.receive()
        check(op == 6, "opcode %s where an OACK is right: %s" % (op, data[:40]))
        words = data.split(b"\0")
        return {words[i].decode(): int(words[i + 1]) for i in range(0, len(words) - 1, 2)}

    def acknowledge(self, block):
        self.sock.sendto(struct.pack(">HH", 4, block & 0xFFFF), self.peer)

    def data(self, block, wait=2.0):
        op, data = self.receive(wait)
        check(op == 3, "opcode %s where data is right: %s" % (op, data[:40]))
        number = struct.unpack(">H", data[:2])[0]
        check(number == block & 0xFFFF, "block %d, not %d" % (number, block))
        return data[2:]

    def rest(self, size, window=1, block=1):
        out = b""
        while True:
            part = self.data(block)
            out += part
            if len(part) < size or block % window == 0:
                self.acknowledge(block)
            if len(part) < size:
                return out
            block += 1


FILE = bytes(i * 7 & 255 for i in range(30001))  # as the script that calls this one has made it


def is_error(tftp, code, wait=2.0):
    op, data = tftp.receive(wait)
    check(op == 5 and struct.unpack(">H", data[:2])[0] == code, "%s %s where error %d is right" % (op, data[:40], code))


@case("pxe-rom: TFTP without options")
def _():
    check(Tftp().ask("file").rest(512) == FILE, "other bytes")


for size in (8, 512, 1428, 1456, 1468):
    @case("pxe-rom: TFTP with blocks of %d bytes" % size)
    def _(size=size):
        t = Tftp().ask("file", "tsize", 0, "blksize", size)
        check(t.agreed() == {"blksize": size, "tsize": len(FILE)}, "what is agreed on")
        t.acknowledge(0)
        check(t.rest(size) == FILE, "other bytes")


@case("u-boot: TFTP with blocks of 65464 bytes, which the network does not carry whole")
def _():
    t = Tftp().ask("file", "timeout", 5, "blksize", 65464)
    agreed = t.agreed()
    check(agreed["timeout"] == 5 and 512 <= agreed["blksize"] <= 65464, "%s" % agreed)
    t.acknowledge(0)
    check(t.rest(agreed["blksize"]) == FILE, "other bytes")


@case("edk2: TFTP with a window of 64")
def _():
    t = Tftp().ask("file", "blksize", 512, "windowsize", 64, "tsize", 0)
    agreed = t.agreed()
    check(1 <= agreed["windowsize"] <= 64 and agreed["tsize"] == len(FILE), "%s" % agreed)
    t.acknowledge(0)
    check(t.rest(512, agreed["windowsize"]) == FILE, "other bytes")


for name, options in (("blocks of 7 bytes", ("blksize", 7)), ("a window of 0", ("windowsize", 0)),
                      ("a timeout of 0", ("timeout", 0)), ("options of nobody", ("x-fast", 1, "multicast", "")),
                      ("an option without a value", ("blksize",))):
    @case("anybody: TFTP with %s is TFTP without options" % name)
    def _(options=options):
        check(Tftp().ask("file", *options).rest(512) == FILE, "other bytes")


@case("grub: names with slashes and backslashes before and in them")
def _():
    for name in ("/file", "//file", "\\file", "./file", "./sub/../file", "sub/file", "sub\\file", "/sub//file"):
        t = Tftp().ask(name)
        if ".." in name:
            is_error(t, 1)
        else:
            check(t.rest(512) == FILE, "%s: other bytes" % name)


@case("anybody: TFTP in the mode OCTET; netascii, mail and writing are refused with a reason")
def _():
    check(Tftp().ask("file", mode="OCTET").rest(512) == FILE, "OCTET")
    is_error(Tftp().ask("file", mode="netascii"), 4)
    is_error(Tftp().ask("file", mode="mail"), 4)
    is_error(Tftp().ask("file", op=2), 2)
    is_error(Tftp().ask("none"), 1)


@case("pxe-rom: it asks for the size, and then for the file, from the same port, without a word between")
def _():
    t = Tftp().ask("file", "tsize", 0)
    check(t.agreed() == {"tsize": len(FILE)}, "the size")
    t.peer = None
    t.ask("file", "blksize", 1024)
    check(t.agreed() == {"blksize": 1024}, "the file")
    t.acknowledge(0)
    check(t.rest(1024) == FILE, "other bytes")


@case("pxe-rom: it asks for the size, ends that with an error, and fetches another file from the same port")
def _():
    t = Tftp().ask("file", "tsize", 0)
    t.agreed()
    t.sock.sendto(struct.pack(">HH", 5, 0) + b"TFTP Aborted\0", t.peer)
    time.sleep(0.1)
    t.peer = None
    check(t.ask("sub/file").rest(512) == FILE, "other bytes")


@case("u-boot: its request comes twice, and the file once")
def _():
    t = Tftp().ask("file").ask("file")
    check(t.rest(512) == FILE, "other bytes")
    check(t.receive(0.5)[0] is None, "a second transfer")


@case("u-boot: after a reset in the middle of a file it asks again from the same port")
def _():
    t = Tftp().ask("file")
    t.data(1)
    t.acknowledge(1)
    t.data(2)
    time.sleep(1.3)  # it is being reset
    t.sock.settimeout(0.01)
    while t.receive(0.01)[0] is not None:
        pass
    t.peer = None
    check(t.ask("file").rest(512) == FILE, "other bytes")


@case("anybody: an acknowledgement that comes twice sends nothing twice")
def _():
    t = Tftp().ask("file")
    for block in range(1, 6):
        t.data(block)
        t.acknowledge(block)
        t.acknowledge(block)  # the sorcerer's apprentice
    check(t.rest(512, 1, 6) == FILE[5 * 512:], "other bytes, or a block twice")


@case("anybody: data that is lost comes again")
def _():
    t = Tftp().ask("file")
    t.data(1)
    check(t.data(1, 3.0) == FILE[:512], "the first block does not come again")
    t.acknowledge(1)
    check(t.rest(512, 1, 2) == FILE[512:], "other bytes")


@case("anybody: an acknowledgement from another port does not count")
def _():
    t, other = Tftp().ask("file"), Tftp()
    t.data(1)
    other.sock.sendto(struct.pack(">HH", 4, 1), t.peer)
    check(t.receive(0.5)[0] is None, "it does")
    t.acknowledge(1)
    check(t.rest(512, 1, 2) == FILE[512:], "other bytes")


@case("anybody: an acknowledgement of a block that was not sent does not count")
def _():
    t = Tftp().ask("file")
    t.data(1)
    t.acknowledge(7)
    check(t.receive(0.5)[0] is None, "it does")
    t.acknowledge(1)
    check(t.rest(512, 1, 2) == FILE[512:], "other bytes")


# ---- HTTP

def http(*requests, keep=True):
    """The answers to requests on one connection: (status, headers in small letters, body)."""
    out = []
    with socket.create_connection((SERVER, 80), timeout=5) as sock:
        stream = sock.makefile("rb")
        for request in requests:
            sock.sendall(request)
            line = stream.readline()
            check(line.startswith(b"HTTP/1."), "%r in the place of an answer to %r" % (line, request))
            status = int(line.split()[1])
            headers = {}
            while True:
                line = stream.readline().strip()
                if not line:
                    break
                key, _, value = line.decode().partition(":")
                headers[key.lower()] = value.strip()
            has_body = not request.startswith(b"HEAD") and status != 304
            out.append((status, headers, stream.read(int(headers.get("content-length", 0))) if has_body else b""))
        if not keep:
            check(stream.read() == b"", "the connection stays open")
    return out


def get(path, *headers, version="1.1", method="GET"):
    lines = ["%s %s HTTP/%s" % (method, path, version)] + list(headers) + ["", ""]
    return "\r\n".join(lines).encode()


HOST = "Host: " + SERVER


@case("edk2: HEAD and then GET, on one connection")
def _():
    one, two = http(get("/file", HOST, "User-Agent: UefiHttpBoot/1.0", "Accept: */*", method="HEAD"),
                    get("/file", HOST, "User-Agent: UefiHttpBoot/1.0"))
    check(one[0] == two[0] == 200 and one[1]["content-length"] == str(len(FILE)), "%s" % (one,))
    check(two[2] == FILE, "other bytes")


@case("ipxe: ranges, one after the other, on one connection")
def _():
    parts = http(*[get("/file", HOST, "Range: bytes=%d-%d" % (at, min(at + 9999, len(FILE) - 1)))
                   for at in range(0, len(FILE), 10000)])
    check(all(part[0] == 206 for part in parts) and b"".join(part[2] for part in parts) == FILE, "other bytes")
    check(parts[1][1]["content-range"] == "bytes 10000-19999/%d" % len(FILE), "%s" % parts[1][1])


@case("u-boot: HTTP/1.0, and the connection ends")
def _():
    answer = http(get("/file", version="1.0"), keep=False)[0]
    check(answer[0] == 200 and answer[2] == FILE, "status %d, %d bytes" % (answer[0], len(answer[2])))


@case("grub: Connection: close")
def _():
    check(http(get("/file", HOST, "Connection: close"), keep=False)[0][2] == FILE, "other bytes")


@case("anybody: names with escapes, a query, and the server's name")
def _():
    for path in ("/%66ile", "/sub%2Ffile", "/file?arch=x64", "//file", "http://%s/file" % SERVER,
                 "http://%s:80/sub/file" % SERVER):
        status, _, body = http(get(path, HOST))[0]
        check(status == 200 and body == FILE, "%s: status %d" % (path, status))
    for path in ("/%2e%2e/outside", "/none", "/", "http://%s" % SERVER, "/sub", "/%00file"):
        status, _, _ = http(get(path, HOST))[0]
        check(status in (400, 404), "%s: status %d" % (path, status))


@case("anybody: ranges of all forms")
def _():
    end = len(FILE) - 1
    for value, status, body in (("bytes=0-0", 206, FILE[:1]), ("bytes=-1", 206, FILE[-1:]),
                                ("bytes=%d-" % end, 206, FILE[-1:]), ("bytes=0-999999999", 206, FILE),
                                ("bytes=%d-" % (end + 1), 416, None),
                                ("bytes=9-5", 200, FILE), ("lines=1-2", 200, FILE), ("bytes=0-1,5-6", 200, FILE),
                                ("bytes=-999999999", 206, FILE)):
        answer = http(get("/file", HOST, "Range: " + value))[0]
        right = answer[0] == status and body in (None, answer[2])
        check(right, "%s: status %d, %d bytes" % (value, answer[0], len(answer[2])))


@case("anybody: methods that there are not")
def _():
    for method in ("PUT", "DELETE", "OPTIONS", "PROPFIND"):
        check(http(get("/file", HOST, "Content-Length: 0", method=method))[0][0] in (405, 501), method)


# ---- DHCPv6

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE = range(1, 10)
INFORMATION = 11


def option6(code, value=b""):
    return struct.pack(">HH", code, len(value)) + value


def ia(address=None, iaid=1):
    inside = option6(5, socket.inet_pton(socket.AF_INET6, address) + bytes(8)) if address else b""
    return option6(3, struct.pack(">III", iaid, 0, 0) + inside)


class Machine6:
    count = 0

    def __init__(self):
        Machine6.count += 1
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, INTERFACE.encode())
        self.sock.bind(("::", 546))
        self.index = socket.if_nametoindex(INTERFACE)
        self.duid = b"\0\3\0\1\2\0\0\0\2" + bytes([Machine6.count])
        self.xid = Machine6.count
        self.server = None

    def ask(self, kind, *options, to="ff02::1:2", duid=True, server=False, wait=1.5):
        self.xid += 256
        data = bytes([kind]) + struct.pack(">I", self.xid)[1:]
        data += option6(1, self.duid) if duid else b""
        data += option6(2, self.server) if server else b""
        self.sock.sendto(data + b"".join(options), (to, 547, 0, self.index))
        return self.receive(wait, data[1:4])

    def receive(self, wait, xid):
        until = time.time() + wait
        while time.time() < until:
            self.sock.settimeout(max(0.01, until - time.time()))
            try:
                data, _ = self.sock.recvfrom(2048)
            except (TimeoutError, socket.timeout):
                return None
            if data[1:4] == xid:
                found = (data[0], options6(data[4:]))
                self.server = found[1].get(2, self.server)
                return found
        return None

    def lease(self):
        got = self.ask(SOLICIT, ia(), option6(8, b"\0\0"))
        check(got and got[0] == ADVERTISE, "no Advertise")
        got = self.ask(REQUEST, ia(address_of(got[1])), option6(8, b"\0\0"), server=True)
        check(got and got[0] == REPLY, "no Reply")
        return address_of(got[1])


def options6(data):
    found = {}
    while len(data) >= 4:
        code, length = struct.unpack(">HH", data[:4])
        found[code], data = data[4:4 + length], data[4 + length:]
    return found


def address_of(options):
    inside = options6(options[3][12:])
    return socket.inet_ntop(socket.AF_INET6, inside[5][:16]) if 5 in inside else None


def status_of(options):
    return struct.unpack(">H", options[13][:2])[0] if 13 in options else 0


@case("systemd-networkd: DHCPv6 with four messages", True)
def _():
    machine = Machine6()
    own = machine.lease()
    check(own.startswith("2001:db8:77::1"), "the address %s" % own)
    for kind, to_one in ((RENEW, True), (REBIND, False)):
        got = machine.ask(kind, ia(own), server=to_one)
        check(got and got[0] == REPLY and address_of(got[1]) == own, "type %d: %s" % (kind, got))
    got = machine.ask(CONFIRM, ia(own))
    check(got and status_of(got[1]) == 0, "Confirm: %s" % (got,))
    got = machine.ask(RELEASE, ia(own), server=True)
    check(got and got[0] == REPLY and status_of(got[1]) == 0, "Release: %s" % (got,))


@case("anybody: DHCPv6 by unicast", True)
def _():
    machine = Machine6()
    own = machine.lease()
    for kind in (SOLICIT, CONFIRM, REBIND, INFORMATION):
        check(machine.ask(kind, ia(own), to=SERVER6, wait=0.6) is None, "type %d is answered" % kind)
    for kind in (REQUEST, RENEW, RELEASE, DECLINE):
        got = machine.ask(kind, ia(own), to=SERVER6, server=True)
        check(got and got[0] == REPLY and status_of(got[1]) == 5 and 3 not in got[1], "type %d: %s" % (kind, got))
    check(address_of(machine.ask(RENEW, ia(own), server=True)[1]) == own, "the lease is over")


@case("dhclient: Confirm and Rebind of another network's address", True)
def _():
    machine = Machine6()
    got = machine.ask(CONFIRM, ia("2001:db8:99::1"))
    check(got and status_of(got[1]) == 4, "Confirm: %s" % (got,))
    got = machine.ask(REBIND, ia("2001:db8:99::1"))
    check(got and got[0] == REPLY, "Rebind: %s" % (got,))
    check(options6(got[1][3][12:])[5][16:24] == bytes(8), "the address has time left")
    check(machine.ask(CONFIRM, wait=0.6) is None, "a Confirm without an address is answered")


@case("dhcpcd: Information-request, with and without an identifier", True)
def _():
    for has_duid in (True, False):
        got = Machine6().ask(INFORMATION, option6(6, struct.pack(">HHH", 23, 24, 59)), duid=has_duid)
        check(got and got[0] == REPLY and 2 in got[1] and 3 not in got[1], "%s" % (got,))
        check((1 in got[1]) == has_duid, "whose it is")


@case("edk2: option 59 is the loader's URL for firmware, by architecture", True)
def _():
    for arch, kind, name in ((7, "PXEClient", "tftp://[%s]/lunbootx64.efi"),
                             (16, "HTTPClient", "http://[%s]:80/lunbootx64.efi"),
                             (11, "PXEClient", "tftp://[%s]/lunbootaa64.efi")):
        text = ("%s:Arch:%05d:UNDI:003016" % (kind, arch)).encode()
        options = option6(6, struct.pack(">HHHH", 59, 60, 23, 16)) + option6(61, struct.pack(">H", arch)) + \
            option6(62, b"\1\3\x10") + option6(16, struct.pack(">IH", 343, len(text)) + text)
        got = Machine6().ask(SOLICIT, ia(), options)
        check(got and got[1].get(59, b"").decode() == name % SERVER6, "%s" % (got and got[1].get(59)))
        check((16 in got[1]) == (kind == "HTTPClient"), "option 16")


@case("anybody: DHCPv6 messages that are not answered", True)
def _():
    machine = Machine6()
    machine.lease()
    for kind, options, more in ((SOLICIT, [ia()], {"duid": False}), (SOLICIT, [ia()], {"server": True}),
                                (REQUEST, [ia()], {}), (RENEW, [ia()], {}), (ADVERTISE, [ia()], {}),
                                (REPLY, [ia()], {}), (99, [ia()], {}), (SOLICIT, [b"\0\3\0\xff\0"], {}),
                                (SOLICIT, [option6(3, b"\0\0")], {})):
        got = machine.ask(kind, *options, wait=0.5, **more)
        check(got is None or (kind == SOLICIT and 3 not in got[1]), "type %d, %s: %s" % (kind, more, got))


def main():
    failed = 0
    for name, is_6, run in CASES:
        if is_6 != (SERVER6 is not None):
            continue
        try:
            run()
            print("ok - " + name, flush=True)
        except Exception as e:  # one case's trouble is not the others'
            failed += 1
            where = traceback.extract_tb(e.__traceback__)[1].lineno
            print("not ok - %s: %s %s (line %d)" % (name, type(e).__name__, e, where), flush=True)
    return 1 if failed else 0


sys.exit(main())
