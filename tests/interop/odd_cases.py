"""The cases of odd-target.py: a line of what is odd, with where it was met, and what it replaces in the target."""
import struct
import time

from odd_target import (ACA, BUSY, CHECK, CONFLICT, FULL, GOOD, IQN, Answer, Disk, check, say, sense)

CASES = {}
FOR_EVER = 1e9


def here(t):
    return t.args.listen[0]


def refuse(conn, bhs, status):
    conn.reply(bhs, b"", bhs[1] & 0x0C, status)
    conn.close()
    return True


def for_a_while(seconds, answer, ops=None):
    """A hook: that answer to these commands, or to all but INQUIRY and REPORT LUNS."""
    until = time.time() + seconds

    def hook(conn, lun, cdb, edtl):
        if time.time() < until and (cdb[0] in ops if ops else cdb[0] not in (0x12, 0xA0)):
            return answer()
    return hook


def change_first_read(t, change):
    """The answer to the first read of the disk goes through change(answer) before it is sent."""
    left = [1]

    def hook(conn, lun, cdb, edtl):
        if cdb[0] in (0x28, 0x88) and left[0]:
            left[0] = 0
            got = t.disk().plain(conn, lun, cdb, edtl)
            change(got)
            return got
    t.disk().hook = hook


def case(name, what):
    def add(fn):
        CASES[name] = (fn, what)
        return fn
    return add


@case("plain", "nothing odd")
def _(t):
    pass


# ---- login keys


@case("keys-reversed", "the keys of each answer in reverse order; RFC 7143 6.1 names no order")
def _(t):
    t.order = "reversed"


@case("key-twice", "one key twice in an answer, with the same value (u-root/iscsinl#12)")
def _(t):
    t.keys["MaxBurstLength"] = ["262144", "262144"]


@case("not-understood", "NotUnderstood for keys of the RFC (u-root/iscsinl#12, a target of RHEL 8)")
def _(t):
    t.keys.update({"MaxOutstandingR2T": "NotUnderstood", "DataSequenceInOrder": "NotUnderstood"})


@case("irrelevant", "Irrelevant where another key decides, ImmediateData=No (LIO, ipxe 785389c2b)")
def _(t):
    t.keys.update({"FirstBurstLength": "Irrelevant", "ImmediateData": "No", "MaxConnections": "Irrelevant"})
    t.immediate = False


@case("digest-reject",
      "HeaderDigest and DataDigest are rejected, and then nothing is answered (ipxe bd718b211, stgt)")
def _(t):
    t.keys.update({"HeaderDigest": "Reject", "DataDigest": "Reject"})
    t.on_command = lambda conn, bhs, data: True
    t.on_nop_out = lambda conn, bhs, data: True


@case("no-tpgt", "no TargetPortalGroupTag (TalAloni/iSCSIConsole#1)")
def _(t):
    t.tpgt = None


@case("tpgt-minus", "TargetPortalGroupTag=-1, in the login and in SendTargets (openebs-archive/jiva#28)")
def _(t):
    t.tpgt = "-1"
    t.send_targets = ["TargetName=" + IQN, "TargetAddress=%s,-1" % here(t)]


@case("mrdsl-512", "MaxRecvDataSegmentLength is the least that there is")
def _(t):
    t.mrdsl = 512


@case("mrdsl-0", "MaxRecvDataSegmentLength=0 (open-iscsi bfb0624)")
def _(t):
    t.keys["MaxRecvDataSegmentLength"] = "0"


@case("mrdsl-16m", "MaxRecvDataSegmentLength=16777216, one more than the largest (open-iscsi#6)")
def _(t):
    t.keys["MaxRecvDataSegmentLength"] = "16777216"


@case("mrdsl-none", "MaxRecvDataSegmentLength is not said (openebs-archive/gotgt#7)")
def _(t):
    t.keys["MaxRecvDataSegmentLength"] = None


@case("max-burst-own",
      "the answers are the target's own larger MaxBurstLength and FirstBurstLength (HP-UX guide, message 15)")
def _(t):
    t.keys.update({"MaxBurstLength": "16777215", "FirstBurstLength": "16777215"})


@case("erl-own", "ErrorRecoveryLevel=2 as an answer to 0")
def _(t):
    t.keys["ErrorRecoveryLevel"] = "2"


@case("order-no", "DataPDUInOrder=No and DataSequenceInOrder=No as answers to Yes")
def _(t):
    t.keys.update({"DataPDUInOrder": "No", "DataSequenceInOrder": "No"})


@case("lower-case", "yes and none in small letters")
def _(t):
    t.keys.update({"InitialR2T": "yes", "ImmediateData": "yes", "HeaderDigest": "none", "DataDigest": "none"})


@case("split", "answers in parts of 40 bytes")
def _(t):
    t.split = 40


@case("split-1", "answers in parts of 24 bytes, more than 16 exchanges")
def _(t):
    t.split = 24


