"""More cases of odd-target.py: other targets break the same rules in other places. They join those of odd_cases.py."""
import struct
import time

from odd_cases import CASES, FOR_EVER, case, chap_case, first_n, for_a_while, here, refuse, there
from odd_target import CHECK, GOOD, IQN, Answer, Disk, check, sense

READS = (0x28, 0x88)

# ---- login keys: (name, what, the target's answers)

for name, what, keys in [
        ("key-twice-differs", "MaxBurstLength twice in an answer, with two values",
         {"MaxBurstLength": ["262144", "65536"]}),
        ("all-not-understood", "NotUnderstood for all keys of the session",
         {key: "NotUnderstood" for key in
          ("InitialR2T", "ImmediateData", "MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T", "MaxConnections",
           "DataPDUInOrder", "DataSequenceInOrder", "ErrorRecoveryLevel", "DefaultTime2Wait", "DefaultTime2Retain",
           "HeaderDigest", "DataDigest")}),
        ("all-irrelevant", "Irrelevant for keys of the session",
         {key: "Irrelevant" for key in
          ("MaxOutstandingR2T", "MaxConnections", "DataPDUInOrder", "DataSequenceInOrder", "ErrorRecoveryLevel",
           "DefaultTime2Wait", "DefaultTime2Retain")}),
        ("all-rejected", "Reject for keys that have a default",
         {key: "Reject" for key in
          ("MaxOutstandingR2T", "MaxConnections", "ErrorRecoveryLevel", "DefaultTime2Wait", "DefaultTime2Retain")}),
        ("nothing-answered", "no key of the session is answered",
         {key: None for key in
          ("InitialR2T", "ImmediateData", "MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T", "MaxConnections",
           "DataPDUInOrder", "DataSequenceInOrder", "ErrorRecoveryLevel", "DefaultTime2Wait", "DefaultTime2Retain",
           "HeaderDigest", "DataDigest", "MaxRecvDataSegmentLength")}),
        ("own-larger-numbers", "the target's own larger numbers for keys whose smaller value counts",
         {"MaxOutstandingR2T": "16", "MaxConnections": "8", "DefaultTime2Retain": "60"}),
        ("time2wait-5", "DefaultTime2Wait=5 and DefaultTime2Retain=0 as answers",
         {"DefaultTime2Wait": "5", "DefaultTime2Retain": "0"}),
        ("time2wait-99999", "DefaultTime2Wait=99999, more than 3600", {"DefaultTime2Wait": "99999"}),
        ("first-burst-larger", "FirstBurstLength above MaxBurstLength",
         {"MaxBurstLength": "65536", "FirstBurstLength": "262144"}),
        ("numbers-in-hex", "numbers in hexadecimal",
         {"MaxBurstLength": "0x10000", "FirstBurstLength": "0X8000", "MaxRecvDataSegmentLength": "0x4000"}),
        ("numbers-with-zeros", "numbers with leading zeros", {"MaxBurstLength": "065536", "MaxOutstandingR2T": "01"}),
        ("values-with-blanks", "blanks around values", {"HeaderDigest": " None", "MaxBurstLength": "65536 "}),
        ("capitals", "YES, NO and NONE in capitals",
         {"InitialR2T": "YES", "ImmediateData": "NO", "HeaderDigest": "NONE", "DataDigest": "NONE"}),
        ("max-burst-0", "MaxBurstLength=0 and FirstBurstLength=0", {"MaxBurstLength": "0", "FirstBurstLength": "0"}),
        ("max-burst-2g", "MaxBurstLength=4294967295", {"MaxBurstLength": "4294967295"}),
        ("mrdsl-4g", "MaxRecvDataSegmentLength=4294967295", {"MaxRecvDataSegmentLength": "4294967295"}),
        ("mrdsl-64", "MaxRecvDataSegmentLength=64, less than the least", {"MaxRecvDataSegmentLength": "64"}),
        ("mrdsl-minus", "MaxRecvDataSegmentLength=-1", {"MaxRecvDataSegmentLength": "-1"}),
        ("digest-not-understood", "NotUnderstood for both digests",
         {"HeaderDigest": "NotUnderstood", "DataDigest": "NotUnderstood"}),
        ("digest-list", "a list as the answer to HeaderDigest", {"HeaderDigest": "None,CRC32C"}),
        ("initial-r2t-not-understood", "NotUnderstood for InitialR2T and ImmediateData",
         {"InitialR2T": "NotUnderstood", "ImmediateData": "NotUnderstood"}),
        ("markers-yes", "IFMarker=No and OFMarker=No come though nobody asked",
         {"DataDigest": ["None", "None"], "HeaderDigest": ["None", "None"]}),
]:
    def setup(t, keys=keys):
        t.keys.update(keys)
        if keys.get("ImmediateData") == "NO":
            t.immediate = False
    CASES[name] = (setup, what)


