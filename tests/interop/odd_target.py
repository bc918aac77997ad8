"""A scripted iSCSI target whose disk and sessions are ordinary, and whose every part a case may replace: see
odd_cases.py. Standard library alone; one select loop, no threads."""
import base64
import hashlib
import heapq
import random
import socket
import struct
import time

IQN = "iqn.2026-11.test:odd"
NO_TAG = 0xFFFFFFFF
GOOD, CHECK, BUSY, CONFLICT, FULL, ACA = 0, 2, 8, 0x18, 0x28, 0x30
STARTED = time.time()


def say(*what):
    print("%8.3f" % (time.time() - STARTED), *what, flush=True)


def sense(key, asc, ascq):
    out = bytearray(18)
    out[0], out[2], out[7], out[12], out[13] = 0x70, key, 10, asc, ascq
    return bytes(out)


class Answer:
    """What a SCSI command gets: status, data, sense, and oddities of the PDUs that carry it."""

    def __init__(self, status=GOOD, data=b"", sense=b"", delay=0.0, **odd):
        self.status, self.data, self.sense, self.delay, self.odd = status, data, sense, delay, odd


def check(key, asc, ascq):
    return Answer(CHECK, sense=sense(key, asc, ascq))


# ------------------------------------------------------------------------------------------------
# A logical unit, as an ordinary one; cases override its methods or fields.


class Disk:
    def __init__(self, image, bs=512):
        self.image, self.bs = image, bs
        self.type, self.pq, self.removable = 0, 0, 0
        self.vendor, self.product, self.rev = b"ODD", b"FIELD-DISK", b"0001"
        self.serial = b"SN-000001"
        self.naa = bytes.fromhex("60014050000000010000000000000001")
        self.blocks = len(image) // bs
        self.b0 = None  # (max transfer, optimal) blocks; None: no such page
        self.cap16 = True
        self.wp = False
        self.pages = [0x00, 0x80, 0x83]
        self.max_blocks = None  # reads and writes of more are refused with 5/24/00
        self.hook = None  # (conn, lun, cdb, edtl) -> Answer or None
        self.write_hook = None
        self.inquiry_raw = None
        self.inquiry_add = 31

    def inquiry(self):
        if self.inquiry_raw is not None:
            return self.inquiry_raw
        head = bytes([self.pq << 5 | self.type, self.removable << 7, 6, 0x12, self.inquiry_add, 0, 0, 2])
        return (head + self.vendor.ljust(8)[:8] + self.product.ljust(16)[:16] + self.rev.ljust(4)[:4] + b"\0" * 60)

    def vpd(self, page):
        if page not in self.pages and not (page == 0xB0 and self.b0):
            return None
        if page == 0:
            body = bytes(sorted(self.pages + ([0xB0] if self.b0 else [])))
        elif page == 0x80:
            body = self.serial
        elif page == 0x83:
            body = bytes([1, 3, 0, len(self.naa)]) + self.naa
        elif page == 0xB0:
            body = bytearray(60)
            body[4:8] = struct.pack(">I", self.b0[0])
            body[8:12] = struct.pack(">I", self.b0[1])
            body = bytes(body)
        else:
            return None
        return bytes([self.type, page]) + struct.pack(">H", len(body)) + body

    def command(self, conn, lun, cdb, edtl):
        if self.hook:
            got = self.hook(conn, lun, cdb, edtl)
            if got is not None:
                return got
        return self.plain(conn, lun, cdb, edtl)

    def plain(self, conn, lun, cdb, edtl):
        op = cdb[0]
        if op == 0x00:
            return Answer()
        if op == 0x12:
            alloc = struct.unpack(">H", cdb[3:5])[0]
            if cdb[1] & 1:
                page = self.vpd(cdb[2])
                return check(5, 0x24, 0) if page is None else Answer(data=page[:alloc])
            return Answer(data=self.inquiry()[:alloc])
        if op == 0x25:
            last = min(self.blocks - 1, 0xFFFFFFFF)
            return Answer(data=struct.pack(">II", last, self.bs))
        if op == 0x9E and cdb[1] & 0x1F == 0x10:
            if not self.cap16:
                return check(5, 0x20, 0)
            alloc = struct.unpack(">I", cdb[10:14])[0]
            return Answer(data=(struct.pack(">QI", self.blocks - 1, self.bs) + b"\0" * 20)[:alloc])
        if op == 0x1A:
            return Answer(data=bytes([3, 0, 0x80 if self.wp else 0, 0])[:cdb[4]])
        if op == 0x5A:
            return Answer(data=bytes([0, 6, 0, 0x80 if self.wp else 0, 0, 0, 0, 0]))
        if op in (0x28, 0x88):
            lba, n = self.range(cdb)
            if self.max_blocks and n > self.max_blocks:
                return check(5, 0x24, 0)
            if lba + n > self.blocks:
                return check(5, 0x21, 0)
            return Answer(data=bytes(self.image[lba * self.bs:(lba + n) * self.bs]))
        if op in (0x35, 0x91, 0x1B, 0x1E):
            return Answer()
        if op == 0x03:
            return Answer(data=sense(0, 0, 0)[:cdb[4]])
        return check(5, 0x20, 0)

    def range(self, cdb):
        if cdb[0] in (0x28, 0x2A):
            return struct.unpack(">I", cdb[2:6])[0], struct.unpack(">H", cdb[7:9])[0]
        return struct.unpack(">Q", cdb[2:10])[0], struct.unpack(">I", cdb[10:14])[0]

    def write(self, conn, cdb, data):
        if self.write_hook:
            got = self.write_hook(conn, cdb, data)
            if got is not None:
                return got
        lba, n = self.range(cdb)
        if self.wp:
            return check(7, 0x27, 0)
        self.image[lba * self.bs:lba * self.bs + len(data)] = data
        return Answer()


