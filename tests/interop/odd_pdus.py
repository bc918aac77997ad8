"""What initiators do with PDUs: pings, text, task management, logouts, numbers, data in and out, digests. Each case is
called with a function that makes a new initiator of a number; whatever length a block of the disk has is right."""
import struct

from odd_initiator import CHECK, GOOD, NO_TAG, Closed

CASES = []
ABOVE = ("MaxRecvDataSegmentLength=262144", "InitialR2T=No", "ImmediateData=Yes", "FirstBurstLength=65536",
         "MaxBurstLength=262144")


def case(name, writes=False):
    def add(function):
        CASES.append((name, writes, function))
        return function
    return add


def check(what, why):
    if not what:
        raise AssertionError(why)


def clear(session):
    for _ in range(8):
        if session.command([0] * 6).status == GOOD:
            return session
    raise AssertionError("TEST UNIT READY never succeeds")


def is_alive(session):
    return session.command([0] * 6).status in (GOOD, CHECK)


def is_closed(session):
    """It is, perhaps with last words."""
    try:
        while True:
            session.receive()
    except (Closed, ConnectionError):
        return True


def block_of(session):
    return struct.unpack(">I", session.command([0x25] + [0] * 9, read=8).data[4:8])[0]


def transfer(op, lba, blocks):
    return bytes([op, 0]) + struct.pack(">IBHB", lba, 0, blocks, 0)


def header(session, cdb, flags, length, immediate=False):
    bhs = session.request(0x01, flags | 1, immediate)
    bhs[20:24], bhs[32:48] = struct.pack(">I", length), bytes(cdb).ljust(16, b"\0")
    return bhs


def data_out(session, bhs, offset, data, number, final, tag=NO_TAG, lun=bytes(8)):
    """One Data-Out of the command with this header."""
    out = bytearray(48)
    out[0], out[1], out[8:16] = 0x05, 0x80 if final else 0, lun
    out[16:24] = bytes(bhs[16:20]) + struct.pack(">I", tag)
    out[28:32] = struct.pack(">I", session.exp_stat_sn)
    out[36:44] = struct.pack(">II", number, offset)
    session.send(out, data)


# ---- pings

for size in (1, 3, 1024, 1025, 4096, 8192, 12000, 16384):
    @case("linux: a ping of %d bytes" % size)
    def _(make, size=size):
        s = make(1).log_in((), ABOVE)
        data = bytes(range(251)) * 100
        check(s.ping(data[:size]) == data[:size], "other bytes come back")
        check(is_alive(s), "the session is over")
        s.log_out()


@case("esxi: a ping that is longer than the initiator takes")
def _(make):
    s = make(1).log_in((), ("MaxRecvDataSegmentLength=512",))
    check(s.ping(bytes(range(250)) * 8) == (bytes(range(250)) * 8)[:512], "what comes back is not its first 512 bytes")
    s.log_out()


@case("freebsd: pings of all kinds beside one another")
def _(make):
    s = make(1).log_in((), ABOVE)
    for number in range(20):
        bhs = s.request(0x00, 0x80, number % 2 == 0)
        bhs[20:24] = b"\xff" * 4
        s.send(bhs, bytes([number]) * number)
    for number in range(20):
        bhs, data = s.receive()
        check(bhs[0] == 0x20 and data == bytes([number]) * number, "the answer %d is %s" % (number, bhs.hex()))
    s.log_out()


@case("linux: an answer to a ping that nobody sent")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    for immediate in (True, False):
        bhs = s.request(0x00, 0x80, True)
        bhs[0] = 0x40 if immediate else 0x00  # RFC 7143 11.18: it takes no number either way
        bhs[16:24] = b"\xff" * 4 + struct.pack(">I", 0x1234)
        s.send(bhs)
        check(is_alive(s), "the session does not go on")
    s.log_out()


# ---- text

def begin_text(s, flags, text):
    """A text request with these flags (F, C) that begins an exchange: its header, and the answer's header and data."""
    bhs = s.request(0x04, flags)
    bhs[20:24] = b"\xff" * 4
    s.send(bhs, text)
    return (bhs, *s.receive())


def end_text(s, bhs, got, text=b""):
    """The last request of the exchange that bhs began and got answered: the answer's header and data."""
    more = s.request(0x04, 0x80)
    more[16:24] = bhs[16:20] + got[20:24]
    s.send(more, text)
    return s.receive()