@case("offers", "the target offers keys of its own and waits for answers (LIO, ipxe 785389c2b, iscsinl#12)")
def _(t):
    t.state["extra_holds"] = True
    t.extra = ["TaskReporting=RFC3720,ResponseFence", "iSCSIProtocolLevel=2", "X-com.example.odd=1",
               "RDMAExtensions=Yes", "OFMarkInt=2048~8192"]


@case("csg-lie", "the answer to a request of stage 1 has stage 0")
def _(t):
    t.csg_lie = 0


@case("extra-nul", "NULs between and behind the pairs")
def _(t):
    t.extra = ["\0\0\0\0", "TargetAlias=odd\0\0"]


@case("initial-r2t-no-immediate-no", "InitialR2T=No with ImmediateData=No, FirstBurstLength=512")
def _(t):
    t.initial_r2t, t.immediate, t.first_burst = False, False, 512


@case("r2t-512", "each R2T asks for 512 bytes")
def _(t):
    t.initial_r2t, t.immediate, t.r2t_len = True, False, 512


@case("mb-512", "MaxBurstLength and FirstBurstLength are 512")
def _(t):
    t.max_burst = t.first_burst = 512


# ---- CHAP


def chap(t, **more):
    t.chap = dict(name="boot", secret=b"boot-secret-0123", **more)


def chap_case(name, what, **more):
    def setup(t):
        chap(t, **more)
        if name == "chap-busy":
            def on(conn, bhs, data):
                if b"CHAP_R=" in data and t.state.setdefault("n", 0) < 2:
                    t.state["n"] += 1
                    conn.reply(bhs, b"", 0, 0x0302)
                    conn.close()
                    return True
            t.on_login_request = on
    CASES[name] = (setup, what)


for name, what, more in [
        ("chap-plain", "CHAP, nothing odd", {}),
        ("chap-1", "a challenge of one byte", dict(len=1)),
        ("chap-1024", "a challenge of 1024 bytes (libiscsi#189, #196, FreeNAS)", dict(len=1024)),
        ("chap-upper", "hexadecimal digits in capitals", dict(coding="Hex")),
        ("chap-0X", "hexadecimal numbers with 0X", dict(coding="HEX")),
        ("chap-base64", "a challenge in base64 (ipxe 8a16fd05d)", dict(coding="base64")),
        ("chap-base64-nopad", "base64 without padding", dict(coding="base64nopad")),
        ("chap-0B", "base64 with 0B", dict(coding="BASE64")),
        ("chap-ident-hex", "CHAP_I in hexadecimal (libiscsi#473)", dict(ident=0xA5, ident_text="0xA5")),
        ("chap-md5-only-first", "a list of algorithms is refused with 0201 unless it begins with MD5 "
         "(open-iscsi#180, Synology; Linux before 3.15)", dict(only_first=True)),
        ("chap-md5-only-first-0200", "the same with status 0200", dict(only_first=True, alg_status=0x0200)),
        ("chap-name-early", "CHAP_N of the target comes with its challenge", dict(more=["CHAP_N=storage"])),
        ("chap-name-late", "CHAP_N of the target comes though it was not asked to prove itself",
         dict(always_n="storage")),
        ("chap-reversed", "CHAP_C before CHAP_I before CHAP_A", dict(reverse=True)),
        ("chap-busy", "status 0302 after a correct response, twice (open-iscsi#190)", dict()),
        ("chap-mutual-upper", "the target's response in capitals",
         dict(target_secret=b"disk-secret-4567", upper_r=True)),
        ("chap-mutual-0x", "the target's name begins with 0x (libiscsi#472)",
         dict(target_secret=b"disk-secret-4567", target_name="0xdisk")),
        ("chap-mutual-space", "the target's name has blanks",
         dict(target_secret=b"disk-secret-4567", target_name="my disk 1")),
        ("chap-method-none", "AuthMethod=None where CHAP was offered", dict(method="None")),
]:
    chap_case(name, what, **more)


# ---- redirects and statuses


def there(t):
    return t.args.other or here(t)


@case("redirect-tpgt",
      "0101 to ADDRESS:PORT,2, where the tag is 2 (EqualLogic; ipxe 428c6342b, libiscsi#19, open-iscsi#179)")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s,2" % there(t))]
    t.tpgt = "2"


@case("redirect-v6", "0101 to [IPv6]:PORT,1")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=[%s]:3260,1" % t.args.address6)]


@case("redirect-v6-bare", "0101 to an IPv6 address without brackets")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s" % t.args.address6)]


@case("redirect-host", "0102 to a host name")
def _(t):
    t.redirects = [(0x0102, "TargetAddress=storage.test:3260,1")]


@case("redirect-noport", "0101 to an address alone")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s" % there(t).rsplit(":", 1)[0])]


@case("redirect-dead", "0101 to a member that is down, next time to one that is up (ipxe 55f7a675d)")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s:3260,1" % t.args.dead)]


@case("redirect-refused-once", "0101 to a port where nothing listens, next time to the right one")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s:3999,1" % here(t).rsplit(":", 1)[0])]


