"""Still more cases of odd-target.py: what stands in headers, and where rules are broken that few initiators ask for."""
import struct

from odd_cases import case, change_first_read, here, there
from odd_target import CHECK, GOOD, IQN, NO_TAG, Answer, sense

LOGIN_RESPONSE, DATA_IN, RESPONSE, R2T = 0x23, 0x25, 0x21, 0x31


def rewrite(t, change, *opcodes):
    """change(conn, header, data) -> data, for what is sent with one of these opcodes; the header is changed in
    place."""
    def on_accept(conn):
        whole = conn.send

        def send(bhs, data=b""):
            bhs = bytearray(bhs)
            if bhs[0] in opcodes:
                data = change(conn, bhs, data)
            whole(bhs, data)
        conn.send = send
    t.on_accept = on_accept


def header_case(name, what, place, value, *opcodes):
    @case(name, what)
    def _(t):
        def change(conn, bhs, data):
            bhs[place:place + len(value)] = value
            return data
        rewrite(t, change, *opcodes)


# ---- login

header_case("login-isid-zero", "an ISID of 0 in login responses", 8, bytes(6), LOGIN_RESPONSE)
header_case("login-reserved-bits", "reserved bytes of login responses are not 0", 38, b"\xff" * 10, LOGIN_RESPONSE)
header_case("login-window-zero", "ExpCmdSN and MaxCmdSN are 0 in login responses", 28, bytes(8), LOGIN_RESPONSE)
header_case("login-tsih-each", "a TSIH in each login response", 14, b"\0\1", LOGIN_RESPONSE)


@case("login-statsn-stands", "StatSN does not advance during the login")
def _(t):
    def change(conn, bhs, data):
        conn.stat_sn -= 1
        bhs[24:28] = struct.pack(">I", conn.stat_sn & NO_TAG)
        if bhs[1] & 0x83 == 0x83:
            conn.stat_sn += 1
        return data
    rewrite(t, change, LOGIN_RESPONSE)


def rounds(name, what, count):
    @case(name, what)
    def _(t):
        left = [count]

        def on(conn, bhs, data):
            if bhs[1] & 0x80 and bhs[1] >> 2 & 3 == 1 and left[0] and not conn.discovery:
                left[0] -= 1
                conn.reply(bhs, b"", 0x04)
                return True
        t.on_login_request = on


rounds("rounds-3", "three empty answers before the operational stage may end", 3)
rounds("rounds-for-ever", "the operational stage never ends", 100000)


@case("text-begins-with-nul", "a NUL before the first pair, and two between pairs")
def _(t):
    rewrite(t, lambda conn, bhs, data: b"\0" + data.replace(b"\0", b"\0\0") if data else data, LOGIN_RESPONSE)


@case("values-with-line-ends", "a line feed behind each value")
def _(t):
    rewrite(t, lambda conn, bhs, data: data.replace(b"\0", b"\n\0"), LOGIN_RESPONSE)


@case("padding-not-zero", "padding bytes are not 0")
def _(t):
    def on_accept(conn):
        def send(bhs, data=b""):
            bhs = bytearray(bhs)
            bhs[5:8] = struct.pack(">I", len(data))[1:]
            conn.raw(bytes(bhs) + data + b"\xaa" * (-len(data) % 4))
        conn.send = send
    t.on_accept = on_accept


@case("additional-header", "an additional header segment in Data-In")
def _(t):
    def on_accept(conn):
        whole = conn.send

        def send(bhs, data=b""):
            if bhs[0] != DATA_IN:
                return whole(bhs, data)
            bhs = bytearray(bhs)
            bhs[4] = 2
            bhs[5:8] = struct.pack(">I", len(data))[1:]
            conn.raw(bytes(bhs) + b"\0\5\1\0\0\0\0\0" + data + bytes(-len(data) % 4))
            return None
        conn.send = send
    t.on_accept = on_accept


@case("alias-long", "a TargetAlias of 255 bytes that is not ASCII")
def _(t):
    t.extra = ["TargetAlias=" + "\xc3\xa4" * 127]