@case("answers-again", "keys are answered again in a later response (openebs-archive/gotgt#7)")
def _(t):
    t.extra = ["MaxBurstLength=262144", "FirstBurstLength=65536", "TargetPortalGroupTag=1"]
    t.state["extra_holds"] = True


@case("echoes", "InitiatorName, TargetName and SessionType come back")
def _(t):
    t.extra = ["SessionType=Normal", "TargetName=" + IQN, "InitiatorName=iqn.2026-11.test:x"]


@case("strange-keys", "keys of nobody, one without a value, with the last response")
def _(t):
    t.extra = ["X-com.example.a=", "Y-b=1", "SomethingElse=Yes", "TargetAlias=", "TargetAddress=" + here(t)]


@case("text-without-equals", "a text without `=` among the pairs")
def _(t):
    t.extra = ["Hello", "TargetAlias=odd"]


@case("no-last-nul", "the last pair has no NUL behind it")
def _(t):
    t.no_last_nul = True


for tag in ("0", "65535", "65536", "0x1", "01", ""):
    CASES["tpgt-" + (tag or "empty")] = (lambda t, tag=tag: setattr(t, "tpgt", tag), "TargetPortalGroupTag=" + tag)


@case("tsih-zero", "a TSIH of 0 at the end of the login")
def _(t):
    t.tsih = 0


@case("version-2", "Version-active is 2")
def _(t):
    t.version = (2, 2)


@case("stage-skipped", "the answer to the security stage is full feature phase")
def _(t):
    def on(conn, bhs, data):
        if bhs[1] >> 2 & 3 == 0 and not conn.discovery:
            conn.first = False
            t.logins += 1
            conn.max_burst = conn.first_burst = 8192
            conn.reply(bhs, b"AuthMethod=None\0TargetPortalGroupTag=1\0", 0x83, tsih=1)
            conn.full = True
            return True
    t.on_login_request = on


@case("login-slow", "each login response takes 3 s")
def _(t):
    def on(conn, bhs, data):
        key = (conn.number, bhs[1], data)
        if t.state.get("slow") != key:
            t.state["slow"] = key
            t.at(3, lambda: conn.login(bhs, data))
            return True
    t.on_login_request = on


@case("one-byte-at-a-time", "responses come in pieces of one byte for the first 400")
def _(t):
    def on_accept(conn):
        whole = conn.raw

        def raw(what):
            for i in range(min(len(what), 400)):
                whole(what[i:i + 1])
            whole(what[400:])
        conn.raw = raw
    t.on_accept = on_accept


# ---- CHAP

for name, what, more in [
        ("chap-alg-md5", "CHAP_A=MD5, a word for the number", dict(alg_text="MD5")),
        ("chap-alg-hex", "CHAP_A=0x5", dict(alg_text="0x5")),
        ("chap-alg-list", "CHAP_A=5,7, a list back", dict(alg_text="5,7")),
        ("chap-ident-0", "CHAP_I=0", dict(ident=0)),
        ("chap-ident-255", "CHAP_I=255", dict(ident=255)),
        ("chap-ident-zeros", "CHAP_I=007", dict(ident=7, ident_text="007")),
        ("chap-odd-digits", "a challenge of an odd number of digits", dict(lead_zero=True, coding="odd")),
        ("chap-method-repeated", "AuthMethod=CHAP comes again", dict(repeat_method=True)),
        ("chap-sha1", "SHA-1", dict(alg="6")),
        ("chap-sha256", "SHA-256", dict(alg="7")),
        ("chap-lower", "AuthMethod=chap", dict(method="chap")),
        ("chap-mutual-plain", "CHAP in both directions", dict(target_secret=b"disk-secret-4567")),
        ("chap-mutual-wrong", "the target proves itself with another secret",
         dict(target_secret=b"disk-secret-0000")),
        ("chap-mutual-none", "the target does not prove itself", dict()),
        ("chap-mutual-nameless", "the target proves itself and has no name",
         dict(target_secret=b"disk-secret-4567", target_name="")),
        ("chap-wrong", "the secret is another, 0201", dict()),
        ("chap-wrong-0202", "the secret is another, 0202", dict(bad_status=0x0202)),
        ("chap-wrong-0200", "the secret is another, 0200", dict(bad_status=0x0200)),
        ("chap-wrong-0300", "the secret is another, 0300 (a target that takes it for its own fault)",
         dict(bad_status=0x0300)),
]:
    chap_case(name, what, **more)


