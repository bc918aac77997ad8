#!/usr/bin/env python3
"""What the initiators of Windows, ESXi, FreeBSD, macOS, Linux, iPXE, EDK2 and others send to a target, as scripts.

  odd-initiators.py --list
  odd-initiators.py --address=ADDRESS [--port=3260] --target=IQN [--chap=NAME:SECRET] [--read-only] [--any-block]
      [NAME...]

It prints TAP: one line a case. Those of odd-initiators.table and odd_pdus.py are right for disks with blocks of any
length, and are the only ones with --any-block. The logins and the commands are those that these initiators send, in
their order; they were written down from their sources where those are public, and from what their vendors document. A
case writes below block 1024 of the disk, and to nothing else; the disk has at least 64 MiB.
"""
import argparse
import select
import struct
import sys
import traceback

sys.dont_write_bytecode = True  # nothing is left beside the sources
import odd_chap  # noqa: E402
import odd_pdus  # noqa: E402
import odd_table  # noqa: E402
from odd_initiator import CHECK, CONFLICT, GOOD, Closed, Initiator  # noqa: E402

CASES = []
ARGS = None
ILLEGAL, PROTECT, MISCOMPARE, ATTENTION = 5, 7, 14, 6


def case(name, writes=False, chap=False):
    def add(function):
        CASES.append((name, writes, chap, function))
        return function
    return add


def initiator(number=1, name=None):
    isid = b"\x80\0\0\0\0" + bytes([number])
    return Initiator(ARGS.address, ARGS.port, ARGS.target, name or "iqn.2026-11.test:odd-%d" % number, isid)


def check(what, why):
    if not what:
        raise AssertionError(why)


def good(answer, least=0):
    check(answer.status == GOOD, repr(answer))
    check(len(answer.data) >= least, "%d bytes are too few: %r" % (least, answer))
    return answer.data


def refused(answer, key, asc, ascq=0):
    check(answer.status == CHECK and answer.sense == (key, asc, ascq),
          "%r where %x/%02x/%02x is right" % (answer, key, asc, ascq))


def clear(session):
    """Takes the unit attentions that a new session may find."""
    for _ in range(8):
        if session.command([0] * 6).status == GOOD:
            return session
    raise AssertionError("TEST UNIT READY never succeeds")


# ---- CDBs

def inquiry(length, page=None):
    return [0x12, 0 if page is None else 1, page or 0, length >> 8, length & 255, 0]


def read10(lba, blocks, flags=0):
    return bytes([0x28, flags]) + struct.pack(">IBHB", lba, 0, blocks, 0)


def write10(lba, blocks, flags=0):
    return bytes([0x2A, flags]) + struct.pack(">IBHB", lba, 0, blocks, 0)


def long_cdb(op, lba, blocks, flags=0):
    return bytes([op, flags]) + struct.pack(">QIBB", lba, blocks, 0, 0)


def capacity16(length=32):
    return bytes([0x9E, 0x10]) + bytes(8) + struct.pack(">IBB", length, 0, 0)


def report_luns(length=16384, select=0):
    return bytes([0xA0, 0, select, 0, 0, 0]) + struct.pack(">IBB", length, 0, 0)


def opcodes(option, op=0, action=0, length=512):
    return bytes([0xA3, 0x0C, option, op]) + struct.pack(">HIBB", action, length, 0, 0)


def mode6(page, length=192, subpage=0, flags=0):
    return [0x1A, flags, page, subpage, length, 0]


def mode10(page, length=192, subpage=0, flags=0):
    return bytes([0x5A, flags, page, subpage, 0, 0, 0]) + struct.pack(">HB", length, 0)


BLOCK = bytes(range(256)) * 2


def pages_of(session):
    data = good(session.command(inquiry(255, 0), read=255), 5)
    return list(data[4:4 + data[3]])


# ---- logins

WINDOWS = ["HeaderDigest=None,CRC32C", "DataDigest=None,CRC32C", "ErrorRecoveryLevel=2", "InitialR2T=No",
           "ImmediateData=Yes", "MaxRecvDataSegmentLength=65536", "MaxBurstLength=262144", "FirstBurstLength=65536",
           "MaxConnections=8", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes", "DefaultTime2Wait=0",
           "DefaultTime2Retain=60", "MaxOutstandingR2T=16"]
FREEBSD = ["HeaderDigest=None", "DataDigest=None", "MaxRecvDataSegmentLength=131072", "MaxBurstLength=262144",
           "FirstBurstLength=65536", "InitialR2T=Yes", "ImmediateData=Yes", "MaxOutstandingR2T=1", "MaxConnections=1",
           "DefaultTime2Wait=0", "DefaultTime2Retain=0", "ErrorRecoveryLevel=0", "DataPDUInOrder=Yes",
           "DataSequenceInOrder=Yes", "IFMarker=No", "OFMarker=No"]
ESXI = ["HeaderDigest=None", "DataDigest=None", "DefaultTime2Wait=2", "DefaultTime2Retain=0", "IFMarker=No",
        "OFMarker=No", "ErrorRecoveryLevel=0", "InitialR2T=No", "ImmediateData=Yes", "MaxBurstLength=262144",
        "FirstBurstLength=262144", "MaxOutstandingR2T=1", "MaxConnections=1", "DataPDUInOrder=Yes",
        "DataSequenceInOrder=Yes", "MaxRecvDataSegmentLength=131072"]
LINUX = ["HeaderDigest=None", "DataDigest=None", "DefaultTime2Wait=2", "DefaultTime2Retain=0", "IFMarker=No",
         "OFMarker=No", "ErrorRecoveryLevel=0", "InitialR2T=No", "ImmediateData=Yes", "MaxBurstLength=16776192",
         "FirstBurstLength=262144", "MaxOutstandingR2T=1", "MaxConnections=1", "DataPDUInOrder=Yes",
         "DataSequenceInOrder=Yes", "MaxRecvDataSegmentLength=262144"]