@case("alias-escape", "a TargetAlias with an escape sequence")
def _(t):
    t.extra = ["TargetAlias=\x1b[2J"]


@case("reject-login", "a Reject in place of a login response")
def _(t):
    t.on_login_request = lambda conn, bhs, data: (conn.reject(4, bhs), True)[1]


@case("ping-during-login", "a NOP-In before the first login response")
def _(t):
    def on(conn, bhs, data):
        if not t.state.get(conn.number):
            t.state[conn.number] = True
            conn.nop_in()
    t.on_login_request = on


@case("redirect-late", "0101 comes in the second login response")
def _(t):
    def on(conn, bhs, data):
        if conn.sock.getsockname()[0].startswith("10.78.") and bhs[1] >> 2 & 3 == 1:
            conn.reply(bhs, b"TargetAddress=" + there(t).encode() + b",1\0", 0x04, 0x0101)
            conn.at_close()
            return True
    t.on_login_request = on


@case("redirect-with-keys", "0101 with other keys round the address")
def _(t):
    t.redirects = [(0x0101, "TargetAlias=x", "TargetAddress=%s,1" % there(t), "X-y=1")]


@case("redirect-without-nul", "0101 whose text does not end in a NUL")
def _(t):
    def on(conn, bhs, data):
        if conn.sock.getsockname()[0].startswith("10.78."):
            conn.reply(bhs, b"TargetAddress=" + there(t).encode() + b",1", 0, 0x0101)
            conn.at_close()
            return True
    t.on_login_request = on


# ---- session

header_case("data-sn-stands", "DataSN is 0 in each Data-In", 36, bytes(4), DATA_IN)
header_case("exp-data-sn-zero", "ExpDataSN is 0 in each response", 36, bytes(4), RESPONSE)
header_case("r2t-sn-stands", "R2TSN is 0 in each R2T", 36, bytes(4), R2T)
header_case("data-in-tag", "a Target Transfer Tag in Data-In, without A", 20, b"\0\0\0\7", DATA_IN)
header_case("response-reserved", "reserved bytes of responses are not 0", 8, b"\xaa" * 8, RESPONSE)


@case("max-cmd-behind", "MaxCmdSN behind ExpCmdSN - 1 in each fourth response: to be left alone")
def _(t):
    def change(conn, bhs, data):
        t.state["n"] = t.state.get("n", 0) + 1
        if t.state["n"] % 4 == 0:
            bhs[32:36] = struct.pack(">I", (conn.exp_cmd_sn - 5) & NO_TAG)
        return data
    rewrite(t, change, RESPONSE)


@case("data-in-larger", "Data-In above our MaxRecvDataSegmentLength")
def _(t):
    t.on_full = lambda conn: setattr(conn, "their_mrdsl", 1 << 24)


@case("data-in-beyond", "Data-In beyond what was asked for")
def _(t):
    def data_in(conn, itt, lun, edtl, a):
        if edtl < 65536:
            return False
        conn.send_data_in(itt, a.data[:edtl] + bytes(512))
        conn.response(itt, GOOD)
        return True
    t.data_in = data_in


@case("r2t-larger", "an R2T for more than MaxBurstLength")
def _(t):
    t.max_burst, t.r2t_len = 65536, 1 << 20


@case("tmf-refused", "a command is never answered once, and task management is not supported")
def _(t):
    t.state["tmf_response"] = 5

    def on(conn, bhs, data):
        if bhs[32] in (0x28, 0x88) and not t.state.get("silent"):
            t.state["silent"] = True
            return True
    t.on_command = on


@case("residual-both", "both U and O, once, of a whole read")
def _(t):
    change_first_read(t, lambda got: got.odd.update(flags=6, residual=0))


# ---- disk


def once_each(t, make, *opcodes):
    seen = set()

    def on(conn, bhs, data):
        key = (bhs[32], bhs[33] & 1, bhs[34] if bhs[32] == 0x12 else 0)
        if opcodes and bhs[32] not in opcodes or key in seen:
            return None
        seen.add(key)
        conn.response(struct.unpack(">I", bhs[16:20])[0], *make())
        return True
    t.on_command = on