@case("chap-wrong-closes", "the secret is another, and the connection is closed without a word")
def _(t):
    CASES["chap-plain"][0](t)
    t.on_login_request = lambda c, b, d: (c.close(), True)[1] if b"CHAP_R=" in d else None


@case("chap-wanted-0201", "CHAP is wanted, and none is configured: 0201")
def _(t):
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0201)


# ---- statuses and redirects

for status, what in [(0x0200, "a fault of the initiator"), (0x0202, "not authorised"), (0x0204, "the target is gone"),
                     (0x0205, "the version"), (0x0207, "a parameter is missing"), (0x0208, "cannot include"),
                     (0x0209, "the type of session"), (0x020A, "no such session"), (0x020B, "an invalid request"),
                     (0x0303, "a detail that no RFC has"), (0x0401, "a class that no RFC has")]:
    CASES["status-%04x" % status] = (lambda t, status=status: t.statuses.extend([status] * 99),
                                     "%04x for ever: %s" % (status, what))


@case("status-0204-while-starting", "0204 for 6 s")
def _(t):
    until = time.time() + 6
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0204) if time.time() < until else None


@case("status-0202-while-starting", "0202 for 6 s: the access list is read late")
def _(t):
    until = time.time() + 6
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0202) if time.time() < until else None


@case("status-0200-while-starting", "0200 for 6 s")
def _(t):
    until = time.time() + 6
    t.on_login_request = lambda c, b, d: refuse(c, b, 0x0200) if time.time() < until else None


@case("close-while-starting", "connections are closed at once for 6 s")
def _(t):
    until = time.time() + 6
    t.on_accept = lambda conn: conn.close() if time.time() < until else None


@case("silent-while-starting", "connections are accepted, and nothing is said for 8 s")
def _(t):
    until = time.time() + 8
    t.on_login_request = lambda c, b, d: True if time.time() < until else None


@case("redirect-without-address", "0101 without a TargetAddress")
def _(t):
    t.redirects = [(0x0101,)]


@case("redirect-two-addresses", "0101 with two TargetAddress, the first one down")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s:3260,1" % t.args.dead, "TargetAddress=%s,1" % there(t))]


@case("redirect-self", "0101 to the portal itself, once")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s,1" % here(t))]


@case("redirect-loop", "0101 to the portal itself, for ever")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s,1" % here(t))] * 99


@case("redirect-port-0", "0101 to port 0")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s:0,1" % there(t).rsplit(":", 1)[0])]


@case("redirect-no-tag-comma", "0101 to ADDRESS:PORT,")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s," % there(t))]


@case("redirect-garbage", "0101 to what is no address")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=the other one")]


@case("redirect-by-two", "0101 to the other portal, and from there back")
def _(t):
    t.redirects = [(0x0101, "TargetAddress=%s,1" % there(t)), (0x0102, "TargetAddress=%s,1" % here(t))]


# ---- pings, messages, numbers


def each_command(t, what, every=5):
    def on(conn, bhs, data):
        if conn.commands % every == 0:
            what(conn, bhs)
    t.on_command = on


def once_in_reads(t, what, first_connection=True):
    def on(conn, bhs, data):
        if bhs[32] in READS and not t.state.get("sent") and (conn.number == 1 or not first_connection):
            t.state["sent"] = True
            return what(conn, bhs)
    t.on_command = on


@case("nop-in-at-once", "a ping right after the login, before any command")
def _(t):
    t.on_full = lambda conn: conn.nop_in(ttt=1)