EDK2 = ["HeaderDigest=None", "DataDigest=None", "ErrorRecoveryLevel=0", "InitialR2T=No", "ImmediateData=Yes",
        "MaxRecvDataSegmentLength=65536", "MaxBurstLength=262144", "FirstBurstLength=65536", "DefaultTime2Wait=2",
        "DefaultTime2Retain=20", "MaxOutstandingR2T=16", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes",
        "MaxConnections=1"]
IPXE = ["HeaderDigest=None", "DataDigest=None", "MaxConnections=1", "InitialR2T=Yes", "ImmediateData=No",
        "MaxRecvDataSegmentLength=8192", "MaxBurstLength=262144", "DefaultTime2Wait=0", "DefaultTime2Retain=0",
        "MaxOutstandingR2T=1", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes", "ErrorRecoveryLevel=0"]
MACOS = ["HeaderDigest=None", "DataDigest=None", "MaxConnections=1", "InitialR2T=Yes", "ImmediateData=Yes",
         "MaxRecvDataSegmentLength=262144", "MaxBurstLength=262144", "FirstBurstLength=65536", "DefaultTime2Wait=2",
         "DefaultTime2Retain=20", "MaxOutstandingR2T=1", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes",
         "ErrorRecoveryLevel=0", "IFMarker=No", "OFMarker=No", "OFMarkInt=2048", "IFMarkInt=2048"]


def as_windows(number=1):
    return initiator(number, "iqn.1991-05.com.microsoft:win-%d" % number).log_in(("AuthMethod=None",), WINDOWS)


def check_session(session):
    """It is good for a disk, and was agreed as the RFC says."""
    for key in ("ErrorRecoveryLevel", "DefaultTime2Retain"):
        check(session.number(key, "0") == 0, "%s=%s" % (key, session.keys.get(key)))
    for key in ("IFMarker", "OFMarker", "IFMarkInt", "OFMarkInt"):
        check(session.keys.get(key, "Reject") in ("Reject", "No"), "%s=%s" % (key, session.keys.get(key)))
    clear(session)
    good(session.command(read10(0, 8), read=4096), 4096)
    check(session.log_out() == 0, "the logout is refused")


def login_case(name, keys, security=("AuthMethod=None",), iqn="iqn.2026-11.test:odd"):
    @case("login-" + name)
    def run():
        check_session(initiator(1, iqn).log_in(security, keys))


login_case("windows", WINDOWS, iqn="iqn.1991-05.com.microsoft:desktop-1a2b3c")
login_case("esxi", ESXI, iqn="iqn.1998-01.com.vmware:esx1-0f2e3d4c")
login_case("freebsd", FREEBSD, iqn="iqn.1994-09.org.freebsd:host")
login_case("linux", LINUX, security=("InitiatorAlias=host", "AuthMethod=None"), iqn="iqn.1993-08.org.debian:01:abc")
login_case("edk2", EDK2)
login_case("ipxe", IPXE, security=("AuthMethod=CHAP,None",))
login_case("macos", MACOS, security=("InitiatorAlias=Mac", "AuthMethod=None,CHAP"),
           iqn="iqn.1995-05.com.attotech:xtendsan:1")
login_case("one-stage", LINUX, security=None)
login_case("private-keys", WINDOWS + ["X-com.example.one=1", "X#2=yes", "X-edu.x.y=a,b"])
login_case("hex-numbers", ["MaxRecvDataSegmentLength=0x10000", "MaxBurstLength=0x40000", "FirstBurstLength=0xffff"])
login_case("protocol-level", LINUX + ["iSCSIProtocolLevel=2", "TaskReporting=ResponseFence,RFC3720"])
login_case("many-methods", LINUX, security=("AuthMethod=KRB5,SPKM1,SPKM2,SRP,CHAP,None",))
login_case("first-burst-above-max", ["MaxBurstLength=65536", "FirstBurstLength=262144"])


@case("login-in-many-pdus")
def _():
    s = initiator()
    text = b"".join(w.encode() + b"\0" for w in s.names() + ["AuthMethod=None"] + LINUX)
    for at in range(0, len(text), 40):
        last = at + 40 >= len(text)
        # Keys of both stages together: the stage is the operational one.
        status, _, _ = s.login_pdu(1, 3, last, text[at:at + 40], more=not last)
        check(status == 0, "login status %04x" % status)
    check_session(s)


@case("login-empty-steps")
def _():
    s = initiator()
    s.stage(0, 1, False, s.names())
    s.stage(0, 1, False, [])
    s.stage(0, 1, True, ["AuthMethod=None"])
    s.stage(1, 3, False, LINUX[:4])
    s.stage(1, 3, True, LINUX[4:])
    check_session(s)


@case("discovery")
def _():
    s = initiator(9).log_in(("AuthMethod=None",), ["HeaderDigest=None", "DataDigest=None", "DefaultTime2Wait=0",
                                                     "MaxRecvDataSegmentLength=32768"], "Discovery")
    names = s.text(["SendTargets=All"])
    check("TargetName=" + ARGS.target in names, "SendTargets=All gives %s" % names)
    one = s.text(["SendTargets=" + ARGS.target])
    check(one[0] == "TargetName=" + ARGS.target and one[1].startswith("TargetAddress="), "one target: %s" % one)
    check(s.log_out() == 0, "the logout is refused")


@case("session-is-reinstated")
def _():
    first, other = as_windows(1), as_windows(2)
    again = as_windows(1)
    try:
        first.command([0] * 6)
        raise AssertionError("the older session of the same ISID lives")
    except (Closed, ConnectionResetError, BrokenPipeError):
        pass
    clear(again)
    clear(other)  # another ISID: another session
    again.log_out()
    other.log_out()


@case("ping")
def _():
    s = as_windows()
    check(s.ping(b"are you there?" * 9) == b"are you there?" * 9, "other bytes come back")
    check(s.ping(b"", immediate=False) == b"", "an empty ping")
    clear(s)
    s.log_out()


# ---- Windows

@case("windows-finds-a-disk")
def _():
    s = as_windows()
    luns = good(s.command(report_luns(), read=16384), 16)
    check(struct.unpack(">I", luns[:4])[0] == len(luns) - 8 and luns[8:16] == bytes(8), "REPORT LUNS: %s" % luns.hex())
    data = good(s.command(inquiry(36), read=36), 36)
    check(data[0] == 0 and data[2] >= 5 and data[3] & 15 == 2 and data[7] & 2, "INQUIRY: %s" % data.hex())
    check(good(s.command(inquiry(data[4] + 5), read=data[4] + 5))[:36] == data, "a longer INQUIRY differs")
    pages = pages_of(s)
    check(pages == sorted(pages) and {0, 0x80, 0x83, 0xB0, 0xB1, 0xB2} <= set(pages), "pages %s" % pages)
    for page in pages:
        got = good(s.command(inquiry(255, page), read=255), 4)
        check(got[1] == page, "page %02x says it is %02x" % (page, got[1]))
    clear(s)
    good(s.command([0x25] + [0] * 9, read=8), 8)
    blocks = struct.unpack(">Q", good(s.command(capacity16(), read=32), 32)[:8])[0] + 1
    check(blocks >= 131072, "%d blocks" % blocks)
    for page in (0x3F, 0x08, 0x0A, 0x1C):
        data = good(s.command(mode6(page), read=192), 4)
        check(data[0] == len(data) - 1, "MODE SENSE of %02x: its length is %d of %d" % (page, data[0], len(data)))
    refused(s.command(mode6(0x2A), read=192), ILLEGAL, 0x24)
    s.log_out()


@case("windows-asks-without-getting")
def _():
    s = clear(as_windows())
    refused(s.command(inquiry(255, 0xBB), read=255), ILLEGAL, 0x24)
    for op in ([0xA2, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0], [0x85] + [0] * 15, [0xA1] + [0] * 11, [0x3C] + [0] * 9,
               [0x04] + [0] * 5, [0x43] + [0] * 9, [0x46] + [0] * 9):
        refused(s.command(op, read=512), ILLEGAL, 0x20)
    refused(s.command(bytes([0x4D, 0, 0x6F, 0, 0, 0, 0, 2, 0, 0]), read=512), ILLEGAL, 0x24)  # page 2F
    good(s.command(bytes([0x4D, 0, 0x40, 0, 0, 0, 0, 2, 0, 0]), read=512), 5)
    good(s.command([0x03, 0, 0, 0, 18, 0], read=18), 18)
    good(s.command([0x03, 1, 0, 0, 252, 0], read=252), 8)
    s.log_out()


@case("windows-supported-opcodes")
def _():
    s = clear(as_windows())
    every = good(s.command(opcodes(0, length=65535), read=65535), 12)
    check(struct.unpack(">I", every[:4])[0] == len(every) - 4, "the length of all is wrong")
    known = {every[at] for at in range(4, len(every), 8)}
    check({0x00, 0x12, 0x1A, 0x25, 0x28, 0x2A, 0x35, 0x88, 0x8A, 0x91, 0x9E, 0xA0, 0xA3} <= known, "known: %s" % known)
    one = good(s.command(opcodes(1, 0x42), read=512), 4)
    check(one[1] & 7 in (1, 3), "UNMAP: %s" % one.hex())
    one = good(s.command(opcodes(1, 0x93), read=512), 4)
    check(one[1] & 7 == 3 and one[3] == 16 and one[4] == 0x93, "WRITE SAME(16): %s" % one.hex())
    one = good(s.command(opcodes(1, 0xEE), read=512), 4)
    check(one[1] & 7 == 1, "an opcode that nobody has: %s" % one.hex())
    one = good(s.command(opcodes(0x83, 0x9E, 0x10), read=512), 4)
    check(one[1] & 0x87 == 0x83, "READ CAPACITY(16) with its time: %s" % one.hex())
    refused(s.command(opcodes(1, 0x9E), read=512), ILLEGAL, 0x24)
    s.log_out()


@case("windows-formats-and-flushes", writes=True)
def _():
    s = clear(as_windows())
    data = BLOCK * 128
    good(s.command(write10(64, 128), out=data, unsolicited=65536))
    good(s.command(write10(192, 128, 0x08), out=data))  # FUA, and no unsolicited data
    check(good(s.command(read10(64, 256), read=131072)) == data * 2, "other bytes are read")
    good(s.command(bytes([0x2F, 0]) + struct.pack(">IBHB", 64, 0, 256, 0)))                # VERIFY(10)
    good(s.command(bytes([0x8F, 0]) + struct.pack(">QIBB", 64, 256, 0, 0)))                # VERIFY(16)
    good(s.command(bytes([0x2F, 2]) + struct.pack(">IBHB", 64, 0, 1, 0), out=BLOCK))       # BYTCHK
    refused(s.command(bytes([0x2F, 2]) + struct.pack(">IBHB", 64, 0, 1, 0), out=BLOCK[::-1]), MISCOMPARE, 0x1D)
    good(s.command([0x35] + [0] * 9))
    good(s.command([0x91] + [0] * 15))
    good(s.command([0x1B, 0, 0, 0, 1, 0]))
    s.log_out()


@case("windows-caching", writes=True)
def _():
    s = clear(as_windows())
    page = good(s.command(mode10(0x08, 256, flags=8), read=256), 28)[8:]
    changeable = good(s.command(mode10(0x48, 256, flags=8), read=256), 28)[8:]
    check(page[0] & 0x3F == 8 and page[1] == 18, "the caching page: %s" % page.hex())
    if changeable[2] & 4:
        off = bytearray(page)
        off[0], off[2] = 8, off[2] & ~4
        good(s.command(bytes([0x55, 0x10, 0, 0, 0, 0, 0, 0, 28, 0]), out=bytes(8) + bytes(off)))
        check(not good(s.command(mode10(0x08, 256), read=256))[10] & 4, "WCE stays")
        off[2] |= 4
        good(s.command([0x15, 0x10, 0, 0, 24, 0], out=bytes(4) + bytes(off)))
        check(good(s.command(mode10(0x08, 256), read=256))[10] & 4, "WCE does not come back")
    refused(s.command(mode10(0xC8, 256), read=256), ILLEGAL, 0x39)  # saved values
    s.log_out()


@case("windows-trim", writes=True)
def _():
    s = clear(as_windows())
    limits = good(s.command(inquiry(64, 0xB0), read=64), 64)
    most, ranges = struct.unpack(">II", limits[20:28])
    if not most:
        check(not good(s.command(inquiry(8, 0xB2), read=8), 6)[5] & 0x80, "UNMAP with no limits")
        return
    good(s.command(write10(256, 128), out=BLOCK * 128))
    parts = [(256, 32), (320, 64)] + ([(300, 8)] if ranges > 2 else [])
    body = b"".join(struct.pack(">QII", lba, n, 0) for lba, n in parts)
    good(s.command(bytes([0x42, 0, 0, 0, 0, 0, 0]) + struct.pack(">HB", 8 + len(body), 0),
                   out=struct.pack(">HHI", 6 + len(body), len(body), 0) + body))
    got = good(s.command(read10(256, 128), read=65536))
    check(got[:32 * 512] == bytes(32 * 512), "what was trimmed does not read as zeros")
    check(got[32 * 512:44 * 512] == BLOCK * 12, "what was not trimmed has changed")
    status = good(s.command(bytes([0x9E, 0x12]) + struct.pack(">QIBB", 256, 512, 0, 0), read=512), 24)
    check(struct.unpack(">Q", status[8:16])[0] == 256, "GET LBA STATUS: %s" % status[:24].hex())
    too_many = struct.pack(">QII", 256, 1, 0) * (min(ranges, 4000) + 1)
    refused(s.command(bytes([0x42, 0, 0, 0, 0, 0, 0]) + struct.pack(">HB", 8 + len(too_many), 0),
                      out=struct.pack(">HHI", 6 + len(too_many), len(too_many), 0) + too_many), ILLEGAL, 0x26)
    s.log_out()


@case("windows-cluster", writes=True)
def _():
    """Persistent reservations, as the cluster service validates them."""
    one, two = clear(as_windows(1)), clear(as_windows(2))

    def pr_out(s, action, key=0, service=0, kind=0, flags=0):
        return s.command(bytes([0x5F, action, kind, 0, 0, 0, 0, 0, 24, 0]),
                         out=struct.pack(">QQIB", key, service, 0, flags) + bytes(3))

    def pr_in(s, action):
        return good(s.command(bytes([0x5E, action, 0, 0, 0, 0, 0, 0x20, 0, 0]), read=8192), 8)
    pr_out(one, 6, 0, 0)
    caps = pr_in(one, 2)
    check(caps[3] & 0x80, "no mask of types: %s" % caps.hex())
    for s, key in ((one, 0x1111), (two, 0x2222)):
        good(pr_out(s, 6, 0, key))  # register and ignore
    keys = pr_in(one, 0)
    check(len(keys) == 24 and {0x1111, 0x2222} == set(struct.unpack(">QQ", keys[8:24])), "keys: %s" % keys.hex())
    good(pr_out(one, 1, 0x1111, kind=5))  # reserve, write exclusive, registrants only
    check(pr_in(two, 1)[21] & 15 == 5, "no reservation is read")
    third = clear(as_windows(3))
    check(third.command(write10(600, 1), out=BLOCK).status == CONFLICT, "a stranger writes")
    good(third.command(read10(600, 1), read=512), 512)
    good(two.command(write10(600, 1), out=BLOCK))
    good(pr_out(two, 4, 0x2222, 0x1111, kind=5))  # preempt
    answer = one.command([0] * 6)
    refused(answer, ATTENTION, 0x2A, 5)  # registrations preempted
    check(pr_out(one, 1, 0x1111, kind=5).status == CONFLICT, "one who was preempted reserves")
    full = pr_in(two, 3)
    check(struct.unpack(">Q", full[8:16])[0] == 0x2222, "full status: %s" % full[:40].hex())
    good(pr_out(two, 3, 0x2222))  # clear
    check(len(pr_in(two, 0)) == 8, "keys are left")
    for s in (one, two, third):
        s.log_out()


@case("windows-gives-up-a-command")
def _():
    s = clear(as_windows())
    check(s.manage(1, ref=0x7777) in (1, 0), "ABORT TASK of none")  # task does not exist
    check(s.manage(5) == 0, "LOGICAL UNIT RESET")
    answer = s.command([0] * 6)
    check(answer.status == CHECK and answer.sense[:2] == (ATTENTION, 0x29), repr(answer))
    clear(s)
    check(s.manage(6) in (0, 255), "TARGET WARM RESET")
    clear(s)
    s.log_out()


# ---- ESXi

@case("esxi-finds-a-disk")
def _():
    s = initiator(1, "iqn.1998-01.com.vmware:esx1").log_in(("AuthMethod=None",), ESXI)
    good(s.command(inquiry(36), read=36), 36)
    good(s.command(report_luns(4096), read=4096), 16)
    ids = good(s.command(inquiry(255, 0x83), read=255), 8)
    kinds, at = [], 4
    while at < len(ids):
        kinds.append((ids[at + 1] >> 4 & 3, ids[at + 1] & 15))
        at += 4 + ids[at + 3]
    check((0, 3) in kinds, "no NAA of the disk: %s" % kinds)
    good(s.command(inquiry(255, 0x86), read=255), 64)
    clear(s)
    good(s.command(mode6(0x3F, 255), read=255), 4)
    good(s.command(capacity16(), read=32), 32)
    good(s.command(bytes([0xA3, 0x0A, 0, 0, 0, 0]) + struct.pack(">IBB", 512, 0, 0), read=512), 8)
    for lun in (1, 2, 255):
        other = bytes([0, lun]) + bytes(6)
        data = good(s.command(inquiry(36), read=36, lun=other), 36)
        check(data[0] in (0x7F, 0x3F, 0x20), "LUN %d is there: %02x" % (lun, data[0]))
        refused(s.command([0] * 6, lun=other), ILLEGAL, 0x25)
    s.log_out()


@case("esxi-locks-by-compare-and-write", writes=True)
def _():
    one, two = clear(initiator(1).log_in((), ESXI)), clear(initiator(2).log_in((), ESXI))
    old, new = bytes(512), BLOCK
    good(one.command(write10(700, 1), out=old))

    def swap(s, was, becomes):
        return s.command(bytes([0x89, 0]) + struct.pack(">QBBBB", 700, 0, 0, 0, 1) + bytes(2), out=was + becomes)
    good(swap(one, old, new))
    refused(swap(two, old, new), MISCOMPARE, 0x1D)
    check(good(two.command(read10(700, 1), read=512)) == new, "the lock has other bytes")
    good(swap(two, new, old))
    answer = swap(one, bytes(99) + b"\1" + bytes(412), new)
    refused(answer, MISCOMPARE, 0x1D)
    check(answer.raw[0] & 0x80 and struct.unpack(">I", answer.raw[3:7])[0] == 99, "where: %s" % answer.raw.hex())
    one.log_out()
    two.log_out()


@case("esxi-zeroes", writes=True)
def _():
    s = clear(initiator(1).log_in((), ESXI))
    good(s.command(write10(704, 16), out=BLOCK * 16))
    good(s.command(bytes([0x93, 0]) + struct.pack(">QIBB", 704, 8, 0, 0), out=bytes(512)))
    check(good(s.command(read10(704, 16), read=8192)) == bytes(4096) + BLOCK * 8, "WRITE SAME(16)")
    good(s.command(bytes([0x41, 0]) + struct.pack(">IBHB", 712, 0, 8, 0), out=bytes(512)))
    check(good(s.command(read10(704, 16), read=8192)) == bytes(8192), "WRITE SAME(10)")
    s.log_out()


@case("esxi-reserves", writes=True)
def _():
    one, two = clear(initiator(1).log_in((), ESXI)), clear(initiator(2).log_in((), ESXI))
    good(one.command([0x16] + [0] * 5))
    check(two.command(read10(0, 1), read=512).status == CONFLICT, "another reads what is reserved")
    good(two.command(inquiry(36), read=36), 36)
    good(two.command([0x17] + [0] * 5))  # a release by another does nothing
    check(two.command(write10(700, 1), out=BLOCK).status == CONFLICT, "another writes what is reserved")
    check(two.manage(5) == 0, "LOGICAL UNIT RESET ends it")
    clear(two)
    good(two.command(read10(0, 1), read=512), 512)
    clear(one)
    good(one.command([0x16] + [0] * 5))
    one.log_out()  # and so does the end of the session
    good(two.command(read10(0, 1), read=512), 512)
    two.log_out()


def copy_list(ids, segments, list_id, usage=0):
    """Of EXTENDED COPY: each segment is (blocks, from, to), of the one disk with this NAA identifier."""
    target = struct.pack(">BBHBBBB", 0xE4, 0, 0, 1, 3, 0, 8) + ids + bytes(12) + struct.pack(">I", 512)
    parts = b"".join(struct.pack(">BBHHHHHQQ", 2, 0, 0x18, 0, 0, 0, n, a, b) for n, a, b in segments)
    return struct.pack(">BBHIII", list_id, usage << 3, len(target), 0, len(parts), 0) + target + parts


def extended_copy(data):
    return bytes([0x83] + [0] * 9) + struct.pack(">IBB", len(data), 0, 0)


def copy_results(action, list_id=0):
    return bytes([0x84, action, list_id] + [0] * 7) + struct.pack(">IBB", 255, 0, 0)


@case("esxi-clones", writes=True)
def _():
    one, two = clear(initiator(1).log_in((), ESXI)), clear(initiator(2).log_in((), ESXI))
    check(good(one.command(inquiry(96), read=96))[5] & 8, "3PC says that there is no copy manager")
    limits = good(one.command(copy_results(3), read=255), 44)
    check(struct.unpack(">I", limits[16:20])[0] >= 4 << 20, "a segment cannot have the 4 MiB that ESXi copies")
    ids = good(one.command(inquiry(255, 0x83), read=255), 16)[8:16]
    good(one.command(write10(720, 16), out=BLOCK * 16))
    good(one.command(write10(736, 32), out=bytes(512 * 32)))
    data = copy_list(ids, [(16, 720, 736), (8, 720, 752)], 7)
    good(one.command(extended_copy(data), out=data))
    check(good(two.command(read10(736, 32), read=16384)) == BLOCK * 24 + bytes(512 * 8), "what was copied")
    status = good(one.command(copy_results(0, 7), read=255), 12)
    check(status[4] == 1 and struct.unpack(">HBI", status[5:12]) == (2, 1, 12), "its results: %s" % status.hex())
    refused(one.command(copy_results(0, 7), read=255), ILLEGAL, 0x24)  # they are told once
    data = copy_list(bytes(8), [(1, 720, 736)], 8)
    answer = one.command(extended_copy(data), out=data)
    check(answer.sense and answer.sense[0] == 0x0A, "from a disk that there is not: %r" % answer)
    good(two.command([0x16] + [0] * 5))
    data = copy_list(ids, [(1, 720, 760)], 9)
    check(one.command(extended_copy(data), out=data).status == CONFLICT, "it copies what another has reserved")
    good(two.command([0x17] + [0] * 5))
    one.log_out()
    two.log_out()


@case("another-is-served-while-one-copies", writes=True)
def _():
    one, two = clear(initiator(1).log_in((), ESXI)), clear(initiator(2).log_in((), ESXI))
    ids = good(one.command(inquiry(255, 0x83), read=255), 16)[8:16]
    data = copy_list(ids, [(512, 0, 512)] * 64, 0, 3)  # 16 MiB in all
    bhs = one.request(0x01, 0x80 | 0x20 | 1)
    bhs[20:24], bhs[32:48] = struct.pack(">I", len(data)), extended_copy(data).ljust(16, b"\0")
    one.send(bhs)
    served = 0
    while not served or not select.select([one.sock], [], [], 0)[0]:
        if not served:
            r2t, _ = one.receive()
            check(r2t[0] == 0x31, "no R2T")
            one.give(r2t, bytes(8), data)
        good(two.command(read10(0, 8), read=4096), 4096)
        served += 1
    check(one.finish(bytes(bhs[16:20]), bytes(8), data, 0).status == GOOD, "the copy")
    first, second = (good(two.command(read10(at, 512), read=512 * 512)) for at in (0, 512))
    check(first == second, "what was copied")
    one.log_out()
    two.log_out()


@case("windows-asks-for-a-token")
def _():
    s = clear(as_windows())  # offloaded data transfer, which needs tokens: there are none
    refused(s.command(bytes([0x83, 0x10] + [0] * 8) + struct.pack(">IBB", 32, 0, 0), out=bytes(32)), ILLEGAL, 0x24)
    refused(s.command(bytes([0x84, 0x07] + [0] * 8) + struct.pack(">IBB", 512, 0, 0), read=512), ILLEGAL, 0x24)
    s.log_out()


@case("a-target-is-reset-cold", writes=True)
def _():
    one, two = clear(as_windows()), clear(initiator(2).log_in())
    check(one.manage(7) == 0, "TARGET COLD RESET")
    for s in (one, two):  # RFC 7143 11.5.1: all sessions end
        try:
            s.receive()
            check(False, "a session goes on after a cold reset")
        except (Closed, ConnectionError):
            pass
    again = initiator(2).log_in()
    refused(again.command([0] * 6), ATTENTION, 0x29, 0x01)
    good(again.command([0] * 6))
    again.log_out()


# ---- Linux

@case("linux-finds-a-disk")
def _():
    s = initiator(1).log_in((), LINUX)
    good(s.command(inquiry(36), read=36), 36)
    good(s.command(report_luns(4104), read=4104), 16)
    for page, length in ((0, 4), (0, 255), (0x80, 255), (0x83, 255), (0x89, 255), (0xB0, 64), (0xB1, 64), (0xB2, 64)):
        if page in pages_of(s) or page == 0:
            got = good(s.command(inquiry(length, page), read=length), 4)
            check(struct.unpack(">H", got[2:4])[0] + 4 >= len(got), "page %02x: its length" % page)
    clear(s)
    good(s.command(capacity16(), read=32), 32)
    head = good(s.command(mode6(0x3F, 4), read=4), 4)
    check(head[0] >= 3, "MODE SENSE of 4 bytes: %s" % head.hex())
    good(s.command(mode6(0x08, 4, flags=8), read=4), 4)
    good(s.command(mode6(0x08, 24, flags=8), read=24), 24)
    answer = s.command(mode6(0x0A, 64, subpage=5), read=64)  # IO hints
    check(answer.status == GOOD or answer.sense == (ILLEGAL, 0x24, 0), repr(answer))
    answer = s.command(bytes([0x5A, 8, 0x0A, 7, 0, 0, 0, 1, 0, 0]), read=256)  # command duration limits
    check(answer.status == GOOD or answer.sense == (ILLEGAL, 0x24, 0), repr(answer))
    good(s.command(opcodes(1, 0x93), read=512), 4)
    s.log_out()


@case("linux-writes-in-bursts", writes=True)
def _():
    s = clear(initiator(1).log_in((), LINUX))
    data = BLOCK * 1536  # more than a burst
    for unsolicited in (0, 512, 65536):
        good(s.command(long_cdb(0x8A, 0, 1024), out=data[:1024 * 512][::-1],
                       unsolicited=min(unsolicited, s.number("MaxRecvDataSegmentLength", "8192"))))
        good(s.command([0x91] + [0] * 15))
        check(good(s.command(long_cdb(0x88, 0, 1024), read=524288)) == data[:1024 * 512][::-1], "other bytes")
    s.log_out()


@case("linux-shuts-down", writes=True)
def _():
    """It stops the disk; who comes next finds it running."""
    s = clear(initiator(1).log_in((), LINUX))
    good(s.command([0x35] + [0] * 9))
    good(s.command([0x1B, 0, 0, 0, 0, 0]))
    refused(s.command(read10(0, 1), read=512), 2, 0x04, 2)
    s.log_out()
    s = initiator(1).log_in((), LINUX)
    clear(s)
    good(s.command(read10(0, 1), read=512), 512)
    s.log_out()


# ---- FreeBSD, macOS

@case("freebsd-finds-a-disk")
def _():
    s = initiator(1).log_in(("AuthMethod=None",), FREEBSD)
    good(s.command(report_luns(16), read=16), 16)
    first = good(s.command(inquiry(36), read=36), 36)
    good(s.command(inquiry(first[4] + 5), read=first[4] + 5), 36)
    for page in pages_of(s):
        good(s.command(inquiry(255, page), read=255), 4)
    clear(s)
    good(s.command(capacity16(), read=32), 32)
    good(s.command(mode10(0x3F, 255), read=255), 8)
    good(s.command(mode6(0x0A, 255), read=255), 4)
    answer = s.command(bytes([0x4D, 0, 0x4C, 0, 0, 0, 0, 2, 0, 0]), read=512)  # logical block provisioning
    check(answer.status == GOOD or answer.sense == (ILLEGAL, 0x24, 0), repr(answer))
    good(s.command(opcodes(0, length=16384), read=16384), 12)
    good(s.command([0x35] + [0] * 9))
    s.log_out()


@case("macos-finds-a-disk")
def _():
    s = initiator(1).log_in(("AuthMethod=None,CHAP",), MACOS)
    good(s.command(inquiry(6), read=6), 6)
    good(s.command(inquiry(36), read=36), 36)
    good(s.command(inquiry(255, 0x80), read=255), 4)
    clear(s)
    good(s.command([0x1B, 0, 0, 0, 1, 0]))
    good(s.command([0x25] + [0] * 9, read=8), 8)
    good(s.command(mode6(0x3F, 255), read=255), 4)
    good(s.command(mode6(0x00, 4), read=4), 4)
    good(s.command(bytes([0xA8, 0]) + struct.pack(">IIBB", 0, 8, 0, 0), read=4096), 4096)
    answer = s.command([0x1E, 0, 0, 0, 1, 0])
    check(answer.status == GOOD or answer.sense == (ILLEGAL, 0x20, 0), repr(answer))
    if answer.status == GOOD:
        good(s.command([0x1E, 0, 0, 0, 0, 0]))
    s.log_out()


# ---- firmware

@case("edk2-boots")
def _():
    s = initiator(1).log_in(("AuthMethod=None",), EDK2)
    good(s.command(report_luns(512), read=512), 16)
    good(s.command(inquiry(255), read=255), 36)
    good(s.command(inquiry(255, 0), read=255), 5)
    good(s.command(inquiry(64, 0xB0), read=64), 64)
    clear(s)
    good(s.command([0x25] + [0] * 9, read=8), 8)
    good(s.command(capacity16(), read=32), 32)
    good(s.command(mode10(0x3F, 255), read=255), 8)
    for lba, blocks in ((0, 1), (1, 1), (2, 32), (2048, 128), (4096, 2048)):
        good(s.command(read10(lba, blocks), read=blocks * 512), blocks * 512)
    s.log_out()


@case("ipxe-boots")
def _():
    s = initiator(1).log_in(("AuthMethod=CHAP,None",), IPXE)
    clear(s)
    good(s.command([0x25] + [0] * 9, read=8), 8)
    good(s.command(capacity16(), read=32), 32)
    for lba in range(0, 512, 128):
        good(s.command(long_cdb(0x88, lba, 128), read=65536), 65536)
    s.sock.close()  # it never logs out
    again = initiator(1).log_in(("AuthMethod=CHAP,None",), IPXE)
    clear(again)
    again.log_out()


# ---- what anybody may send

@case("residuals")
def _():
    s = clear(as_windows())
    answer = s.command(inquiry(36), read=255, edtl=255)
    check(len(good(answer)) == 36 and answer.flags & 2 and answer.residual == 219, "underflow: %r" % answer)
    answer = s.command(read10(0, 8), read=512, edtl=512)
    check(answer.flags & 4 and answer.residual == 3584, "overflow: %r" % answer)
    answer = s.command(read10(0, 0), read=0)
    good(answer)
    refused(s.command(long_cdb(0x88, 1 << 50, 1), read=512), ILLEGAL, 0x21)
    refused(s.command(read10(0, 1, 0x20), read=512), ILLEGAL, 0x24)  # protection information
    s.log_out()


@case("immediate-and-ordered-commands")
def _():
    s = clear(as_windows())
    for attribute in (0, 1, 2, 3):
        good(s.command(read10(0, 8), read=4096, attribute=attribute), 4096)
    good(s.command([0] * 6, immediate=True))
    good(s.command(read10(0, 8), read=4096, immediate=True), 4096)
    s.log_out()


@case("luns-in-other-formats")
def _():
    s = clear(as_windows())
    good(s.command([0] * 6, lun=b"\x40\0" + bytes(6)))  # flat space
    good(s.command(report_luns(64), read=64, lun=b"\xc1\1" + bytes(6)), 16)  # the well-known LUN
    refused(s.command([0] * 6, lun=b"\0\0\0\1" + bytes(4)), ILLEGAL, 0x25)
    s.log_out()


@case("many-commands-in-flight")
def _():
    s = clear(as_windows())
    tags = {}
    for number in range(min(s.window, 32)):
        bhs = s.request(0x01, 0x80 | 0x40 | 1)
        bhs[20:24], bhs[32:48] = struct.pack(">I", 4096), read10(8 * number, 8).ljust(16, b"\0")
        s.send(bhs)
        tags[bytes(bhs[16:20])] = number
    while tags:
        bhs, data = s.receive()
        if bhs[0] & 0x3F == 0x25 and not bhs[1] & 1:
            continue
        check(bhs[3] == GOOD, "status %02x" % bhs[3])
        del tags[bhs[16:20]]
    s.log_out()


@case("old-connection-is-left-in-the-middle", writes=True)
def _():
    s = clear(as_windows())
    bhs = s.request(0x01, 0x80 | 0x20 | 1)
    bhs[20:24], bhs[32:48] = struct.pack(">I", 65536), write10(800, 128).ljust(16, b"\0")
    s.send(bhs)
    s.receive()  # R2T
    s.sock.close()
    again = clear(as_windows())
    good(again.command(write10(800, 128), out=BLOCK * 128))
    again.log_out()


@case("less-data-than-was-asked-for", writes=True)
def _():
    s = clear(as_windows())
    bhs = s.request(0x01, 0x80 | 0x20 | 1)
    bhs[20:24], bhs[32:48] = struct.pack(">I", 4096), write10(816, 8).ljust(16, b"\0")
    s.send(bhs)
    r2t, _ = s.receive()
    check(r2t[0] == 0x31, "no R2T")
    r2t = bytearray(r2t)
    r2t[44:48] = struct.pack(">I", 1024)  # it gives a quarter, and calls it the end
    s.give(r2t, bytes(8), BLOCK * 8)
    bhs, data = s.receive()
    check(bhs[0] & 0x3F == 0x21 and bhs[3] == CHECK, "it waits, or takes it: %s" % bhs.hex())
    clear(s)
    s.log_out()


@case("a-second-connection")
def _():
    s = clear(as_windows())
    other = initiator(1, s.name)
    other.tsih = s.tsih
    status, _, _ = other.login_pdu(0, 1, True, b"".join(x.encode() + b"\0" for x in other.names()))
    check(status == 0x0206, "status %04x where too many connections is right" % status)
    lost = initiator(3, s.name)
    lost.tsih = 0x7777
    status, _, _ = lost.login_pdu(0, 1, True, b"".join(x.encode() + b"\0" for x in lost.names()))
    check(status in (0x020A, 0x0206), "status %04x for a session that there is not" % status)
    clear(s)
    s.log_out()


@case("unknown-target-and-no-name")
def _():
    s = initiator()
    s.target += "-that-is-not-there"
    status, _, _ = s.login_pdu(0, 1, True, b"".join(x.encode() + b"\0" for x in s.names() + ["AuthMethod=None"]))
    check(status == 0x0203, "status %04x where not found is right" % status)
    s = initiator()
    status, _, _ = s.login_pdu(0, 1, True, b"SessionType=Normal\0")
    check(status == 0x0207, "status %04x where a missing parameter is right" % status)


@case("text-in-full-feature-phase")
def _():
    s = clear(as_windows())
    got = s.text(["X-org.example.mood=good"])
    check(got == ["X-org.example.mood=NotUnderstood"], "a private key: %s" % got)
    got = s.text(["SendTargets="])  # this session's own target
    check(got[:1] == ["TargetName=" + ARGS.target], "SendTargets of nothing: %s" % got)
    clear(s)
    s.log_out()


@case("task-management")
def _():
    s = clear(as_windows())
    for function, right in ((2, (0,)), (4, (0,)), (3, (0, 5)), (8, (4, 5, 1)), (14, (5, 255))):
        got = s.manage(function)
        check(got in right, "function %d: %d" % (function, got))
    check(s.manage(5, lun=b"\0\x63" + bytes(6)) == 2, "a reset of a LUN that there is not")
    clear(s)
    check(s.manage(1, ref=0x4444, immediate=False) == 1, "ABORT TASK, not immediate")
    clear(s)
    s.log_out()


@case("what-is-no-request")
def _():
    s = clear(as_windows())
    snack = s.request(0x10, 0x80, immediate=True)
    s.send(snack)
    bhs, _ = s.receive()
    check(bhs[0] & 0x3F == 0x3F, "a SNACK without recovery is answered by %02x" % bhs[0])
    again = clear(as_windows())  # the session is over: it has no recovery
    check(again.log_out(reason=2) in (1, 2), "a logout for recovery is taken")


@case("numbers-wrap")
def _():
    s = initiator(1, "iqn.1991-05.com.microsoft:win-1")
    s.cmd_sn = s.exp_cmd_sn = 0xFFFFFFFE
    clear(s.log_in(("AuthMethod=None",), WINDOWS))
    for _ in range(6):
        good(s.command(read10(0, 8), read=4096), 4096)
    s.log_out()


@case("chap", chap=True)
def _():
    name, secret = ARGS.chap.split(":", 1)
    for algorithms in ("5", "7,6,5"):
        s = initiator(1)
        s.chap(name, secret, algorithms)
        s.stage(1, 3, True, WINDOWS)
        check_session(s)
    s = initiator(1)
    try:
        s.chap(name, "not-" + secret)
        raise AssertionError("a wrong secret is taken")
    except AssertionError as e:
        check("0201" in str(e), str(e))
    s = initiator(1)
    status, _, _ = s.login_pdu(0, 1, True, b"\0".join(x.encode() for x in s.names() + ["AuthMethod=None"]) + b"\0")
    check(status in (0x0201, 0x0202), "without CHAP: %04x" % status)


@case("read-only-disk")
def _():
    s = clear(as_windows())
    if not ARGS.read_only:
        check(not good(s.command(mode6(0x3F), read=192))[2] & 0x80, "it says that it is write protected")
        s.log_out()
        return
    check(good(s.command(mode6(0x3F), read=192))[2] & 0x80, "it does not say that it is write protected")
    refused(s.command(write10(0, 1), out=BLOCK), PROTECT, 0x27)
    refused(s.command(bytes([0x93, 0]) + struct.pack(">QIBB", 0, 8, 0, 0), out=bytes(512)), PROTECT, 0x27)
    good(s.command([0x35] + [0] * 9))
    good(s.command(read10(0, 1), read=512), 512)
    s.log_out()


def own_cases():
    """(name, what runs it) of what is wanted."""
    for name, writes, chap, run in CASES:
        if not (writes and ARGS.read_only or chap != bool(ARGS.chap) or ARGS.any_block) or ARGS.list:
            yield name, run
    for name, writes, run in odd_pdus.CASES:
        if not (writes and ARGS.read_only or ARGS.chap) or ARGS.list:
            yield name, lambda run=run: run(initiator)
    for name, run in odd_chap.CASES:
        if ARGS.chap or ARGS.list:
            yield name, lambda run=run: run(initiator, *ARGS.chap.split(":", 1))


def results():
    """(name, what is wrong, or None) of each case."""
    for name, run in own_cases():
        if ARGS.names and name not in ARGS.names:
            continue
        try:
            run()
            yield name, None
        except Exception as e:  # one case's trouble is not the others'
            frames = traceback.extract_tb(e.__traceback__)
            yield name, "%s%s (line %d)" % (type(e).__name__, ": " + str(e) if str(e) else "",
                                             frames[min(len(frames), 3) - 1].lineno)
    if not ARGS.names and not ARGS.chap:
        kinds = ("login", "scsi", "scsi-shared" if ARGS.read_only else "scsi-writes")
        yield from odd_table.check_rows(kinds, initiator)


def main():
    global ARGS
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3260)
    parser.add_argument("--target")
    parser.add_argument("--chap")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--any-block", action="store_true")
    parser.add_argument("names", nargs="*")
    ARGS = parser.parse_args()
    failed = 0
    if ARGS.list:
        print("\n".join([name for name, _ in own_cases()] + ["%s: %s" % (r[1], r[2]) for r in odd_table.rows()]))
        return 0
    for name, problem in results():
        failed += problem is not None
        print("ok - " + name if problem is None else "not ok - %s: %s" % (name, problem), flush=True)
    return 1 if failed else 0


sys.exit(main())