@case("ua-each-command", "a unit attention on the first of each kind of command, INQUIRY and REPORT LUNS too")
def _(t):
    once_each(t, lambda: (CHECK, sense(6, 0x29, 1)))


@case("busy-each-command", "BUSY on the first of each kind of command")
def _(t):
    once_each(t, lambda: (8,))


@case("full-each-command", "TASK SET FULL on the first of each kind of command")
def _(t):
    once_each(t, lambda: (0x28,))


@case("aborted-each-command", "0b/00/00 on the first of each kind of command")
def _(t):
    once_each(t, lambda: (CHECK, sense(0xB, 0, 0)))


@case("no-sense-each-command", "CHECK CONDITION without sense on the first of each kind of command")
def _(t):
    once_each(t, lambda: (CHECK,))


@case("cap-one-block-more", "READ CAPACITY(16) and (10) differ by a block")
def _(t):
    def hook(conn, lun, cdb, edtl):
        if cdb[0] == 0x25:
            return Answer(data=struct.pack(">II", t.disk().blocks - 2, 512))
    t.disk().hook = hook


@case("cap-largest", "a capacity of 2^64 blocks")
def _(t):
    def hook(conn, lun, cdb, edtl):
        if cdb[0] == 0x9E:
            return Answer(data=b"\xff" * 8 + struct.pack(">I", 512) + bytes(20))
    t.disk().hook = hook


for kind, word in ((0x0E, "rbc"), (0x07, "optical"), (0x0C, "controller"), (0x1F, "unknown")):
    @case("type-" + word, "a peripheral device type of %02x" % kind)
    def _(t, kind=kind):
        t.disk().type = kind


@case("version-0", "INQUIRY with version 0 and response data format 0")
def _(t):
    raw = bytearray(t.disk().inquiry())
    raw[2], raw[3] = 0, 0
    t.disk().inquiry_raw = bytes(raw)


@case("serial-odd", "a serial number of blanks, and an NAA of 5 bytes")
def _(t):
    t.disk().serial, t.disk().naa = b"        ", b"\x60\1\2\3\4"


@case("designators-many", "40 designators, of ports and target groups before that of the unit")
def _(t):
    port = bytes([1, 0x14, 0, 4, 0, 0, 0, 1])
    group = bytes([1, 0x15, 0, 4, 0, 0, 0, 1])
    unit = bytes([1, 3, 0, 16]) + t.disk().naa

    def hook(conn, lun, cdb, edtl):
        if cdb[0] == 0x12 and cdb[1] & 1 and cdb[2] == 0x83:
            body = port * 20 + group * 20 + unit
            return Answer(data=(bytes([0, 0x83]) + struct.pack(">H", len(body)) + body)[:edtl])
    t.disk().hook = hook


@case("luns-twice", "REPORT LUNS has the LUN twice, and unsorted")
def _(t):
    one, two = b"\0\1" + bytes(6), b"\0\2" + bytes(6)
    t.report_luns = struct.pack(">II", 32, 0) + two + one + two + one


@case("st-crlf", "line ends behind the values of SendTargets")
def _(t):
    t.send_targets = ["TargetName=" + IQN + "\r\n", "TargetAddress=%s,1\r\n" % here(t)]


@case("st-address-first", "TargetAddress before the first TargetName")
def _(t):
    t.send_targets = ["TargetAddress=%s,1" % here(t), "TargetName=" + IQN, "TargetAddress=%s,1" % here(t)]


@case("st-tag-minus", "a portal group tag of -1, of 70000 and of nothing")
def _(t):
    t.send_targets = ["TargetName=" + IQN] + ["TargetAddress=%s,%s" % (here(t), tag) for tag in ("-1", "70000", "")]


@case("st-alias", "a TargetAlias and other keys between the targets")
def _(t):
    t.send_targets = ["TargetName=" + IQN, "TargetAlias=a b", "X-a=1", "TargetAddress=%s,1" % here(t)]