@case("nop-in-each", "a ping before each answer")
def _(t):
    each_command(t, lambda conn, bhs: conn.nop_in(ttt=conn.commands), 1)


@case("nop-in-0-tag", "a ping with a tag of 0")
def _(t):
    each_command(t, lambda conn, bhs: conn.nop_in(ttt=0))


@case("async-negotiate", "the target asks for a negotiation, event 4")
def _(t):
    once_in_reads(t, lambda conn, bhs: conn.async_event(4, p3=3))


@case("async-drop-all", "all connections are dropped, event 3, and then they are")
def _(t):
    once_in_reads(t, lambda conn, bhs: (conn.async_event(3, p2=1, p3=5), conn.close(), True)[2])


@case("async-unknown", "an event of no RFC, 9")
def _(t):
    once_in_reads(t, lambda conn, bhs: conn.async_event(9))


@case("async-luns-changed", "6/3F/0E as an event, and again")
def _(t):
    data = struct.pack(">H", 18) + sense(6, 0x3F, 0x0E)
    each_command(t, lambda conn, bhs: conn.async_event(0, data=data), 20)


@case("async-logout-twice", "a logout is asked for during reads of each of two connections")
def _(t):
    def on(conn, bhs, data):
        if bhs[32] in READS and conn.number <= 2 and not t.state.get(conn.number):
            t.state[conn.number] = True
            conn.async_event(1, p3=3)
    t.on_command = on


@case("response-of-nobody", "a response for a task that nobody has")
def _(t):
    once_in_reads(t, lambda conn, bhs: conn.response(0x7777, GOOD))


@case("response-twice", "one response comes twice")
def _(t):
    def on(conn, bhs):
        itt, edtl = struct.unpack(">II", bhs[16:24])
        conn.send_answer(itt, bhs[8:16], edtl, t.disk().command(conn, bhs[8:16], bhs[32:48], edtl))
        conn.response(itt, GOOD)
        return True
    once_in_reads(t, on)


@case("reject-of-nobody", "a Reject with a header that we did not send")
def _(t):
    once_in_reads(t, lambda conn, bhs: conn.reject(9, bytes(48)))


@case("reject-short", "a Reject without a header")
def _(t):
    once_in_reads(t, lambda conn, bhs: conn.reject(9, b""))


@case("window-huge", "MaxCmdSN is 2^31 - 1 ahead")
def _(t):
    t.window = (1 << 31) - 1


@case("window-shrinks", "MaxCmdSN goes back from 32 to 4 and out again")
def _(t):
    def on(conn, bhs, data):
        conn.window = 4 if conn.commands // 8 % 2 else 32
    t.on_command = on


@case("window-3-bursts", "a window of 3 that opens with answers alone")
def _(t):
    t.window = 3


@case("data-in-empty", "an empty Data-In before the data")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        out = bytearray(48)
        out[0] = 0x25
        out[16:20] = struct.pack(">I", itt)
        out[20:24] = b"\xff" * 4
        out[24:36] = conn.numbers(False)
        conn.send(out)
        out[1] = 0x80
        out[36:40] = struct.pack(">I", 1)
        conn.send(out, a.data[:conn.their_mrdsl])
        conn.response(itt, GOOD, odd=a.odd, flags=2 if len(a.data) < edtl else 0,
                      residual=max(0, edtl - len(a.data)))
        return True
    t.data_in = lambda conn, itt, lun, edtl, a: data_in(conn, itt, lun, edtl, a) \
        if len(a.data) <= min(edtl, conn.their_mrdsl) else None


@case("data-in-small", "Data-In of 512 bytes each")
def _(t):
    def on_full(conn):
        conn.their_mrdsl = 512
    t.on_full = on_full


@case("fin-mid-pdu", "FIN within a Data-In, once")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if conn.number == 1 and edtl > 4096:
            out = bytearray(48)
            out[0], out[1], out[5:8] = 0x25, 0x80, struct.pack(">I", 8192)[1:]
            out[16:20] = struct.pack(">I", itt)
            out[20:24] = b"\xff" * 4
            out[24:36] = conn.numbers(False)
            conn.raw(bytes(out) + a.data[:3000])
            conn.close()
            return True
    t.data_in = data_in