@case("redirect-name", "the redirect names another target, too (libiscsi#461)")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s,1" % there(t), "TargetName=iqn.2026-11.test:odd-node2")]

    def on(conn, bhs, data):
        if t.logins >= 1 and b"TargetName=iqn.2026-11.test:odd\0" in data and t.state.setdefault("n", 0) < 9:
            t.state["n"] += 1
            conn.reply(bhs, b"", bhs[1] & 0x0C, 0x0203)
            conn.close()
            return True
    t.on_login_request = lambda c, b, d: on(c, b, d) if not t.redirects else None


@case("redirect-zero", "0101 to 0.0.0.0")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=0.0.0.0:3260,1")]


@case("redirect-0103", "status class 1 with a detail that no RFC has")
def _(t):
    t.redirects = [(0x0103, "TargetAddress=%s,1" % there(t))]


@case("redirect-later", "a logout is asked for, and the next login is redirected (spdk#1571)")
def _(t):
    t.state["cmds"] = 0

    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1:
            t.state["cmds"] += 1
            if t.state["cmds"] == 3:
                t.redirects = [(0x0101, "TargetAddress=%s,1" % there(t))]
                conn.async_event(1, p3=5)
    t.on_command = on


@case("status-0301", "0301 three times")
def _(t):
    t.statuses = [0x0301] * 3


@case("status-0302", "0302 three times (open-iscsi#190)")
def _(t):
    t.statuses = [0x0302] * 3


@case("status-0300", "0300 once")
def _(t):
    t.statuses = [0x0300]


@case("status-0203-while-starting", "the portal listens, and the target is not there yet: 0203 for 6 s (spdk#1676)")
def _(t):
    until = time.time() + 6

    def on(conn, bhs, data):
        if time.time() < until:
            conn.reply(bhs, b"", bhs[1] & 0x0C, 0x0203)
            conn.close()
            return True
    t.on_login_request = on


@case("lun-while-starting", "logins work, and the LUN is not there yet: PQ 3 for 6 s (truenas/middleware#13896)")
def _(t):
    until = time.time() + 6
    real = dict(t.luns)
    t.luns_to = lambda conn, lun: real.get(bytes(lun)) if time.time() > until else None


@case("status-0206", "0206 for ever")
def _(t):
    t.statuses = [0x0206] * 99


@case("old-session-stays", "0300 for 5 s, while an old session is there (ipxe 5f4ab0d22, Microsoft)")
def _(t):
    until = time.time() + 5
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0300) if time.time() < until else None


# ---- connection


@case("close-at-once", "connections are closed at once (tgt's initiator-address, democratic-csi#96)")
def _(t):
    t.on_accept = lambda conn: conn.close()


@case("rst-at-once", "the same with RST")
def _(t):
    t.on_accept = lambda conn: conn.close(True)


@case("close-after-login-request", "connections are closed when the login request came (ctld, libiscsi#196)")
def _(t):
    t.on_login_request = lambda c, b, d: (c.close(), True)[1]


@case("close-after-login", "connections are closed after each login")
def _(t):
    t.on_full = lambda conn: conn.close() if not conn.discovery else None


@case("close-after-login-once", "the first connection is closed after its login")
def _(t):
    t.on_full = lambda conn: conn.close() if conn.number == 1 else None


@case("rst-mid-pdu", "RST within a Data-In, once")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if conn.number == 1 and edtl > 4096:
            out = bytearray(48)
            out[0], out[1] = 0x25, 0x80
            out[5:8] = struct.pack(">I", 8192)[1:]
            out[16:20] = struct.pack(">I", itt)
            out[20:24] = b"\xff" * 4
            out[24:36] = conn.numbers(False)
            conn.raw(bytes(out) + a.data[:3000])
            conn.close(True)
            return True
    t.data_in = data_in


@case("silent", "connections are accepted, and nothing is said")
def _(t):
    t.on_login_request = lambda c, b, d: True


@case("silent-after-login", "nothing is answered after the login")
def _(t):
    t.on_command = lambda conn, bhs, data: True
    t.on_nop_out = lambda conn, bhs, data: True


# ---- numbers


@case("statsn-skip", "a ping of the target counts in StatSN (libiscsi 4e129d3, 6aa4769)")
def _(t):
    def on(conn, bhs, data):
        if conn.commands == 12:
            conn.nop_in(ttt=5, advance=True)
    t.on_command = on


@case("statsn-same", "StatSN does not count the status in a Data-In")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if len(a.data) == edtl:
            conn.send_data_in(itt, a.data, True)
            conn.stat_sn -= 1
            return True
    t.data_in = data_in


@case("statsn-wrap", "StatSN begins at 0xfffffff8 (libiscsi 395ca12)")
def _(t):
    t.stat_start = 0xFFFFFFF8


@case("statsn-wrap-half", "StatSN begins at 0x7ffffff8")
def _(t):
    t.stat_start = 0x7FFFFFF8


@case("window-1", "one command at a time by MaxCmdSN")
def _(t):
    t.window = 1


@case("window-0-5s", "no command at all for 5 s (libiscsi 7fd58ec)")
def _(t):
    t.window = 0

    def on(conn):
        def open_it():
            conn.window = 16
            conn.nop_in()
        t.at(5, open_it)
    t.on_full = on