@case("linux: text in two requests")
def _(make):
    s = clear(make(1).log_in())
    bhs, got, data = begin_text(s, 0x40, b"X-org.exam")
    check(got[0] == 0x24 and not got[1] & 0xC0 and data == b"" and got[20:24] != b"\xff" * 4, "C: %s" % got.hex())
    got, data = end_text(s, bhs, got, b"ple.a=1\0")
    check(got[1] == 0x80 and data == b"X-org.example.a=NotUnderstood\0" and got[20:24] == b"\xff" * 4, "%s" % data)
    s.log_out()


@case("linux: text that may go on")
def _(make):
    s = clear(make(1).log_in())
    bhs, got, data = begin_text(s, 0x00, b"X-a.b=1\0")
    check(got[0] == 0x24 and not got[1] & 0x80 and got[20:24] != b"\xff" * 4, "F: %s" % got.hex())
    check(data == b"X-a.b=NotUnderstood\0", "%s" % data)
    got, data = end_text(s, bhs, got)
    check(got[1] == 0x80 and data == b"", "its end: %s" % got.hex())
    check(is_alive(s), "the session is over")
    s.log_out()


@case("linux: empty text")
def _(make):
    s = clear(make(1).log_in())
    check(s.text([]) == [], "it is answered with pairs")
    check(s.text(["SendTargets=" + s.target])[:1] == ["TargetName=" + s.target], "SendTargets of its own target")
    check(s.text(["SendTargets=iqn.2026-11.test:none"]) == [], "SendTargets of another")
    check(s.text(["SendTargets=All"]) == ["SendTargets=Reject"], "SendTargets=All belongs to discovery")
    check(s.text(["MaxBurstLength=512"]) == ["MaxBurstLength=Reject"], "a key of the login")
    check(s.text(["InitiatorName=iqn.x"]) == ["InitiatorName=Reject"], "a name")
    s.log_out()


@case("linux: MaxRecvDataSegmentLength is declared anew")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    check(s.text(["MaxRecvDataSegmentLength=512"]) == [], "a declaration is answered")
    lengths = []
    s.send(header(s, transfer(0x28, 0, 8), 0xC0, 4096))
    while True:
        bhs, data = s.receive()
        lengths.append(len(data))
        if bhs[0] == 0x21 or bhs[1] & 1:
            break
    check(max(lengths) == 512, "Data-In of %s bytes" % lengths)
    s.log_out()


@case("windows: discovery, target by target")
def _(make):
    s = make(1).log_in(("AuthMethod=None",), (), "Discovery")
    every = s.text(["SendTargets=All"])
    names = [line[11:] for line in every if line.startswith("TargetName=")]
    check(s.target in names, "SendTargets=All has not the target: %s" % every)
    for name in names:
        one = s.text(["SendTargets=" + name])
        check(one[0] == "TargetName=" + name and one[1].startswith("TargetAddress="), "%s: %s" % (name, one))
    check(s.text(["SendTargets="]) == [], "SendTargets= has no target in a discovery session")
    check(s.ping(b"x") == b"x", "a ping in a discovery session")
    check(s.log_out() == 0, "the logout is refused")


@case("anybody: a command in a discovery session")
def _(make):
    s = make(1).log_in(("AuthMethod=None",), (), "Discovery")
    s.send(header(s, [0] * 6, 0x80, 0))
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F and bhs[2] == 4, "%s where a Reject is right" % bhs.hex())
    check(is_closed(s), "the session goes on")


@case("anybody: a tag of a text that was not given")
def _(make):
    s = clear(make(1).log_in())
    bhs = s.request(0x04, 0x80)
    bhs[20:24] = struct.pack(">I", 0x4711)
    s.send(bhs)
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F, "opcode %02x where a Reject is right" % bhs[0])


# ---- task management and logout

for function, name, answers in ((1, "ABORT TASK of none", (1,)), (2, "ABORT TASK SET", (0,)), (3, "CLEAR ACA", (5,)),
                                (4, "CLEAR TASK SET", (0,)), (5, "LOGICAL UNIT RESET", (0,)),
                                (6, "TARGET WARM RESET", (0,)), (8, "TASK REASSIGN", (4,)),
                                (9, "QUERY TASK, which was not agreed on", (5, 255)), (0, "function 0", (5, 255)),
                                (127, "function 127", (5, 255))):
    @case("esxi: " + name)
    def _(make, function=function, answers=answers):
        s = clear(make(1).log_in())
        for immediate in (True, False):
            got = s.manage(function, ref=0x7777, immediate=immediate)
            check(got in answers, "response %d" % got)
        clear(s)
        s.log_out()