@case("breaks-each-20", "the connection breaks after each 20 commands")
def _(t):
    t.on_command = lambda conn, bhs, data: (conn.close(True), True)[1] if conn.commands > 20 else None


# ---- not ready, and what passes

for name, what, answer in [
        ("start-unit", "2/04/02 for 5 s: an initializing command is required", (2, 4, 2)),
        ("formatting", "2/04/04 for 5 s", (2, 4, 4)),
        ("operation-in-progress", "2/04/07 for 5 s", (2, 4, 7)),
        ("self-test", "2/04/09 for 5 s", (2, 4, 9)),
        ("spinning-up", "2/04/11 for 5 s", (2, 4, 0x11)),
        ("no-cause", "2/04/00 for 5 s", (2, 4, 0)),
        ("self-configuring", "2/3E/00 for 5 s", (2, 0x3E, 0)),
        ("communication-failed", "2/08/00 for 5 s", (2, 8, 0)),
        ("not-responding", "2/05/00 for 5 s", (2, 5, 0)),
        ("crossing", "B/08/01 for 5 s", (0xB, 8, 1)),
        ("internal-for-a-while", "4/44/00 for 5 s", (4, 0x44, 0)),
        ("lun-refused-for-a-while", "5/25/00 for 5 s", (5, 0x25, 0)),
        ("resources", "5/55/03 for 5 s", (5, 0x55, 3)),
        ("luns-failover", "6/2A/06 for 3 s", (6, 0x2A, 6)),
]:
    CASES[name] = (lambda t, a=answer: setattr(
        t.disk(), "hook", for_a_while(3 if a[0] == 6 else 5, lambda: check(*a))), what)

for name, what, answer in [
        ("start-unit-for-ever", "2/04/02 for ever", (2, 4, 2)),
        ("manual", "2/04/03 for ever: somebody is needed at the machine", (2, 4, 3)),
        ("format-corrupt", "3/31/00 for ever", (3, 0x31, 0)),
        ("not-supported-for-ever", "5/25/00 for ever", (5, 0x25, 0)),
        ("hardware-for-ever", "4/3E/03 for ever", (4, 0x3E, 3)),
]:
    CASES[name] = (lambda t, a=answer: setattr(t.disk(), "hook", for_a_while(FOR_EVER, lambda: check(*a))), what)

for name, what, answer in [
        ("ua-power-on", "6/29/04, 6/28/00, 6/2A/01, 6/2F/00 in reads", None),
        ("task-aborted", "status TASK ABORTED for two reads", lambda: Answer(0x40)),
        ("terminated", "status COMMAND TERMINATED, obsolete, for one read", lambda: Answer(0x22)),
        ("aborted-00", "B/00/00 on three reads", lambda: check(0xB, 0, 0)),
        ("aborted-iscsi", "B/0E/02 and the like on three reads", lambda: check(0xB, 0x0E, 2)),
        ("aborted-overlap", "B/4E/00 on three reads", lambda: check(0xB, 0x4E, 0)),
        ("crc", "B/47/01 on three reads", lambda: check(0xB, 0x47, 1)),
        ("hardware-once", "4/44/00 on three reads", lambda: check(4, 0x44, 0)),
        ("sense-key-0", "CHECK CONDITION with 0/00/00 on three reads", lambda: check(0, 0, 0)),
        ("sense-descriptor", "sense in the descriptor format, 6/29/00",
         lambda: Answer(CHECK, sense=bytes([0x72, 6, 0x29, 0, 0, 0, 0, 0]))),
        ("sense-of-8-bytes", "sense of 8 bytes: no additional code",
         lambda: Answer(CHECK, sense=bytes([0x70, 0, 6, 0, 0, 0, 0, 0]))),
        ("sense-of-nobody", "sense of format 7F", lambda: Answer(CHECK, sense=bytes([0x7F]) + bytes(17))),
        ("status-of-nobody", "a status of no standard, 7E", lambda: Answer(0x7E)),
]:
    if answer is None:
        def hook_of(t):
            left = [(0x29, 4), (0x28, 0), (0x2A, 1), (0x2F, 0)]
            t.disk().hook = lambda c, l, cdb, e: check(6, *left.pop()) if cdb[0] in READS and left else None
        CASES[name] = (hook_of, what)
    else:
        CASES[name] = (lambda t, a=answer: setattr(t.disk(), "hook", first_n(3, a, READS)), what)