@case("window-pure", "a window of one in discovery, too (iSCSIInitiator#85, Pure)")
def _(t):
    t.window = 1


@case("nop-in-ttt", "pings of the target with data and a LUN during reads (libiscsi 2858cb5)")
def _(t):
    def on(conn, bhs, data):
        if conn.commands % 5 == 0:
            conn.nop_in(ttt=0x1234 + conn.commands, data=b"ping" * 50, lun=bytes([0, 1]) + b"\0" * 6)
    t.on_command = on


@case("nop-in-no-ttt", "NOP-In that asks for nothing (iSCSIInitiator#81, FreeBSD)")
def _(t):
    def on(conn, bhs, data):
        if conn.commands % 5 == 0:
            conn.nop_in()
    t.on_command = on


@case("nop-reject", "our NOP-Out is rejected (libiscsi#119, EqualLogic)")
def _(t):
    def on(conn, bhs, data):
        if conn.commands == 15:
            conn.nop_in(ttt=77)
    t.on_command = on
    t.on_nop_out = lambda conn, bhs, data: (conn.reject(4, bhs), True)[1]


# ---- asynchronous messages


@case("async-logout", "a logout is asked for during reads (EqualLogic)")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1 and not t.state.get("sent"):
            t.state["sent"] = True
            conn.async_event(1, p3=3)
    t.on_command = on


@case("async-logout-boot", "a logout is asked for right after the login")
def _(t):
    t.on_full = lambda conn: conn.async_event(1, p3=3) if conn.number == 1 else None


@case("async-logout-2500", "commands fail with 5/25/00 once a logout was asked for (libiscsi#140)")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1 and not t.state.get("sent"):
            t.state["sent"] = True
            conn.async_event(1, p3=3)
        if conn.number == 1 and t.state.get("sent"):
            conn.response(struct.unpack(">I", bhs[16:20])[0], CHECK, sense(5, 0x25, 0))
            return True
    t.on_command = on


@case("logout-unanswered", "the logout that was asked for is not answered (spdk#1571)")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1 and not t.state.get("sent"):
            t.state["sent"] = True
            conn.async_event(1, p3=3)
    t.on_command = on
    t.on_logout = lambda conn, bhs: conn.number == 1


@case("async-drop", "the connection is dropped with a message, Time2Wait 3")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1:
            conn.async_event(2, p1=0, p2=3, p3=10)
            conn.close()
            return True
    t.on_command = on


@case("async-scsi", "a SCSI event, 6/3F/0E (libiscsi 1a0897a)")
def _(t):
    def on(conn, bhs, data):
        if conn.commands == 4:
            s = sense(6, 0x3F, 0x0E)
            conn.async_event(0, data=struct.pack(">H", len(s)) + s)
    t.on_command = on


@case("async-vendor", "an event of the vendor's own")
def _(t):
    def on(conn, bhs, data):
        if conn.commands == 4:
            conn.async_event(255, vcode=3, data=b"hello from the vendor" * 20)
    t.on_command = on


# ---- SCSI answers


def first_n(n, answer, ops=None):
    """A hook: the first n commands (of these operation codes) get that answer."""
    left = [n]

    def hook(conn, lun, cdb, edtl):
        if left[0] > 0 and (ops is None or cdb[0] in ops):
            left[0] -= 1
            return answer()
    return hook


@case("ua-1", "one UNIT ATTENTION")
def _(t):
    t.disk().hook = first_n(1, lambda: check(6, 0x29, 0))


@case("ua-many", "ten UNIT ATTENTIONs with ten causes (ipxe b111bdfb0, COMSTAR)")
def _(t):
    many = [(0x29, 0), (0x2A, 9), (0x3F, 0x0E), (0x3F, 3), (0x29, 7), (0x28, 0), (0x2A, 1), (0x2A, 6), (0x38, 7),
            (0x29, 0)]
    t.disk().hook = lambda c, l, cdb, e: check(6, *many.pop(0)) if many else None


@case("ua-30", "thirty UNIT ATTENTIONs")
def _(t):
    t.disk().hook = first_n(30, lambda: check(6, 0x29, 0))


@case("ua-3f0e", "6/3F/0E until REPORT LUNS is asked (LIO)")
def _(t):
    def hook(conn, lun, cdb, edtl):
        if not t.state.get("asked") and cdb[0] not in (0x12, 0xA0):
            return check(6, 0x3F, 0x0E)

    def on(conn, bhs, data):
        if bhs[32] == 0xA0:
            t.state["asked"] = True
    t.disk().hook, t.on_command = hook, on


@case("becoming-ready", "2/04/01 for 7 s")
def _(t):
    t.disk().hook = for_a_while(7, lambda: check(2, 4, 1))


@case("sanitize", "2/04/1B for 5 s (libiscsi 49698e0)")
def _(t):
    t.disk().hook = for_a_while(5, lambda: check(2, 4, 0x1B))


@case("standby", "2/04/0B for ever (sg3_utils#62, 3PAR; TrueNAS)")
def _(t):
    t.disk().hook = for_a_while(FOR_EVER, lambda: check(2, 4, 0x0B))