for function in (2, 4, 5):
    @case("esxi: function %d of a LUN that is not there" % function)
    def _(make, function=function):
        s = clear(make(1).log_in())
        got = s.manage(function, lun=b"\0\7" + bytes(6))
        check(got == 2, "response %d" % got)
        check(s.command([0] * 6).status == GOOD, "it has had an effect")
        s.log_out()


@case("esxi: a reset is told to all, once each", writes=True)
def _(make):
    one, two = clear(make(1).log_in()), clear(make(2).log_in())
    check(one.manage(5) == 0, "LOGICAL UNIT RESET")
    for s in (one, two):
        check(s.command([0x12, 0, 0, 0, 36, 0], read=36).status == GOOD, "INQUIRY")
        check(s.command(bytes([0xA0] + [0] * 8) + b"\2\0\0", read=512).status == GOOD, "REPORT LUNS")
        answer = s.command([0] * 6)
        check(answer.sense == (6, 0x29, 3), "%r" % answer)
        check(s.command([0] * 6).status == GOOD, "it is told twice")
        s.log_out()


@case("macos: REQUEST SENSE takes what a reset left")
def _(make):
    s = clear(make(1).log_in())
    check(s.manage(5) == 0, "LOGICAL UNIT RESET")
    data = s.command([3, 0, 0, 0, 18, 0], read=18).data
    check(data[2] == 6 and data[12:14] == b"\x29\x03", "REQUEST SENSE: %s" % data.hex())
    check(s.command([0] * 6).status == GOOD, "it is told twice")
    s.log_out()


@case("windows: a write is aborted before its data has come", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    block = block_of(s)
    bhs = header(s, transfer(0x2A, 32, 8), 0xA0, 8 * block)
    s.send(bhs)
    r2t, _ = s.receive()
    check(r2t[0] == 0x31, "no R2T")
    check(s.manage(1, ref=struct.unpack(">I", bhs[16:20])[0]) == 0, "ABORT TASK")
    s.give(r2t, bytes(8), bytes(8 * block))  # it may come: RFC 7143 11.5.1
    check(s.command([0] * 6).status == GOOD, "the session does not go on")
    s.log_out()


@case("freebsd: a logout of the connection")
def _(make):
    s = make(1)
    s.cid = 7
    clear(s.log_in())
    check(s.ask_logout(1, cid=8) == 1, "another connection's number")
    check(s.ask_logout(2, cid=7) == 2, "for recovery")
    check(is_alive(s), "the session is over")
    check(s.ask_logout(1, immediate=False) == 0, "its own number")
    check(is_closed(s), "the connection stays open")


@case("windows: a logout with commands in flight")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    for number in range(4):
        s.send(header(s, transfer(0x28, 8 * number, 8), 0xC0, 4096))
    bhs = s.request(0x06, 0x80, False)
    s.send(bhs)
    seen = 0
    while True:
        got, _ = s.receive()
        seen += got[0] == 0x21 or (got[0] == 0x25 and got[1] & 1)
        if got[0] == 0x26:
            break
    check(got[2] == 0 and is_closed(s), "the logout, after %d answers" % seen)


# ---- numbers and tags

@case("anybody: a command with an old number is ignored")
def _(make):
    s = clear(make(1).log_in())
    bhs = header(s, [0] * 6, 0x80, 0)
    s.cmd_sn -= 1
    bhs[24:28] = struct.pack(">I", s.cmd_sn - 1)
    s.send(bhs)
    check(s.ping(b"still") == b"still", "it is answered")
    check(is_alive(s), "the session is over")
    s.log_out()


@case("anybody: a command behind the window is ignored")
def _(make):
    s = clear(make(1).log_in())
    bhs = header(s, [0] * 6, 0x80, 0)
    s.cmd_sn -= 1
    bhs[24:28] = struct.pack(">I", s.cmd_sn + 1000)
    s.send(bhs)
    check(s.ping(b"still") == b"still", "it is answered")
    check(is_alive(s), "the session is over")
    s.log_out()


@case("anybody: the window holds, and opens again")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    check(s.window >= 16, "a window of %d" % s.window)
    most = s.window
    for _ in range(3):
        for number in range(most):
            s.send(header(s, transfer(0x28, number, 1), 0xC0, 512))
        done = 0
        while done < most:
            got, _ = s.receive()
            done += got[0] == 0x21 or (got[0] == 0x25 and got[1] & 1)
        check(s.window == most, "a window of %d behind %d answers" % (s.window, most))
    s.log_out()


@case("anybody: an opcode of nobody")
def _(make):
    s = clear(make(1).log_in())
    s.send(s.request(0x1C, 0x80, True))
    bhs, data = s.receive()
    check(bhs[0] == 0x3F and bhs[2] == 5 and len(data) == 48 and data[0] & 0x3F == 0x1C, "%s" % bhs.hex())
    check(is_alive(s), "the session is over")
    s.log_out()


for kind in range(4):
    @case("windows: a SNACK of type %d, which level 0 has not" % kind)
    def _(make, kind=kind):
        s = clear(make(1).log_in())
        s.send(s.request(0x10, 0x80 | kind, True))
        bhs, _ = s.receive()
        check(bhs[0] == 0x3F and bhs[2] in (3, 4), "%s where a Reject is right" % bhs.hex())


@case("anybody: a login in full feature phase")
def _(make):
    s = clear(make(1).log_in())
    s.send(s.request(0x03, 0x87, True), b"InitiatorName=x\0")
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F and bhs[2] == 4 and is_closed(s), "%s" % bhs.hex())