@case("recovered", "CHECK CONDITION with 1/17/01 and all of the data")
def _(t):
    def hook(conn, lun, cdb, edtl):
        if cdb[0] in READS:
            got = t.disk().plain(conn, lun, cdb, edtl)
            return Answer(CHECK, got.data, sense(1, 0x17, 1))
    t.disk().hook = hook


@case("lun-late", "REPORT LUNS lists nothing for 6 s, INQUIRY says PQ 3")
def _(t):
    until = time.time() + 6
    real = dict(t.luns)
    t.luns_to = lambda conn, lun: real.get(bytes(lun)) if time.time() > until else None

    def on(conn, bhs, data):
        if bhs[32] == 0xA0 and time.time() < until:
            itt, edtl = struct.unpack(">II", bhs[16:24])
            conn.send_answer(itt, bhs[8:16], edtl, Answer(data=bytes(8)))
            return True
    t.on_command = on


@case("lun-pq1-while-starting", "PQ 1 for 6 s")
def _(t):
    until = time.time() + 6
    disk = t.disk()
    real = disk.inquiry

    def inquiry():
        disk.pq = 1 if time.time() < until else 0
        return real()
    disk.inquiry = inquiry


@case("no-disk-type", "PQ 0 and type 1F for ever: nothing is mapped")
def _(t):
    t.disk().type = 0x1F


# ---- what a disk does not know

for name, what, ops, codes in [
        ("no-tur", "TEST UNIT READY is not known", (0x00,), (5, 0x20, 0)),
        ("no-luns", "REPORT LUNS is not known", (0xA0,), (5, 0x20, 0)),
        ("no-mode-sense", "MODE SENSE is not known", (0x1A, 0x5A), (5, 0x20, 0)),
        ("mode-sense-24", "MODE SENSE has an invalid field", (0x1A, 0x5A), (5, 0x24, 0)),
        ("no-cap16-24", "READ CAPACITY(16) has an invalid field", (0x9E,), (5, 0x24, 0)),
        ("no-cap16-aborted", "READ CAPACITY(16) is aborted", (0x9E,), (0xB, 0, 0)),
        ("no-read16", "READ(16) is not known", (0x88, 0x8A), (5, 0x20, 0)),
        ("no-flush", "SYNCHRONIZE CACHE is not known", (0x35, 0x91), (5, 0x20, 0)),
        ("no-flush-24", "SYNCHRONIZE CACHE has an invalid field", (0x35, 0x91), (5, 0x24, 0)),
        ("flush-aborted", "SYNCHRONIZE CACHE is aborted, for ever", (0x35, 0x91), (0xB, 0, 0)),
]:
    def refused(t, ops=ops, codes=codes):
        def on(conn, bhs, data):
            if bhs[32] in ops:
                conn.response(struct.unpack(">I", bhs[16:20])[0], CHECK, sense(*codes))
                return True
        t.on_command = on
    CASES[name] = (refused, what)


@case("vpd-ignored", "INQUIRY with EVPD is answered with the standard data")
def _(t):
    t.disk().vpd = lambda page: t.disk().inquiry()


@case("vpd-other-page", "each VPD page is answered with page 83")
def _(t):
    real = t.disk().vpd
    t.disk().vpd = lambda page: real(0x83)


@case("vpd-lengths", "VPD 83 has a designator that runs past its end")
def _(t):
    real = t.disk().vpd
    t.disk().vpd = lambda page: bytes([0, 0x83, 0, 60, 1, 3, 0, 200]) + bytes(56) if page == 0x83 else real(page)


@case("vpd-empty", "VPD pages without bytes")
def _(t):
    t.disk().vpd = lambda page: b""


@case("mode-sense-empty", "MODE SENSE has no bytes")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: Answer() if cdb[0] in (0x1A, 0x5A) else None


@case("luns-empty", "REPORT LUNS lists nothing, and LUN 1 is there")
def _(t):
    t.report_luns = bytes(8)


@case("luns-without-ours", "REPORT LUNS lists LUN 0 alone, and LUN 1 is there")
def _(t):
    t.report_luns = struct.pack(">II", 8, 0) + bytes(8)


