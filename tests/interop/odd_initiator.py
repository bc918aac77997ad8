"""An iSCSI initiator for scripts: each PDU is built by hand, so that a case can send what some initiator sends.
Standard library alone; one connection, one thread. RFC 7143 11."""
import hashlib
import socket
import struct

GOOD, CHECK, BUSY, CONFLICT, FULL, ABORTED = 0x00, 0x02, 0x08, 0x18, 0x28, 0x40
NO_TAG = 0xFFFFFFFF
LUN0 = bytes(8)


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Closed(Exception):
    """The target has closed the connection."""


class Answer:
    """What a command got: status, data, and sense as (key, asc, ascq)."""

    def __init__(self, status, data=b"", raw=b"", flags=0, residual=0):
        self.status, self.data, self.flags, self.residual = status, data, flags, residual
        self.raw = raw
        self.sense = None
        if len(raw) >= 14 and raw[0] & 0x7F in (0x70, 0x71):
            self.sense = (raw[2] & 15, raw[12], raw[13])

    def __repr__(self):
        sense = " sense %x/%02x/%02x" % self.sense if self.sense else ""
        return "status %02x%s, %d bytes, flags %02x, residual %d" % (self.status, sense, len(self.data), self.flags,
                                                                      self.residual)


class Initiator:
    def __init__(self, address, port, target, name="iqn.2026-11.test:odd-initiator", isid=b"\x80\0\0\0\0\1"):
        self.sock = socket.create_connection((address, port), timeout=20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.target, self.name, self.isid = target, name, isid
        self.itt, self.cmd_sn, self.exp_stat_sn, self.tsih, self.cid = 1, 1, 0, 0, 0
        self.keys = {}      # what was agreed
        self.answered = {}  # what the target said last, with keys of its own
        self.asked = []     # NOP-Ins that want an answer, and asynchronous messages
        self.digests = (False, False)  # of headers and data, once they are agreed on
        self.window = 0

    # ---- PDUs

    def send(self, bhs, data=b"", ahs=b"", damage=0):
        """damage: 1 of the header's digest, 2 of the data's."""
        bhs = bytearray(bhs)
        bhs[4] = len(ahs) // 4
        bhs[5:8] = struct.pack(">I", len(data))[1:]
        header, data = bytes(bhs) + ahs, data + b"\0" * (-len(data) % 4)
        if self.digests[0]:
            header += struct.pack("<I", crc32c(header) ^ (damage == 1))
        if self.digests[1] and data:
            data += struct.pack("<I", crc32c(data) ^ (damage == 2))
        self.sock.sendall(header + data)

    def take(self, n):
        out = b""
        while len(out) < n:
            got = self.sock.recv(n - len(out))
            if not got:
                raise Closed()
            out += got
        return out

    def receive(self):
        bhs = self.take(48)
        ahs = self.take(bhs[4] * 4)
        if self.digests[0]:
            assert self.take(4) == struct.pack("<I", crc32c(bhs + ahs)), "the header's digest is wrong"
        n = int.from_bytes(bhs[5:8], "big")
        data = self.take(n + -n % 4)
        if self.digests[1] and n:
            assert self.take(4) == struct.pack("<I", crc32c(data)), "the data's digest is wrong"
        data = data[:n]
        op = bhs[0] & 0x3F
        has_status = op not in (0x31, 0x25) or (op == 0x25 and bhs[1] & 1)
        if has_status and not (op == 0x20 and bhs[16:20] == b"\xff" * 4):
            self.exp_stat_sn = (struct.unpack(">I", bhs[24:28])[0] + 1) & NO_TAG
        self.window = (struct.unpack(">I", bhs[32:36])[0] - struct.unpack(">I", bhs[28:32])[0] + 1) & NO_TAG
        return bhs, data

    def next_tag(self):
        self.itt += 1
        return self.itt

    def request(self, op, flags, immediate=False, lun=LUN0):
        bhs = bytearray(48)
        bhs[0], bhs[1] = op | (0x40 if immediate else 0), flags
        bhs[8:16] = lun
        bhs[16:20] = struct.pack(">I", self.next_tag())
        bhs[24:32] = struct.pack(">II", self.cmd_sn, self.exp_stat_sn)
        if not immediate:
            self.cmd_sn = (self.cmd_sn + 1) & NO_TAG
        return bhs

    # ---- login

    def login_pdu(self, csg, nsg, transit, text, more=False, version_min=0, says_next=False):
        """One Login Request and its response: (status, flags, keys). says_next: NSG is there without T."""
        bhs = bytearray(48)
        bhs[0], bhs[1] = 0x43, (0x80 if transit else 0) | (0x40 if more else 0) | csg << 2
        bhs[1] |= nsg if transit or says_next else 0
        bhs[2] = bhs[3] = version_min
        bhs[8:14], bhs[14:16] = self.isid, struct.pack(">H", self.tsih)
        bhs[16:22] = struct.pack(">IH", self.itt, self.cid)
        bhs[24:32] = struct.pack(">II", self.cmd_sn, self.exp_stat_sn)
        self.send(bhs, text)
        bhs, data = self.receive()
        if bhs[0] != 0x23:
            raise AssertionError("opcode %02x in a login" % bhs[0])
        self.tsih = struct.unpack(">H", bhs[14:16])[0]
        keys = dict(x.split(b"=", 1) for x in data.split(b"\0") if b"=" in x)
        keys = {k.decode(): v.decode("latin1") for k, v in keys.items()}
        self.answered = keys
        self.keys.update(keys)
        return struct.unpack(">H", bhs[36:38])[0], bhs[1], keys

    def names(self, session="Normal"):
        out = ["InitiatorName=" + self.name, "SessionType=" + session]
        return out + (["TargetName=" + self.target] if session == "Normal" else [])

    def stage(self, csg, nsg, transit, words):
        """A login step that has to be taken."""
        text = b"".join(w.encode() + b"\0" for w in words)
        status, flags, keys = self.login_pdu(csg, nsg, transit, text)
        if status != 0:
            raise AssertionError("login status %04x" % status)
        if transit and not flags & 0x80:
            raise AssertionError("the target does not leave stage %d" % csg)
        return keys

    def log_in(self, security=("AuthMethod=None",), operational=(), session="Normal"):
        """Two steps: security, then operational. security None: it begins with the operational stage."""
        if security is not None:
            self.stage(0, 1, True, self.names(session) + list(security))
            self.stage(1, 3, True, operational)
        else:
            self.stage(1, 3, True, self.names(session) + list(operational))
        return self

    def chap(self, name, secret, algorithms="5"):
        """CHAP in three steps, as most do it; then the operational stage is next."""
        self.stage(0, 1, False, self.names() + ["AuthMethod=CHAP,None"])
        keys = self.stage(0, 1, False, ["CHAP_A=" + algorithms])
        digest = {"5": hashlib.md5, "6": hashlib.sha1, "7": hashlib.sha256}[keys["CHAP_A"]]
        challenge = bytes.fromhex(keys["CHAP_C"][2:])
        response = digest(bytes([int(keys["CHAP_I"], 0)]) + secret.encode() + challenge).hexdigest()
        self.stage(0, 1, True, ["CHAP_N=" + name, "CHAP_R=0x" + response])

    # ---- full feature phase

    def number(self, key, otherwise):
        return int(self.keys.get(key, otherwise), 0)

    def command(self, cdb, out=b"", read=0, lun=LUN0, attribute=1, immediate=False, unsolicited=0, edtl=None):
        """A command to its end. out: what is written, of which `unsolicited` bytes go with the command."""
        cdb = bytes(cdb)
        flags = 0x80 | (0x40 if read else 0) | (0x20 if out else 0) | attribute
        bhs = self.request(0x01, flags, immediate, lun)
        bhs[20:24] = struct.pack(">I", edtl if edtl is not None else max(len(out), read))
        bhs[32:48] = cdb.ljust(16, b"\0")
        self.send(bhs, out[:unsolicited])
        return self.finish(bytes(bhs[16:20]), lun, out, read)

    def finish(self, tag, lun, out, read):
        got = bytearray(read)
        top = 0
        while True:
            bhs, data = self.receive()
            op = bhs[0] & 0x3F
            if op == 0x25 and bhs[16:20] == tag:
                offset = struct.unpack(">I", bhs[40:44])[0]
                got[offset:offset + len(data)] = data
                top = max(top, offset + len(data))
                if bhs[1] & 1:
                    return Answer(bhs[3], bytes(got[:top]), b"", bhs[1], struct.unpack(">I", bhs[44:48])[0])
            elif op == 0x31 and bhs[16:20] == tag:
                self.give(bhs, lun, out)
            elif op == 0x21 and bhs[16:20] == tag:
                return Answer(bhs[3], bytes(got[:top]), data[2:], bhs[1], struct.unpack(">I", bhs[44:48])[0])
            elif op == 0x3F:
                raise AssertionError("a Reject, reason %02x" % bhs[2])
            else:
                self.asked.append((bhs, data))

    def give(self, r2t, lun, out):
        """Data-Out for one R2T, in PDUs of what the target takes."""
        offset, n = struct.unpack(">II", r2t[40:48])
        most = self.number("MaxRecvDataSegmentLength", "8192")
        for number, at in enumerate(range(offset, offset + n, most)):
            part = out[at:min(at + most, offset + n)]
            bhs = bytearray(48)
            bhs[0], bhs[1] = 0x05, 0x80 if at + most >= offset + n else 0
            bhs[8:16], bhs[16:20], bhs[20:24] = lun, r2t[16:20], r2t[20:24]
            bhs[28:32] = struct.pack(">I", self.exp_stat_sn)
            bhs[36:44] = struct.pack(">II", number, at)
            self.send(bhs, part)

    def ping(self, data=b"", immediate=True):
        """A NOP-Out that is answered; gives what comes back."""
        bhs = self.request(0x00, 0x80, immediate)
        bhs[20:24] = b"\xff" * 4
        self.send(bhs, data)
        got, back = self.receive()
        assert got[0] & 0x3F == 0x20 and got[16:20] == bhs[16:20], "a NOP-Out has no answer"
        return back

    def text(self, words):
        bhs = self.request(0x04, 0x80)
        bhs[20:24] = b"\xff" * 4
        self.send(bhs, b"".join(w.encode() + b"\0" for w in words))
        got, data = self.receive()
        assert got[0] & 0x3F == 0x24, "opcode %02x for a text request" % got[0]
        return [x.decode() for x in data.split(b"\0") if x]

    def manage(self, function, lun=LUN0, ref=NO_TAG, immediate=True, ref_sn=0):
        """Task management; gives the response code."""
        bhs = self.request(0x02, 0x80 | function, immediate, lun)
        bhs[20:24], bhs[32:36] = struct.pack(">I", ref), struct.pack(">I", ref_sn)
        self.send(bhs)
        while True:
            got, data = self.receive()
            if got[0] & 0x3F == 0x22:
                return got[2]
            self.asked.append((got, data))

    def ask_logout(self, reason=0, immediate=True, cid=None):
        """A logout and its response code; the connection stays open at our end."""
        bhs = self.request(0x06, 0x80 | reason, immediate)
        bhs[20:22] = struct.pack(">H", self.cid if cid is None else cid)
        self.send(bhs)
        got, _ = self.receive()
        assert got[0] & 0x3F == 0x26, "opcode %02x for a logout" % got[0]
        return got[2]

    def log_out(self, reason=0, immediate=True):
        response = self.ask_logout(reason, immediate)
        self.sock.close()
        return response