@case("standby-first-portal",
      "of two portals the first is on standby (truenas/middleware#14538, TrueNas-Cinder#64)")
def _(t):
    t.send_targets = ["TargetName=" + IQN, "TargetAddress=%s,1" % here(t), "TargetAddress=%s,2" % there(t)]

    def hook(c, l, cdb, e):
        here = c.sock.getsockname()[0]
        if t.state.setdefault("standby", here) == here and cdb[0] not in (0x12, 0xA0):
            return check(2, 4, 0x0B)
    t.disk().hook = hook


@case("alua-transition", "2/04/0A for 6 s")
def _(t):
    t.disk().hook = for_a_while(6, lambda: check(2, 4, 0x0A))


@case("unavailable", "2/04/0C for ever, and PQ 1")
def _(t):
    t.disk().pq = 1
    t.disk().hook = for_a_while(FOR_EVER, lambda: check(2, 4, 0x0C))


@case("offline", "2/04/03 for ever (NetApp)")
def _(t):
    t.disk().hook = for_a_while(FOR_EVER, lambda: check(2, 4, 3))


@case("busy-3s", "BUSY for 4 s")
def _(t):
    until = time.time() + 4
    t.disk().hook = lambda c, l, cdb, e: Answer(BUSY) if time.time() < until else None


def limited(t, depth, status):
    def hook(conn, lun, cdb, edtl):
        if conn.waiting >= depth:
            t.state["full"] = t.state.get("full", 0) + 1
            return Answer(status)
        if cdb[0] in (0x2A, 0x8A):
            return None
        got = t.disk().plain(conn, lun, cdb, edtl)
        got.delay = 0.002
        return got
    t.disk().hook = hook
    t.state["at_end"] = lambda: say("status %02x answered %d times" % (status, t.state.get("full", 0)))


for depth in (2, 8, 16, 32):
    CASES["task-set-full-%d" % depth] = (
        lambda t, depth=depth: limited(t, depth, FULL),
        "%d commands at once, TASK SET FULL to others; 2 ms a command (TrueNAS)" % depth)


@case("busy-2", "two commands at once, BUSY to others; 2 ms a command")
def _(t):
    limited(t, 2, BUSY)


@case("aca", "ACA ACTIVE for 3 s")
def _(t):
    until = time.time() + 3
    t.disk().hook = lambda c, l, cdb, e: Answer(ACA) if time.time() < until else None


@case("reserved", "RESERVATION CONFLICT to all but INQUIRY")
def _(t):
    t.disk().hook = for_a_while(FOR_EVER, lambda: Answer(CONFLICT))


@case("reserved-tur", "RESERVATION CONFLICT to TEST UNIT READY alone (libiscsi d5c5fb8)")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: Answer(CONFLICT) if cdb[0] == 0 else None


@case("reserved-mode", "RESERVATION CONFLICT to MODE SENSE alone")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: Answer(CONFLICT) if cdb[0] == 0x1A else None


@case("no-cap16", "READ CAPACITY(16) is not known")
def _(t):
    t.disk().cap16 = False


@case("cap-empty-until-tur", "READ CAPACITY gives no data before TEST UNIT READY (ipxe 57bab0ae4, CLARiiON)")
def _(t):
    ua = [True]

    def hook(conn, lun, cdb, edtl):
        if ua[0] and cdb[0] != 0x12:
            ua[0] = False
            return check(6, 0x29, 0)
        if cdb[0] == 0:
            t.state["ready"] = True
        if cdb[0] in (0x25, 0x9E) and not t.state.get("ready"):
            return Answer()
    t.disk().hook = hook


@case("cap-grows", "the LUN grows during reads, 6/2A/09")
def _(t):
    t.disk().image = bytearray(t.image)

    def hook(c, l, cdb, e):
        if cdb[0] in (0x28, 0x88):
            t.state["n"] = t.state.get("n", 0) + 1
            if t.state["n"] == 3:
                t.disk().image.extend(b"\0" * (1 << 20))
                t.disk().blocks += 2048
                return check(6, 0x2A, 9)
    t.disk().hook = hook


@case("bs-4096", "a disk that was made with 512-byte blocks has 4096-byte blocks")
def _(t):
    disk = t.disk()
    disk.bs, disk.blocks = 4096, len(disk.image) // 4096


@case("bs-520", "520-byte blocks")
def _(t):
    disk = t.disk()
    disk.bs, disk.blocks = 520, len(disk.image) // 520


@case("vpd-none", "no VPD page is known")
def _(t):
    t.disk().pages = []


@case("b0-128", "VPD B0 allows 128 blocks, and more is refused")
def _(t):
    t.disk().b0 = (128, 128)
    t.disk().max_blocks = 128


@case("b0-zero", "VPD B0 has zeros")
def _(t):
    t.disk().b0 = (0, 0)


@case("b0-lies",
      "VPD B0 allows 65535 blocks, and more than 128 is refused with 5/24/00 (QNAP, Synology, Microsoft)")