@case("anybody: a tag that is in use", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    first = header(s, transfer(0x2A, 32, 8), 0xA0, 4096)
    s.send(first)
    s.receive()
    second = header(s, [0] * 6, 0x80, 0)
    second[16:20] = first[16:20]
    s.send(second)
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F and is_closed(s), "%s where a Reject is right" % bhs.hex())


@case("linux: a command of 32 bytes, with an additional header")
def _(make):
    s = clear(make(1).log_in())
    bhs = header(s, bytes([0x7F, 0, 0, 0, 0, 0, 0, 24, 0, 9]), 0xC0, 512)
    s.send(bhs, ahs=struct.pack(">HBB", 17, 1, 0) + bytes(16))
    answer = s.finish(bytes(bhs[16:20]), bytes(8), b"", 512)
    check(answer.sense == (5, 0x20, 0), "%r" % answer)
    check(is_alive(s), "the session is over")
    s.log_out()


@case("anybody: both directions at once")
def _(make):
    s = clear(make(1).log_in())
    bhs = header(s, bytes([0x53] + [0] * 9), 0xE0, 512)
    s.send(bhs, ahs=struct.pack(">HBBI", 5, 2, 0, 512))
    answer = s.finish(bytes(bhs[16:20]), bytes(8), bytes(512), 512)
    check(answer.status == CHECK and answer.sense[0] == 5, "%r" % answer)
    s.log_out()


# ---- data