# ------------------------------------------------------------------------------------------------
# The target: fields that cases set, methods that they replace.


class Target:
    def __init__(self, image, args):
        self.args = args
        self.image = image
        self.luns = {bytes([0, 1]) + b"\0" * 6: Disk(image)}
        self.report_luns = None  # raw reply, or None: those there are
        self.keys = {}           # operational answers that differ: key -> value, None (none), list (several)
        self.extra = []          # whole `key=value` strings after the answers, each once a login
        self.order = None        # "reversed"
        self.no_last_nul = False
        self.split = 0           # bytes of login text per response PDU
        self.tpgt = "1"
        self.tsih = 1
        self.chap = None         # dict: name, secret, challenge bytes, coding, ...
        self.redirects = []      # (status, TargetAddress[, more keys]): used up one a login
        self.statuses = []       # login statuses: used up one a login
        self.send_targets = None # list of strings
        self.window = 32
        self.stat_start = None
        self.max_burst, self.first_burst, self.mrdsl = 262144, 65536, 262144
        self.initial_r2t, self.immediate = True, True
        self.r2t_len = None
        self.separate_status = True
        self.logins = self.accepts = 0
        self.conns = []
        self.timers = []
        self.on_accept = self.on_full = self.on_command = self.on_logout = self.on_nop_out = None
        self.on_login_request = None
        self.luns_to = None
        self.data_in = None      # replaces Conn.send_data_in
        self.csg_lie = self.version = None
        self.state = {}

    def at(self, delay, fn):
        heapq.heappush(self.timers, (time.time() + delay, random.random(), fn))

    def disk(self):
        return next(iter(self.luns.values()))


class Closed(Exception):
    pass