def _(t):
    t.disk().b0 = (65535, 65535)
    t.disk().max_blocks = 128


@case("max-burst-conscientious", "a read of more than MaxBurstLength, 65536, is refused (ipxe 2733c4763)")
def _(t):
    t.max_burst = 65536
    t.disk().max_blocks = 128


@case("cd", "a CD")
def _(t):
    disk = t.disk()
    disk.type, disk.removable, disk.bs, disk.blocks = 5, 1, 2048, len(disk.image) // 2048


@case("removable", "a removable disk")
def _(t):
    t.disk().removable = 1


@case("no-medium", "2/3A/00")
def _(t):
    t.disk().removable = 1
    t.disk().hook = for_a_while(FOR_EVER, lambda: check(2, 0x3A, 0))


@case("read-only", "MODE SENSE says write protected")
def _(t):
    t.disk().wp = True


@case("thin-full-soft", "6/38/07 on two writes")
def _(t):
    t.disk().hook = first_n(2, lambda: check(6, 0x38, 7), (0x2A, 0x8A))


@case("write-busy-quota", "3/0C/00 on one write")
def _(t):
    left = [1]

    def hook(c, cdb, d):
        if left[0]:
            left[0] = 0
            return check(3, 0x0C, 0)
    t.disk().write_hook = hook


@case("inquiry-5", "INQUIRY has 5 bytes")
def _(t):
    t.disk().inquiry_raw = bytes([0, 0, 5, 2, 0])


@case("inquiry-empty", "INQUIRY has no bytes")
def _(t):
    t.disk().inquiry_raw = b""


@case("inquiry-nul", "NULs, escape sequences and bytes that are no text in the vendor and the product")
def _(t):
    t.disk().vendor, t.disk().product, t.disk().rev = b"\0\0ACME\0", b"  \x1b[2JDisk\0\xff\xe2\x80", b"\n\r\t\0"


@case("luns-huge", "REPORT LUNS claims 16 MiB")
def _(t):
    t.report_luns = struct.pack(">II", 0x01000008, 0) + (bytes([0, 1]) + b"\0" * 6) * 200


@case("luns-lie", "REPORT LUNS has 4 bytes")
def _(t):
    t.report_luns = struct.pack(">I", 5)


@case("luns-well-known", "REPORT LUNS has well-known LUNs and flat addressing")
def _(t):
    luns = "c101000000000000 0001000000000000 4100000000000000 d2000000000000ff"
    t.report_luns = struct.pack(">II", 32, 0) + bytes.fromhex(luns)


@case("lun-0-missing", "REPORT LUNS is answered with 5/25/00 (open-iscsi#175, Nutanix)")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] == 0xA0:
            conn.response(struct.unpack(">I", bhs[16:20])[0], CHECK, sense(5, 0x25, 0))
            return True
    t.on_command = on


@case("lun-10", "the LUNs are 0 and 10 (freenas-docs#784)")
def _(t):
    t.luns = {bytes([0, 0]) + b"\0" * 6: t.disk(), bytes([0, 10]) + b"\0" * 6: t.disk()}


@case("lun-sub", "the LUN is 00fe-e200-0000-0001 (open-iscsi#496)")
def _(t):
    t.luns = {bytes.fromhex("00fee20000000001"): t.disk()}


@case("lun-pq1", "LUN 0 has PQ 1, the disk is LUN 1 (EMC's LUNZ)")
def _(t):
    lunz = Disk(t.image)
    lunz.pq, lunz.vendor, lunz.product = 1, b"DGC", b"LUNZ"
    t.luns = {b"\0" * 8: lunz, bytes([0, 1]) + b"\0" * 6: t.disk()}


@case("lun-xport", "LUN 31 looks like a disk and is none (NetApp E-Series, Dell MD3200i)")
def _(t):
    xport = Disk(bytearray(1 << 20))
    xport.vendor, xport.product = b"DELL", b"Universal Xport"
    xport.hook = lambda c, l, cdb, e: check(5, 0x94, 1) if cdb[0] in (0x28, 0x88, 0x25, 0x9E) else None
    t.luns = {bytes([0, 31]) + b"\0" * 6: xport, bytes([0, 1]) + b"\0" * 6: t.disk()}


@case("medium-once", "3/11/01 on one read")
def _(t):
    t.disk().hook = first_n(1, lambda: check(3, 0x11, 1), (0x28, 0x88))


@case("itf", "B/44/00 on two reads (EMC Symmetrix)")
def _(t):
    t.disk().hook = first_n(2, lambda: check(0xB, 0x44, 0), (0x28, 0x88))


@case("asc-c1", "B/C1/01 on reads for 4 s (Fujitsu Eternus)")
def _(t):
    t.disk().hook = for_a_while(4, lambda: check(0xB, 0xC1, 1), (0x28, 0x88))


@case("ise-transport", "B/4B/00 on five reads")
def _(t):
    t.disk().hook = first_n(5, lambda: check(0xB, 0x4B, 0), (0x28, 0x88))


