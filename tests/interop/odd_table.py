"""Reads odd-initiators.table: what initiators send, a line each, and what is right. The table explains itself."""
import os
import struct

from odd_initiator import CHECK, CONFLICT, GOOD, Closed

MET = 0x04
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "odd-initiators.table")


def rows():
    with open(TABLE, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                fields = [field.strip() for field in line.split(" | ")]
                if len(fields) != (5 if fields[0] == "login" else 6):
                    raise ValueError("line %d of the table has %d fields" % (number, len(fields)))
                yield fields


class Wrong(AssertionError):
    """The target's answer is another."""


# ---- logins

def words_of(step, session):
    """The keys of a step, with the names in their places."""
    places = {"@I": session.name, "@T": session.target, "@U": session.target.upper()}
    out = []
    for word in step:
        if word in ("@", "@@"):
            out += session.names("Normal" if word == "@" else "Discovery")
        else:
            key, mark, value = word.partition("=")
            out.append(key + mark + places.get(value, value).replace("_", " ") if key == "InitiatorAlias"
                       else key + mark + places.get(value, value))
    return out


def header_words(words, session):
    """Takes those of the header off; gives the lowest version."""
    version = 0
    while words and words[0].split("=")[0] in ("isid", "cmdsn", "cid", "tsih", "version", "itt"):
        key, value = words.pop(0).split("=")
        if key == "isid":
            session.isid = bytes.fromhex(value)
        elif key == "cmdsn":
            session.cmd_sn = int(value)
        elif key == "version":
            version = int(value)
        else:
            setattr(session, key, int(value))
    return version


def log_in(session, steps):
    """Each step and its answer; gives the last status, and the stage that was entered."""
    status, stage = 0, 0
    for step in steps.split(";"):
        words = step.split()
        version = header_words(words, session)
        stages = words.pop(0)
        more, stages = stages.endswith("c"), stages.rstrip("c")
        transits = ">" in stages
        csg, _, nsg = stages.replace("~", ">").partition(">")
        text = b"".join(word.encode() + b"\0" for word in words_of(words, session))
        status, flags, _ = session.login_pdu(int(csg), int(nsg or 0), transits, text, more, version, "~" in stages)
        if status != 0:
            return status, 0
        if bool(flags & 0x80) != (transits and not more):
            raise Wrong("T is %d in the answer to %s" % (flags >> 7, step))
        stage = int(nsg) if transits else int(csg)
    return status, stage


def check_login(session, steps, answer):
    wanted = answer.split()
    status, stage = log_in(session, steps)
    if status != int(wanted[0], 16):
        raise Wrong("status %04x, and %s is right" % (status, wanted[0]))
    for word in wanted[1:]:
        key, _, value = word.partition("=")
        if session.keys.get(key, "-") != value:
            raise Wrong("%s=%s, and %s is right" % (key, session.keys.get(key, "(nothing)"), value))
    if status == 0 and stage == 3:
        if "SessionType=Discovery" in steps or "@@" in steps:
            if "TargetName=" + session.target not in session.text(["SendTargets=All"]):
                raise Wrong("the target is not among those of SendTargets")
        else:
            check_reads(session)
        if session.log_out() != 0:
            raise Wrong("the logout is refused")


def check_reads(session):
    """It is good for a disk: the length that it agreed on is kept."""
    for _ in range(8):
        if session.command([0] * 6).status == GOOD:
            break
    answer = session.command([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0], read=8 * 4096, edtl=8 * 4096)
    if answer.status != GOOD or len(answer.data) not in (4096, 32768):
        raise Wrong("a read gives %r" % answer)


# ---- commands

class Disk:
    """What the rows are told of it."""

    def __init__(self, session):
        for _ in range(8):
            if session.command([0] * 6).status == GOOD:
                break
        data = session.command(bytes([0x9E, 0x10] + [0] * 8) + struct.pack(">IBB", 32, 0, 0), read=32).data
        self.last, self.block = struct.unpack(">QI", data[:12])

    def size(self, text):
        return int(text[:-1]) * self.block if text.endswith("b") else int(text)

    def cdb(self, text):
        for name, value in (("last", self.last), ("end", self.last + 1)):
            for width in (4, 8):
                text = text.replace("{%s:%d}" % (name, width), "%0*x" % (2 * width, value))
        return bytes.fromhex(text.replace(" ", ""))


def ask(session, disk, command, data):
    """Sends a row's command; gives its answer."""
    options = {"read": 0, "out": b""}
    words, pattern = data.split(), b"\0"
    if words and words[0] in ("in", "out"):
        for word in words[2:]:
            if word.startswith("="):
                pattern = bytes.fromhex(word[1:])
        size = disk.size(words[1])
        options["read"] = size if words[0] == "in" else 0
        options["out"] = (pattern * (size // len(pattern) + 1))[:size] if words[0] == "out" else b""
    for word in words:
        key, _, value = word.partition("=")
        if key == "lun":
            options["lun"] = bytes.fromhex(value).ljust(8, b"\0")
        elif key == "edtl":
            options["edtl"] = disk.size(value)
        elif key == "attr":
            options["attribute"] = int(value)
        elif key == "imm":
            options["immediate"] = True
        elif key == "unsol":
            options["unsolicited"] = disk.size(value)
    return session.command(disk.cdb(command), **options)


def fits(answer, disk, wanted):
    """Whether the answer is this one."""
    words = wanted.split()
    if words[0] == "conflict":
        return answer.status == CONFLICT
    if words[0] == "met":
        return answer.status == MET
    if words[0] != "good":
        return answer.status == CHECK and answer.sense == tuple(int(part, 16) for part in words[0].split("/"))
    least, size = words[1].endswith("+"), disk.size(words[1].rstrip("+"))
    if answer.status != GOOD or len(answer.data) < size or (len(answer.data) > size and not least):
        return False
    for word in words[2:]:
        key, _, value = word.partition("=")
        if key.startswith("@"):
            at, value = int(key[1:]), bytes.fromhex(value)
            if answer.data[at:at + len(value)] != value:
                return False
        elif answer.residual != disk.size(value) or not answer.flags & (2 if key == "under" else 4):
            return False
    return True


def check_command(session, disk, command, data, wanted):
    answer = ask(session, disk, command, data)
    if not any(fits(answer, disk, one) for one in wanted.split(" or ")):
        raise Wrong("%r %s, and %s is right" % (answer, answer.data[:32].hex(), wanted))


def check_rows(kinds, new_session):
    """All of one kind, one after the other; yields the name of each, and what is wrong with it, or None. A session
    that breaks is made anew."""
    session = disk = None
    for kind, who, what, *rest in rows():
        if kind not in kinds:
            continue
        problem = None
        try:
            if kind == "login":
                check_login(new_session(), *rest)
            else:
                if session is None:
                    session = new_session().log_in()
                    disk = Disk(session)
                check_command(session, disk, *rest)
        except (Wrong, AssertionError, Closed, OSError) as e:
            problem = "%s %s" % (type(e).__name__, e)
            if not isinstance(e, Wrong):
                session = None
        yield "%s: %s" % (who, what), problem