@case("linux: immediate and unsolicited data, in three PDUs", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    block = block_of(s)
    data = bytes(range(256)) * (8 * block // 256)
    third = len(data) // 4
    bhs = header(s, transfer(0x2A, 32, 8), 0x20, len(data))  # without F: more of it comes
    s.send(bhs, data[:third])
    data_out(s, bhs, third, data[third:2 * third], 0, False)
    data_out(s, bhs, 2 * third, data[2 * third:], 1, True)
    check(s.finish(bytes(bhs[16:20]), bytes(8), data, 0).status == GOOD, "the write")
    check(s.command(transfer(0x28, 32, 8), read=len(data)).data == data, "other bytes are read")
    s.log_out()


@case("linux: unsolicited data without immediate data, and an R2T for the rest", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    block = block_of(s)
    count = 262144 // block
    data = bytes(range(255, -1, -1)) * 1024
    bhs = header(s, transfer(0x2A, 32, count), 0x20, len(data))
    s.send(bhs)
    data_out(s, bhs, 0, data[:65536], 0, True)
    r2t, _ = s.receive()
    check(r2t[0] == 0x31 and struct.unpack(">III", r2t[36:48]) == (0, 65536, 196608), "R2T %s" % r2t.hex())
    s.give(r2t, bytes(8), data)
    check(s.finish(bytes(bhs[16:20]), bytes(8), data, 0).status == GOOD, "the write")
    check(s.command(transfer(0x28, 32, count), read=len(data)).data == data, "other bytes are read")
    s.log_out()


@case("esxi: R2Ts follow one another in order", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE[:1] + ("InitialR2T=Yes", "ImmediateData=No", "MaxBurstLength=65536")))
    block = block_of(s)
    data = b"ABCDEFGH" * 32768
    bhs = header(s, transfer(0x2A, 32, len(data) // block), 0xA0, len(data))
    s.send(bhs)
    for number in range(4):
        r2t, _ = s.receive()
        check(r2t[0] == 0x31 and r2t[8:16] == bytes(8), "no R2T: %s" % r2t.hex())
        check(struct.unpack(">III", r2t[36:48]) == (number, number * 65536, 65536), "R2T %s" % r2t.hex())
        s.give(r2t, bytes(8), data)
    got, _ = s.receive()
    check(got[0] == 0x21 and got[3] == GOOD and struct.unpack(">I", got[36:40])[0] == 4, "%s" % got.hex())
    s.log_out()


@case("anybody: more unsolicited data than FirstBurstLength")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    bhs = header(s, transfer(0x2A, 32, 256), 0x20, 131072)
    s.send(bhs)
    data_out(s, bhs, 0, bytes(65536), 0, False)
    data_out(s, bhs, 65536, bytes(4096), 1, True)
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F and bhs[2] == 4, "%s where a Reject is right" % bhs.hex())


@case("anybody: immediate data that was not agreed on")
def _(make):
    s = clear(make(1).log_in((), ("ImmediateData=No", "InitialR2T=Yes")))
    s.send(header(s, transfer(0x2A, 32, 1), 0xA0, 512), bytes(512))
    bhs, _ = s.receive()
    check(bhs[0] == 0x3F and bhs[2] == 4, "%s where a Reject is right" % bhs.hex())


@case("anybody: Data-Out for nobody is ignored")
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    data_out(s, header(s, [0] * 6, 0x80, 0, True), 0, bytes(512), 0, True, 0x4711)
    check(s.ping(b"still") == b"still" and is_alive(s), "the session does not go on")
    s.log_out()


@case("linux: unsolicited data of a command that fails is taken to its end", writes=True)
def _(make):
    s = clear(make(1).log_in((), ABOVE))
    bhs = header(s, transfer(0x2A, 0xFFFFFFF0, 8), 0x20, 4096)
    s.send(bhs, bytes(1024))
    data_out(s, bhs, 1024, bytes(3072), 0, True)
    answer = s.finish(bytes(bhs[16:20]), bytes(8), b"", 0)
    check(answer.sense == (5, 0x21, 0), "%r" % answer)
    check(s.command([0] * 6).status == GOOD, "the session does not go on")
    s.log_out()


for most, burst in ((512, 512), (513, 4096), (8191, 65536), (65536, 512), (16777215, 16777215)):
    @case("anybody: Data-In with MaxRecvDataSegmentLength=%d, MaxBurstLength=%d" % (most, burst))
    def _(make, most=most, burst=burst):
        s = clear(make(1).log_in((), ("MaxRecvDataSegmentLength=%d" % most, "MaxBurstLength=%d" % burst)))
        burst = s.number("MaxBurstLength", "262144")
        block = block_of(s)
        bhs = header(s, transfer(0x28, 0, 16), 0xC0, 16 * block)
        s.send(bhs)
        at = number = in_burst = 0
        while True:
            got, data = s.receive()
            check(got[0] == 0x25 and struct.unpack(">II", got[36:44]) == (number, at), "Data-In %s" % got.hex())
            check(0 < len(data) <= most, "%d bytes of data" % len(data))
            number, at, in_burst = number + 1, at + len(data), in_burst + len(data)
            check(in_burst <= burst, "a sequence of %d bytes" % in_burst)
            check(bool(got[1] & 0x80) == (in_burst == burst or at == 16 * block), "F at %d" % at)
            if got[1] & 0x80:
                in_burst = 0
            if got[1] & 1:
                break
        check(at == 16 * block, "%d bytes in all" % at)
        s.log_out()


# ---- digests

def with_digests(make, number=1):
    s = make(number).log_in((), ABOVE + ("HeaderDigest=CRC32C,None", "DataDigest=CRC32C,None"))
    check(s.keys["HeaderDigest"] == s.keys["DataDigest"] == "CRC32C", "they are not agreed on: %s" % s.keys)
    s.digests = (True, True)
    return clear(s)


@case("windows: digests of headers and data", writes=True)
def _(make):
    s = with_digests(make)
    block = block_of(s)
    data = bytes(range(256)) * (block // 256)
    check(s.command(transfer(0x2A, 32, 1), out=data, unsolicited=block).status == GOOD, "a write")
    check(s.command(transfer(0x2A, 33, 1), out=data).status == GOOD, "a write by R2T")
    check(s.command(transfer(0x28, 32, 2), read=2 * block).data == 2 * data, "a read")
    check(s.command([0x12, 0, 0, 0, 36, 0], read=36).status == GOOD, "INQUIRY")
    check(s.ping(b"odd") == b"odd", "a ping of 3 bytes")
    s.log_out()


@case("windows: a header with a wrong digest is not believed", writes=True)
def _(make):
    s = with_digests(make)
    s.send(header(s, [0] * 6, 0x80, 0), damage=1)
    check(is_closed(s), "the connection stays open")
    clear(make(1).log_in()).log_out()


for is_immediate in (True, False):
    @case("windows: %s with a wrong digest is not written" % ("immediate data" if is_immediate else "Data-Out"),
          writes=True)
    def _(make, is_immediate=is_immediate):
        s = with_digests(make)
        block = block_of(s)
        check(s.command(transfer(0x2A, 32, 1), out=bytes(block)).status == GOOD, "a write")
        bhs = header(s, transfer(0x2A, 32, 1), 0xA0, block)
        if is_immediate:
            s.send(bhs, b"\xee" * block, damage=2)
        else:
            s.send(bhs)
            r2t, _ = s.receive()
            out = bytearray(48)
            out[0], out[1], out[16:24] = 0x05, 0x80, r2t[16:24]
            s.send(out, b"\xee" * block, damage=2)
        got, data = s.receive()  # RFC 7143 7.8: it must be told
        check(got[0] == 0x3F and got[2] == 2 and data[:1] == (b"\x01" if is_immediate else b"\x05"), got.hex())
        check(is_closed(s), "the connection stays open")  # level 0
        s = clear(make(1).log_in())
        check(s.command(transfer(0x28, 32, 1), read=block).data == bytes(block), "what was damaged has been written")
        s.log_out()


# ---- sessions

@case("windows: an ISID of another, and one's own", writes=True)
def _(make):
    one, two = clear(make(1).log_in((), ABOVE)), clear(make(2).log_in())
    one.send(header(one, transfer(0x2A, 32, 8), 0xA0, 4096))  # a write that waits for its data
    again = clear(make(1).log_in())
    check(is_closed(one), "the older session of the same ISID lives")
    check(is_alive(two) and is_alive(again), "another ISID's session is over")
    for s in (two, again):
        s.log_out()


@case("edk2: it leaves without a word, ten times")
def _(make):
    for _ in range(10):
        s = make(1).log_in((), ABOVE)
        s.send(header(s, transfer(0x28, 0, 8), 0xC0, 4096))
        s.sock.close()
    clear(make(1).log_in()).log_out()


@case("esxi: START and ALLOW pass the reservation of another", writes=True)
def _(make):
    one, two = clear(make(1).log_in()), clear(make(2).log_in())

    def out(s, action, key, service, kind):
        return s.command(bytes([0x5F, action, kind, 0, 0, 0, 0, 0, 24, 0]), out=struct.pack(">QQQ", key, service, 0))
    check(out(one, 6, 0, 5, 0).status == GOOD and out(one, 1, 5, 0, 3).status == GOOD, "exclusive access")
    for cdb, is_free in (([0x1B, 0, 0, 0, 1, 0], True), ([0x1B, 0, 0, 0, 0, 0], False),
                         ([0x1B, 0, 0, 0, 0x11, 0], False), ([0] * 6, True), ([0x35] + [0] * 9, False),
                         ([0x2F, 0, 0, 0, 0, 0, 0, 0, 1, 0], False)):
        status = two.command(cdb).status
        check((status != 0x18) == is_free, "%s: status %02x" % (bytes(cdb).hex(), status))
    check(out(one, 3, 5, 0, 0).status == GOOD, "CLEAR")
    check(one.command([0x16] + [0] * 5).status == GOOD, "RESERVE(6)")
    check(two.command([0x1B, 0, 0, 0, 1, 0]).status == GOOD, "START UNIT of what another has reserved")
    for s in (one, two):
        s.log_out()