@case("no-sense", "CHECK CONDITION without sense data, twice")
def _(t):
    t.disk().hook = first_n(2, lambda: Answer(CHECK), (0x28, 0x88))


@case("sense-long", "the sense length says 65535")
def _(t):
    t.disk().hook = first_n(1, lambda: Answer(CHECK, sense=sense(6, 0x29, 0), sense_len=65535), (0x28, 0x88))


@case("deferred", "a deferred error")
def _(t):
    def hook():
        s = bytearray(sense(3, 0x0C, 0))
        s[0] = 0x71
        return Answer(CHECK, sense=bytes(s))
    t.disk().hook = first_n(1, hook, (0x28, 0x88))


@case("response-1", "response 01 to two reads")
def _(t):
    t.disk().hook = first_n(2, lambda: Answer(GOOD, response=1), (0x28, 0x88))


@case("underflow", "each read has half of its data, and says so")
def _(t):
    def hook(c, l, cdb, e):
        if cdb[0] in (0x28, 0x88):
            got = t.disk().plain(c, l, cdb, e)
            got.data = got.data[:len(got.data) // 2]
            return got
    t.disk().hook = hook


@case("short-no-residual", "one read has half of its data, and does not say so")
def _(t):
    def halve(got):
        got.data = got.data[:len(got.data) // 2]
        got.odd["no_residual"] = True
    change_first_read(t, halve)


@case("residual-wrong", "whole reads with U and a residual (libiscsi d777655)")
def _(t):
    def hook(c, l, cdb, e):
        if cdb[0] in (0x28, 0x88):
            got = t.disk().plain(c, l, cdb, e)
            got.odd.update(flags=2, residual=512)
            return got
    t.disk().hook = hook


@case("u-zero", "whole reads with U and a residual of 0")
def _(t):
    def hook(c, l, cdb, e):
        if cdb[0] in (0x28, 0x88):
            got = t.disk().plain(c, l, cdb, e)
            got.odd.update(flags=2, residual=0)
            return got
    t.disk().hook = hook


@case("overflow", "INQUIRY and READ CAPACITY with O")
def _(t):
    def hook(c, l, cdb, e):
        if cdb[0] in (0x12, 0x25, 0x9E) and not cdb[1] & 1:
            got = t.disk().plain(c, l, cdb, e)
            got.data = got.data.ljust(e, b"\0")
            got.odd.update(flags=4, residual=100)
            return got
    t.disk().hook = hook


@case("s-bit", "the status comes in the last Data-In")
def _(t):
    t.separate_status = False


@case("data-in-final-then-response", "F without S, then a SCSI Response (ipxe 428c6342b, EqualLogic)")
def _(t):
    t.separate_status = True


@case("data-in-a-bit", "Data-In asks for an acknowledgement")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if len(a.data) != edtl or edtl < 4096:
            return False
        out = bytearray(48)
        out[0], out[1] = 0x25, 0xC0
        out[8:16] = lun
        out[16:20] = struct.pack(">I", itt)
        out[20:24] = struct.pack(">I", 99)
        out[24:36] = conn.numbers(False)
        conn.send(out, a.data[:conn.their_mrdsl])
        if len(a.data) > conn.their_mrdsl:
            return False
        conn.response(itt, GOOD)
        return True
    t.data_in = data_in


@case("data-out-of-order", "the Data-In PDUs of a read come in another order")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if len(a.data) != edtl or edtl < 8192:
            return False
        half = edtl // 2
        for sn, (at, part) in enumerate([(half, a.data[half:]), (0, a.data[:half])]):
            out = bytearray(48)
            out[0], out[1] = 0x25, 0x80 if sn else 0
            out[16:20] = struct.pack(">I", itt)
            out[20:24] = b"\xff" * 4
            out[24:36] = conn.numbers(False)
            out[36:44] = struct.pack(">II", sn, at)
            conn.send(out, part)
        conn.response(itt, GOOD)
        return True
    t.data_in = data_in


@case("remapped", "after a break another disk has the place of the first (libiscsi 8c4e2ad)")
def _(t):
    other_disk = Disk(bytearray(b"\xEE" * len(t.image)))
    other_disk.serial, other_disk.naa = b"SN-999999", bytes.fromhex("60014059999999999999999999999999")
    first = t.disk()

    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1:
            t.state["n"] = t.state.get("n", 0) + 1
            if t.state["n"] > 12:
                conn.close()
                return True
    t.on_command = on
    t.luns_to = lambda conn, lun: (first if conn.number == 1 else other_disk) if lun[:2] == bytes([0, 1]) else None


@case("shrunk", "after a break the LUN is half as large")
def _(t):
    first = t.disk()
    small = Disk(t.image)
    small.blocks //= 2

    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1:
            t.state["n"] = t.state.get("n", 0) + 1
            if t.state["n"] > 12:
                conn.close()
                return True
    t.on_command = on
    t.luns_to = lambda conn, lun: (first if conn.number == 1 else small) if lun[:2] == bytes([0, 1]) else None


@case("reject-command", "a command is rejected, once")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1:
            conn.reject(9, bhs)
            return True
    t.on_command = on


@case("qnap-idle", "a connection without commands for 3 s is closed (iSCSIInitiator#76)")
def _(t):
    def on(conn):
        def look():
            if not conn.closed:
                if conn.commands == conn.state_seen:
                    conn.close()
                conn.state_seen = conn.commands
                t.at(3, look)
        conn.state_seen = -1
        t.at(3, look)
    t.on_full = on


@case("vpd-silent", "VPD B0 is never answered (Linux skips pages of such disks)")
def _(t):
    t.on_command = lambda conn, bhs, data: (bhs[32] == 0x12 and bhs[33] & 1 and bhs[34] == 0xB0) or None


@case("slow-first", "the first read takes 20 s")
def _(t):
    change_first_read(t, lambda got: setattr(got, "delay", 20))


@case("slow-first-40", "the first read takes 40 s")
def _(t):
    change_first_read(t, lambda got: setattr(got, "delay", 40))


@case("data-in-zero-sn", "Data-In without S has zeros for its numbers (iSCSIConsole before 2da8c80)")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if len(a.data) != edtl:
            return False
        out = bytearray(48)
        out[0], out[1] = 0x25, 0x80
        out[16:20] = struct.pack(">I", itt)
        out[20:24] = b"\xff" * 4
        conn.send(out, a.data)
        conn.response(itt, GOOD)
        return True
    t.data_in = data_in


@case("r2t-zero-sn", "R2T has zeros for its numbers (tgt before a0f9bb5)")
def _(t):
    t.immediate = False
    t.state["r2t_zero"] = True


@case("async-statsn-same", "an asynchronous message does not count in StatSN (spdk before 767df1289a)")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and conn.number == 1 and not t.state.get("sent"):
            t.state["sent"] = True
            conn.async_event(1, p3=5)
            conn.stat_sn -= 1
    t.on_command = on


@case("suspended-0203", "0203 for 6 s during a failover (scst 0731c421f)")
def _(t):
    CASES["status-0203-while-starting"][0](t)


# ---- discovery


@case("st-unreachable-first", "SendTargets has portals of networks that are not ours first (TrueNas-Cinder#64)")
def _(t):
    t.send_targets = ["TargetName=" + IQN]
    t.send_targets += ["TargetAddress=203.0.113.%d:3260,1" % i for i in range(5)]
    t.send_targets += ["TargetAddress=%s,1" % here(t)]


@case("st-wildcard", "SendTargets has 0.0.0.0 and [::]")
def _(t):
    t.send_targets = ["TargetName=" + IQN, "TargetAddress=0.0.0.0:3260,1", "TargetAddress=[::]:3260,1"]


@case("st-v6-scope", "SendTargets has [fe80::1%eth0], then a good portal")
def _(t):
    t.send_targets = ["TargetName=" + IQN, "TargetAddress=[fe80::1%eth0]:3260,1", "TargetAddress=[fe80::1]:3260,1",
                      "TargetAddress=%s,1" % here(t)]


@case("st-parts", "SendTargets in parts of 100 bytes")
def _(t):
    t.state["text_part"], t.state["text_flags"] = 100, 0x40
    t.send_targets = ["TargetName=iqn.2026-11.test:other%03d" % i for i in range(60)]
    t.send_targets += ["TargetName=" + IQN, "TargetAddress=%s,1" % here(t)]


@case("st-no-address", "SendTargets has a name without an address")
def _(t):
    t.send_targets = ["TargetName=" + IQN]


@case("st-upper", "SendTargets has the name in capitals")
def _(t):
    t.send_targets = ["TargetName=" + IQN.upper().replace("IQN", "iqn"), "TargetAddress=%s,1" % here(t)]


# ---- silence


def silent(t, *ops):
    t.on_command = lambda conn, bhs, data: bhs[32] in ops or None


@case("mode-silent", "MODE SENSE is never answered")
def _(t):
    silent(t, 0x1A, 0x5A)


@case("luns-silent", "REPORT LUNS is never answered")
def _(t):
    silent(t, 0xA0)


@case("cap16-silent", "READ CAPACITY(16) is never answered")
def _(t):
    silent(t, 0x9E)


@case("flush-silent", "SYNCHRONIZE CACHE is never answered (iSCSIInitiator#65, Synology)")
def _(t):
    silent(t, 0x35, 0x91)


# ---- a power cut


@case("no-size", "READ CAPACITY is GOOD and without data, for ever (targetcli-fb#84)")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: Answer() if cdb[0] in (0x25, 0x9E) else None


@case("power-cut", "from the first login on: 0203 for 10 s, then PQ 3 for 6 s, then 2/04/01 for 6 s")
def _(t):
    real = dict(t.luns)

    def age():
        return time.time() - t.state.setdefault("first", time.time())
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0203) if age() < 10 else None
    t.luns_to = lambda conn, lun: real.get(bytes(lun)) if age() > 16 else None

    def hook(conn, lun, cdb, edtl):
        if age() < 22 and cdb[0] not in (0x12, 0xA0):
            return check(2, 4, 1)
    t.disk().hook = hook