class Conn:
    def __init__(self, target, sock, peer):
        self.t, self.sock, self.peer = target, sock, peer
        self.buf = b""
        self.stat_sn = random.randrange(1 << 31) if target.stat_start is None else target.stat_start
        self.exp_cmd_sn = 0
        self.window = target.window
        self.full = self.closed = False
        self.discovery = False
        self.tasks, self.waiting = {}, 0
        self.text = b""
        self.their_mrdsl, self.max_burst, self.first_burst = 8192, 262144, 65536
        self.initial_r2t, self.immediate = True, True
        self.extra_sent = False
        self.first = True
        self.chap_step = 0
        self.ttt = 100
        self.pending = []
        self.number = target.accepts
        self.late = []
        self.commands = 0

    # ---- bytes

    def send(self, bhs, data=b""):
        bhs = bytearray(bhs)
        bhs[5:8] = struct.pack(">I", len(data))[1:]
        self.raw(bytes(bhs) + data + b"\0" * (-len(data) % 4))

    def raw(self, what):
        if self.closed:
            return
        try:
            self.sock.setblocking(True)
            self.sock.settimeout(10)
            self.sock.sendall(what)
        except OSError as e:
            say("c%d send: %s" % (self.number, e))
            self.close()
        finally:
            if not self.closed:
                self.sock.setblocking(False)

    def close(self, rst=False):
        if self.closed:
            return
        self.closed = True
        if rst:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        say("c%d closed%s" % (self.number, " with RST" if rst else ""))

    def readable(self):
        try:
            got = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as e:
            say("c%d recv: %s" % (self.number, e))
            self.close()
            return
        if not got:
            say("c%d the initiator closed" % self.number)
            self.close()
            return
        self.buf += got
        while len(self.buf) >= 48 and not self.closed:
            ahs = self.buf[4] * 4
            n = int.from_bytes(self.buf[5:8], "big")
            whole = 48 + ahs + n + (-n % 4)
            if len(self.buf) < whole:
                return
            bhs, data = self.buf[:48], self.buf[48 + ahs:48 + ahs + n]
            self.buf = self.buf[whole:]
            self.pdu(bhs, data)

    # ---- dispatch

    def pdu(self, bhs, data):
        op = bhs[0] & 0x3F
        if op == 0x03:
            self.login(bhs, data)
        elif op == 0x01:
            self.scsi(bhs, data)
        elif op == 0x05:
            self.data_out(bhs, data)
        elif op == 0x04:
            self.text_request(bhs, data)
        elif op == 0x06:
            self.logout(bhs)
        elif op == 0x00:
            self.nop_out(bhs, data)
        elif op == 0x02:
            self.tmf(bhs)
        else:
            say("c%d opcode %02x?" % (self.number, op))

    def numbers(self, advance=True):
        out = struct.pack(">III", self.stat_sn & NO_TAG, self.exp_cmd_sn & NO_TAG,
                          (self.exp_cmd_sn + self.window - 1) & NO_TAG)
        if advance:
            self.stat_sn += 1
        return out

    # ---- login

    def reply(self, req, text, flags, status=0, tsih=None, more=False):
        bhs = bytearray(48)
        bhs[0], bhs[1] = 0x23, flags
        if self.t.csg_lie is not None:
            bhs[1] = (flags & ~0x0C) | self.t.csg_lie << 2
        if self.t.version is not None:
            bhs[2:4] = bytes(self.t.version)
        bhs[8:14] = req[8:14]
        bhs[14:16] = struct.pack(">H", tsih if tsih is not None else 0)
        bhs[16:20] = req[16:20]
        bhs[24:36] = self.numbers()
        bhs[36:38] = struct.pack(">H", status)
        self.send(bhs, text)

    def login(self, bhs, data):
        t = self.t
        csg, nsg, transit, cont = bhs[1] >> 2 & 3, bhs[1] & 3, bhs[1] >> 7, bhs[1] >> 6 & 1
        if self.first:
            self.exp_cmd_sn = struct.unpack(">I", bhs[24:28])[0]
            self.isid = bhs[8:14]
        if t.on_login_request and t.on_login_request(self, bhs, data):
            return
        if self.pending:  # the rest of an answer that was split
            self.send_part(bhs)
            return
        self.text += data
        if cont:
            self.reply(bhs, b"", csg << 2)
            return
        keys = dict(x.split(b"=", 1) for x in self.text.split(b"\0") if b"=" in x)
        keys = {k.decode(): v.decode("latin1") for k, v in keys.items()}
        self.text = b""
        shown = {k: v for k, v in keys.items() if not k.startswith("CHAP_R")}
        say("c%d login csg=%d nsg=%d T=%d isid=%s" % (self.number, csg, nsg, transit, bhs[8:14].hex()), shown)
        if keys.get("SessionType") == "Discovery":
            self.discovery = True
        if self.first:
            self.first = False
            t.logins += 1
            if t.statuses and not self.discovery:
                status = t.statuses.pop(0)
                if status:
                    say("c%d status %04x" % (self.number, status))
                    self.reply(bhs, b"", csg << 2, status)
                    self.close()
                    return
            if t.redirects and not self.discovery:
                status, *texts = t.redirects.pop(0)
                say("c%d redirect %04x %s" % (self.number, status, texts))
                self.reply(bhs, b"".join(x.encode() + b"\0" for x in texts), csg << 2, status)
                self.at_close()
                return
        out = []
        if "MaxRecvDataSegmentLength" in keys:
            self.their_mrdsl = int(keys["MaxRecvDataSegmentLength"], 0)
        flags = csg << 2
        if csg == 0 and t.chap:
            done = self.chap_answer(bhs, keys, out)
            if done is None:
                return
            if not done:
                transit = 0
        elif csg == 0:
            if "AuthMethod" in keys:
                out.append("AuthMethod=None")
        elif t.chap and self.chap_step < 3:
            self.reply(bhs, b"", flags, 0x0201)
            self.close()
            return
        if csg == 1:
            self.operational(keys, out)
        if t.tpgt is not None and not getattr(self, "tpgt_sent", False) and not self.discovery:
            self.tpgt_sent = True
            out.append("TargetPortalGroupTag=%s" % t.tpgt)
        if t.order == "reversed":
            out.reverse()
        if not self.extra_sent and csg == 1:
            self.extra_sent = True
            out += t.extra
            if t.extra and t.state.get("extra_holds"):
                transit = 0
        text = b"".join(x.encode("latin1") + b"\0" for x in out)
        if t.no_last_nul and text:
            text = text[:-1]
        if transit:
            flags |= 0x80 | nsg
        if t.split and len(text) > t.split:
            self.pending = [text[i:i + t.split] for i in range(0, len(text), t.split)]
            self.pending_flags = flags
            self.send_part(bhs)
            return
        self.finish(bhs, text, flags)

    def send_part(self, bhs):
        text = self.pending.pop(0)
        if self.pending:
            self.reply(bhs, text, (self.pending_flags & 0x0C) | 0x40)
        else:
            # T needs to be asked for by this very request; an empty one does not ask
            flags = self.pending_flags if bhs[1] & 0x80 else self.pending_flags & 0x0C
            self.finish(bhs, text, flags)

    def finish(self, bhs, text, flags):
        to_full = flags & 0x80 and flags & 3 == 3
        self.reply(bhs, text, flags, tsih=self.t.tsih if to_full else 0)
        if to_full:
            self.full = True
            say("c%d full feature phase%s, their MRDSL %d" %
                (self.number, " (discovery)" if self.discovery else "", self.their_mrdsl))
            if self.t.on_full:
                self.t.on_full(self)

    def at_close(self):
        self.t.at(0.05, self.close)

    def operational(self, keys, out):
        t = self.t
        mine = {"HeaderDigest": "None", "DataDigest": "None", "ErrorRecoveryLevel": "0",
                "MaxRecvDataSegmentLength": str(t.mrdsl), "DefaultTime2Wait": "2", "DefaultTime2Retain": "0",
                "IFMarker": "No", "OFMarker": "No"}
        if not self.discovery:
            mine.update({"InitialR2T": "Yes" if t.initial_r2t else keys.get("InitialR2T", "Yes"),
                         "ImmediateData": "No" if not t.immediate else keys.get("ImmediateData", "Yes"),
                         "MaxBurstLength": str(min(t.max_burst, int(keys.get("MaxBurstLength", "262144"), 0))),
                         "FirstBurstLength": str(min(t.first_burst, int(keys.get("FirstBurstLength", "65536"), 0))),
                         "MaxOutstandingR2T": "1", "MaxConnections": "1", "DataPDUInOrder": "Yes",
                         "DataSequenceInOrder": "Yes"})
        for key in keys:
            if key in ("InitiatorName", "TargetName", "SessionType", "InitiatorAlias") or key.startswith("CHAP"):
                continue
            if key == "AuthMethod":
                out.append("AuthMethod=None")
                continue
            if self.extra_sent and any(x.startswith(key + "=") for x in t.extra):
                say("c%d it answers our %s with %s" % (self.number, key, keys[key]))
                continue
            value = t.keys.get(key, mine.get(key, "NotUnderstood"))
            for v in value if isinstance(value, list) else [value]:
                if v is not None:
                    out.append("%s=%s" % (key, v))
        self.max_burst = t.max_burst
        self.first_burst = t.first_burst
        self.initial_r2t, self.immediate = t.initial_r2t, t.immediate
        if "InitialR2T" in keys and not t.initial_r2t:
            self.initial_r2t = keys["InitialR2T"] == "Yes"

    # ---- CHAP: True when the stage may end, False when it goes on, None when it failed

    def chap_answer(self, bhs, keys, out):
        c = self.t.chap
        if "AuthMethod" in keys:
            self.chap_step = 1
            out.append("AuthMethod=%s" % c.get("method", "CHAP"))
            if c.get("method") == "None":
                self.chap_step = 3
                return True
            return False
        if "CHAP_A" in keys:
            offered = keys["CHAP_A"].split(",")
            want = c.get("alg", "5")
            if c.get("only_first") and offered[0] != want or want not in offered:
                say("c%d CHAP_A %s refused" % (self.number, keys["CHAP_A"]))
                self.reply(bhs, b"", bhs[1] & 0x0C, c.get("alg_status", 0x0201))
                self.close()
                return None
            self.alg = want
            self.challenge = bytes(random.randrange(256) for _ in range(c.get("len", 16)))
            if c.get("lead_zero"):
                self.challenge = bytes([0x0A]) + self.challenge[1:]
            self.ident = c.get("ident", 7)
            coded = "0x" + self.challenge.hex()
            coding = c.get("coding", "hex")
            if coding == "HEX":
                coded = "0X" + self.challenge.hex().upper()
            elif coding == "Hex":
                coded = "0x" + self.challenge.hex().upper()
            elif coding == "odd":
                coded = "0x" + self.challenge.hex().lstrip("0")
            elif coding == "base64":
                coded = "0b" + base64.b64encode(self.challenge).decode()
            elif coding == "base64nopad":
                coded = "0b" + base64.b64encode(self.challenge).decode().rstrip("=")
            elif coding == "BASE64":
                coded = "0B" + base64.b64encode(self.challenge).decode()
            out.append("CHAP_A=%s" % c.get("alg_text", want))
            out.append("CHAP_I=%s" % c.get("ident_text", str(self.ident)))
            out.append("CHAP_C=%s" % coded)
            out += c.get("more", [])
            if c.get("reverse"):
                out.reverse()
            self.chap_step = 2
            return False
        if "CHAP_R" in keys:
            how = {"5": hashlib.md5, "6": hashlib.sha1, "7": hashlib.sha256, "8": hashlib.sha3_256}[self.alg]
            right = how(bytes([self.ident]) + c["secret"] + self.challenge).hexdigest()
            got = keys["CHAP_R"].lower()
            if got != "0x" + right or keys.get("CHAP_N") != c["name"]:
                say("c%d CHAP wrong: N=%r R ok=%s" % (self.number, keys.get("CHAP_N"), got == "0x" + right))
                self.reply(bhs, b"", bhs[1] & 0x0C, c.get("bad_status", 0x0201))
                self.close()
                return None
            say("c%d CHAP right" % self.number)
            if "CHAP_C" in keys and c.get("target_secret"):
                theirs = bytes.fromhex(keys["CHAP_C"][2:])
                r = how(bytes([int(keys["CHAP_I"], 0)]) + c["target_secret"] + theirs).hexdigest()
                out.append("CHAP_N=%s" % c.get("target_name", "target"))
                out.append("CHAP_R=0x%s" % (r.upper() if c.get("upper_r") else r))
            elif c.get("always_n"):
                out.append("CHAP_N=%s" % c["always_n"])
            self.chap_step = 3
            return True
        if c.get("repeat_method"):
            out.append("AuthMethod=CHAP")
        return self.chap_step == 3

    # ---- full feature phase

    def text_request(self, bhs, data):
        say("c%d text %r immediate=%d" % (self.number, data, bhs[0] >> 6 & 1))
        if not bhs[0] & 0x40:
            self.exp_cmd_sn = struct.unpack(">I", bhs[24:28])[0] + 1
        lines = self.t.send_targets
        if lines is None:
            lines = ["TargetName=" + IQN, "TargetAddress=%s,1" % self.t.args.listen[0]]
        if self.late:
            parts = self.late
        else:
            text = b"".join(x.encode() + b"\0" for x in lines)
            size = self.t.state.get("text_part", 1 << 20)
            parts = [text[i:i + size] for i in range(0, len(text), size)] or [b""]
        self.late = parts[1:]
        out = bytearray(48)
        out[0] = 0x24
        out[1] = 0x80 if not self.late else self.t.state.get("text_flags", 0)
        out[16:20] = bhs[16:20]
        out[20:24] = struct.pack(">I", NO_TAG if not self.late else 7)
        out[24:36] = self.numbers()
        self.send(out, parts[0])

    def logout(self, bhs):
        say("c%d logout reason %d" % (self.number, bhs[1] & 0x7F))
        if self.t.on_logout and self.t.on_logout(self, bhs):
            return
        out = bytearray(48)
        out[0], out[1] = 0x26, 0x80
        out[16:20] = bhs[16:20]
        out[24:36] = self.numbers()
        out[40:42] = struct.pack(">H", self.t.state.get("time2wait", 0))
        self.send(out)
        self.at_close()

    def nop_out(self, bhs, data):
        itt, ttt = struct.unpack(">II", bhs[16:24])
        say("c%d NOP-Out itt=%08x ttt=%08x ExpStatSN=%d lun=%s" %
            (self.number, itt, ttt, struct.unpack(">I", bhs[28:32])[0], bhs[8:16].hex()))
        if self.t.on_nop_out and self.t.on_nop_out(self, bhs, data):
            return
        if itt == NO_TAG:
            return
        out = bytearray(48)
        out[0], out[1] = 0x20, 0x80
        out[8:16] = bhs[8:16]
        out[16:20] = bhs[16:20]
        out[20:24] = b"\xff" * 4
        out[24:36] = self.numbers()
        self.send(out, data)

    def nop_in(self, ttt=NO_TAG, data=b"", lun=b"\0" * 8, advance=False):
        out = bytearray(48)
        out[0], out[1] = 0x20, 0x80
        out[8:16] = lun
        out[16:20] = b"\xff" * 4
        out[20:24] = struct.pack(">I", ttt)
        out[24:36] = self.numbers(advance)
        self.send(out, data)

    def async_event(self, event, vcode=0, p1=0, p2=0, p3=0, data=b""):
        say("c%d async event %d" % (self.number, event))
        out = bytearray(48)
        out[0], out[1] = 0x32, 0x80
        out[16:20] = b"\xff" * 4
        out[24:36] = self.numbers()
        out[36], out[37] = event, vcode
        out[38:44] = struct.pack(">HHH", p1, p2, p3)
        self.send(out, data)

    def reject(self, reason, bhs):
        out = bytearray(48)
        out[0], out[1], out[2] = 0x3F, 0x80, reason
        out[16:20] = b"\xff" * 4
        out[24:36] = self.numbers()
        self.send(out, bhs)

    def tmf(self, bhs):
        say("c%d TMF %d" % (self.number, bhs[1] & 0x7F))
        out = bytearray(48)
        out[0], out[1], out[2] = 0x22, 0x80, self.t.state.get("tmf_response", 0)
        out[16:20] = bhs[16:20]
        out[24:36] = self.numbers()
        self.send(out)

    # ---- SCSI

    def find_lun(self, lun):
        return self.t.luns_to(self, lun) if self.t.luns_to else self.t.luns.get(bytes(lun))

    def scsi(self, bhs, data):
        itt, edtl, cmd_sn = struct.unpack(">III", bhs[16:28])
        lun, cdb = bhs[8:16], bhs[32:48]
        if not bhs[0] & 0x40:
            self.exp_cmd_sn = (cmd_sn + 1) & NO_TAG
        self.commands += 1
        if cdb[0] not in (0x28, 0x88, 0x2A, 0x8A) or self.t.args.verbose:
            say("c%d scsi %s lun=%s edtl=%d" % (self.number, cdb[:10].hex(), lun.hex(), edtl))
        if self.t.on_command and self.t.on_command(self, bhs, data):
            return
        self.execute(itt, lun, cdb, edtl, bhs, data)

    def execute(self, itt, lun, cdb, edtl, bhs, data):
        disk = self.find_lun(lun)
        if cdb[0] == 0xA0:
            answer = self.luns(cdb)
        elif disk is None:
            if cdb[0] == 0x12 and not cdb[1] & 1:
                answer = Answer(data=(bytes([0x7F, 0, 6, 2, 31]) + b"\0" * 31)[:cdb[4]])
            else:
                answer = check(5, 0x25, 0)
        elif bhs[1] & 0x20 and edtl:
            early = disk.hook(self, lun, cdb, edtl) if disk.hook else None
            if early is None:
                self.begin_write(itt, lun, cdb, edtl, bhs, data, disk)
                return
            answer = early
        else:
            answer = disk.command(self, lun, cdb, edtl)
        self.answer(itt, lun, edtl, answer)

    def luns(self, cdb):
        if self.t.report_luns is not None:
            raw = self.t.report_luns
        else:
            names = sorted(self.t.luns)
            raw = struct.pack(">II", 8 * len(names), 0) + b"".join(names)
        return Answer(data=raw[:struct.unpack(">I", cdb[6:10])[0]])

    def answer(self, itt, lun, edtl, answer):
        if answer.delay:
            self.waiting += 1

            def later():
                self.waiting -= 1
                if not self.closed:
                    self.send_answer(itt, lun, edtl, answer)
            self.t.at(answer.delay, later)
            return
        self.send_answer(itt, lun, edtl, answer)

    def send_answer(self, itt, lun, edtl, a):
        if self.t.data_in and a.data and a.status == GOOD and self.t.data_in(self, itt, lun, edtl, a):
            return
        data = a.data[:edtl]
        residual, flags = 0, 0
        if len(a.data) > edtl:
            residual, flags = len(a.data) - edtl, 4
        elif len(a.data) < edtl and not a.odd.get("no_residual"):
            residual, flags = edtl - len(a.data), 2
        flags = a.odd.get("flags", flags)
        residual = a.odd.get("residual", residual)
        if a.odd.get("truncate") is not None:
            data = data[:a.odd["truncate"]]
        status_in = a.status == GOOD and data and not self.t.separate_status
        if data:
            self.send_data_in(itt, data, status_in, flags, residual, lun)
        if status_in:
            return
        self.response(itt, a.status, a.sense, flags, residual, a.odd)

    def send_data_in(self, itt, data, with_status=False, flags=0, residual=0, lun=b"\0" * 8):
        sn, at = 0, 0
        while at < len(data):
            n = min(len(data) - at, self.their_mrdsl, self.max_burst - at % self.max_burst)
            last = at + n == len(data)
            final = last or (at + n) % self.max_burst == 0
            out = bytearray(48)
            out[0] = 0x25
            out[1] = (0x80 if final else 0) | (0x01 | flags if last and with_status else 0)
            out[16:20] = struct.pack(">I", itt)
            out[20:24] = b"\xff" * 4
            out[24:36] = self.numbers(advance=last and with_status)
            out[36:44] = struct.pack(">II", sn, at)
            if last and with_status:
                out[44:48] = struct.pack(">I", residual)
            self.send(out, data[at:at + n])
            sn, at = sn + 1, at + n

    def response(self, itt, status, sense_data=b"", flags=0, residual=0, odd={}):
        out = bytearray(48)
        out[0], out[1], out[2], out[3] = 0x21, 0x80 | flags, odd.get("response", 0), status
        out[16:20] = struct.pack(">I", itt)
        out[24:36] = self.numbers(odd.get("advance", True))
        out[44:48] = struct.pack(">I", residual)
        seg = b""
        if sense_data:
            seg = struct.pack(">H", odd.get("sense_len", len(sense_data))) + sense_data
        self.send(out, seg)

    # ---- writes

    def begin_write(self, itt, lun, cdb, edtl, bhs, data, disk):
        task = {"lun": lun, "cdb": cdb, "edtl": edtl, "buf": bytearray(edtl), "disk": disk,
                "r2t_sn": 0, "unsolicited": not bhs[1] & 0x80, "got": 0, "want": []}
        task["buf"][:len(data)] = data
        task["got"] = len(data)
        if data and not self.immediate:
            say("c%d immediate data of %d bytes, though it was refused" % (self.number, len(data)))
        if len(data) > self.first_burst:
            say("c%d immediate data of %d bytes, more than FirstBurstLength" % (self.number, len(data)))
        self.tasks[itt] = task
        if not task["unsolicited"]:
            self.next_r2t(itt)

    def next_r2t(self, itt):
        task = self.tasks[itt]
        if task["got"] >= task["edtl"]:
            del self.tasks[itt]
            say("c%d write of %d bytes whole, %d R2Ts" % (self.number, task["edtl"], task["r2t_sn"]))
            self.answer(itt, task["lun"], 0, task["disk"].write(self, task["cdb"], bytes(task["buf"])))
            return
        n = min(self.t.r2t_len or self.max_burst, task["edtl"] - task["got"])
        out = bytearray(48)
        out[0], out[1] = 0x31, 0x80
        out[8:16] = task["lun"]
        out[16:20] = struct.pack(">I", itt)
        self.ttt += 1
        out[20:24] = struct.pack(">I", self.ttt)
        out[24:36] = self.numbers(False)
        if self.t.state.get("r2t_zero"):
            out[28:36] = b"\0" * 8
        out[36:48] = struct.pack(">III", task["r2t_sn"], task["got"], n)
        task["r2t_sn"] += 1
        task["until"] = task["got"] + n
        self.send(out)

    def data_out(self, bhs, data):
        itt, ttt = struct.unpack(">II", bhs[16:24])
        sn, off = struct.unpack(">II", bhs[36:44])
        task = self.tasks.get(itt)
        if task is None:
            say("c%d Data-Out without a task" % self.number)
            return
        if len(data) > self.t.mrdsl:
            say("c%d Data-Out of %d bytes, more than our MRDSL" % (self.number, len(data)))
        if off != task["got"]:
            say("c%d Data-Out at %d, expected %d" % (self.number, off, task["got"]))
        task["buf"][off:off + len(data)] = data
        task["got"] = off + len(data)
        if bhs[1] & 0x80:
            self.next_r2t(itt)