@case("cap-zero", "READ CAPACITY says that the last block is -1: a disk without blocks")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: (
        Answer(data=b"\xff" * 8 + struct.pack(">I", 512) + bytes(20)) if cdb[0] == 0x9E else
        Answer(data=b"\xff" * 4 + struct.pack(">I", 512)) if cdb[0] == 0x25 else None)


@case("cap-block-zero", "READ CAPACITY says blocks of 0 bytes")
def _(t):
    t.disk().hook = lambda c, l, cdb, e: (
        Answer(data=struct.pack(">QI", 16383, 0) + bytes(20)) if cdb[0] == 0x9E else
        Answer(data=struct.pack(">II", 16383, 0)) if cdb[0] == 0x25 else None)


@case("cap16-short", "READ CAPACITY(16) has 12 bytes")
def _(t):
    def hook(conn, lun, cdb, edtl):
        if cdb[0] == 0x9E:
            got = t.disk().plain(conn, lun, cdb, edtl)
            got.data = got.data[:12]
            return got
    t.disk().hook = hook


@case("lun-flat", "the LUN is 4001, flat addressing of LUN 1")
def _(t):
    t.luns = {bytes([0x40, 1]) + bytes(6): t.disk(), bytes([0, 1]) + bytes(6): t.disk()}


@case("tape", "a tape")
def _(t):
    t.disk().type, t.disk().removable = 1, 1


@case("enclosure-first", "LUN 0 is an enclosure, LUN 1 the disk")
def _(t):
    other = Disk(bytearray(1 << 16))
    other.type = 0x0D
    t.luns = {bytes(8): other, bytes([0, 1]) + bytes(6): t.disk()}


# ---- SendTargets

for name, what, lines in [
        ("st-lower-keys", "SendTargets has targetname= in small letters",
         ["targetname={iqn}", "targetaddress={here},1"]),
        ("st-blank", "SendTargets has an empty pair and TargetAlias",
         ["", "TargetName={iqn}", "TargetAlias=x", "TargetAddress={here},1"]),
        ("st-twice", "SendTargets names one portal three times", ["TargetName={iqn}"] + ["TargetAddress={here},1"] * 3),
        ("st-name-twice", "SendTargets names the target twice, a portal each",
         ["TargetName={iqn}", "TargetAddress=203.0.113.9:3260,1", "TargetName={iqn}", "TargetAddress={here},1"]),
        ("st-hosts", "SendTargets has a host name that nobody knows, then a good portal",
         ["TargetName={iqn}", "TargetAddress=nas_1.nowhere.test:3260,1", "TargetAddress={here},1"]),
        ("st-no-tag", "SendTargets has no tag", ["TargetName={iqn}", "TargetAddress={here}"]),
        ("st-no-port", "SendTargets has no port", ["TargetName={iqn}", "TargetAddress={host},1"]),
        ("st-loopback", "SendTargets has 127.0.0.1, then a good portal",
         ["TargetName={iqn}", "TargetAddress=127.0.0.1:3260,1", "TargetAddress={here},1"]),
        ("st-port-0", "SendTargets has port 0, then a good portal",
         ["TargetName={iqn}", "TargetAddress={host}:0,1", "TargetAddress={here},1"]),
        ("st-bad-names-first", "SendTargets has names that are none, then a good one",
         ["TargetName=data_disk", "TargetAddress={here},1", "TargetName=", "TargetAddress={here},1",
          "TargetName={iqn}", "TargetAddress={here},1"]),
        ("st-many", "SendTargets has 300 targets before ours",
         ["TargetName=iqn.2026-11.test:o%03d" % i for i in range(300)] +
         ["TargetName={iqn}", "TargetAddress={here},1"]),
]:
    def listed(t, lines=lines):
        t.send_targets = [line.format(iqn=IQN, here=here(t), host=here(t).rsplit(":", 1)[0]) for line in lines]
    CASES[name] = (listed, what)


@case("st-rejected", "SendTargets is rejected")
def _(t):
    def on_full(conn):
        if conn.discovery:
            conn.text_request = lambda bhs, data: conn.reject(5, bhs)
    t.on_full = on_full


@case("st-closed", "the discovery session is closed")
def _(t):
    t.on_full = lambda conn: conn.close() if conn.discovery else None


@case("st-empty", "SendTargets lists nothing")
def _(t):
    t.send_targets = []
