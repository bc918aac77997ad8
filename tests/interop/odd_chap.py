"""How initiators prove themselves by CHAP, in their orders and forms, and what is no proof: RFC 7143 12.1.3, RFC 1994.
Each case is called with a function that makes a new initiator of a number, a name and a secret."""
import base64
import hashlib

CASES = []
HASHES = {5: hashlib.md5, 6: hashlib.sha1, 7: hashlib.sha256, 8: hashlib.sha3_256}
PLAIN = ["ImmediateData=Yes"]


def case(name):
    def add(function):
        CASES.append((name, function))
        return function
    return add


def check(what, why):
    if not what:
        raise AssertionError(why)


def step(session, csg, nsg, transit, words):
    """(status, T, keys) of one request."""
    status, flags, keys = session.login_pdu(csg, nsg, transit, b"".join(word.encode() + b"\0" for word in words))
    return status, bool(flags & 0x80), keys


def challenge(session, methods="CHAP,None", algorithms="5", transit=False):
    """Up to the target's challenge: (algorithm, identifier, challenge)."""
    status, leaves, keys = step(session, 0, 1, transit, session.names() + ["AuthMethod=" + methods])
    check(status == 0 and not leaves and keys["AuthMethod"] == "CHAP", "%04x %s" % (status, keys))
    status, leaves, keys = step(session, 0, 1, transit, ["CHAP_A=" + algorithms])
    check(status == 0 and not leaves, "%04x" % status)
    check(keys["CHAP_A"] in algorithms.split(","), "CHAP_A=%s" % keys["CHAP_A"])
    return int(keys["CHAP_A"]), int(keys["CHAP_I"], 0), bytes.fromhex(keys["CHAP_C"][2:])


def response(secret, asked):
    algorithm, identifier, value = asked
    return HASHES[algorithm](bytes([identifier]) + secret.encode() + value).digest()


def is_in(session):
    status, leaves, _ = step(session, 1, 3, True, PLAIN)
    check(status == 0 and leaves, "%04x at the end" % status)
    for _ in range(8):
        if session.command([0] * 6).status == 0:
            break
    check(session.command([0x28] + [0] * 7 + [1, 0], read=4096, edtl=4096).status == 0, "a read")
    check(session.log_out() == 0, "the logout")


def is_out(session, words, transit=True):
    status, _, _ = step(session, 0, 1, transit, words)
    check(status == 0x0201, "status %04x where an authentication failure is right" % status)


for who, methods, transit in (("freebsd", "None,CHAP", True), ("windows", "CHAP", False), ("esxi", "CHAP,None", True),
                              ("ipxe", "CHAP,None", False), ("macos", "KRB5,CHAP,None", False)):
    @case("%s: AuthMethod=%s, %s T in each step" % (who, methods, "with" if transit else "without"))
    def _(make, name, secret, methods=methods, transit=transit):
        s = make(1)
        asked = challenge(s, methods, "5", transit)
        status, leaves, _ = step(s, 0, 1, True, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, asked).hex()])
        check(status == 0 and leaves, "%04x" % status)
        is_in(s)


for algorithms in ("5", "6", "7", "8", "8,7,6,5", "99,5", "5,7"):
    @case("linux: CHAP_A=%s" % algorithms)
    def _(make, name, secret, algorithms=algorithms):
        s = make(1)
        asked = challenge(s, algorithms=algorithms)
        status, leaves, _ = step(s, 0, 1, True, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, asked).hex()])
        check(status == 0 and leaves, "%04x" % status)
        is_in(s)


for form, encode in (("capitals", lambda r: "0x" + r.hex().upper()), ("0X", lambda r: "0X" + r.hex()),
                     ("base 64", lambda r: "0b" + base64.b64encode(r).decode())):
    @case("anybody: a response in %s" % form)
    def _(make, name, secret, encode=encode):
        s = make(1)
        asked = challenge(s)
        status, _, _ = step(s, 0, 1, True, ["CHAP_R=" + encode(response(secret, asked)), "CHAP_N=" + name])
        check(status == 0, "%04x" % status)
        is_in(s)


@case("anybody: from the response to the end at once")
def _(make, name, secret):
    s = make(1)
    asked = challenge(s)
    status, leaves, _ = step(s, 0, 3, True, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, asked).hex()])
    check(status == 0 and leaves and s.tsih != 0, "%04x" % status)
    s.log_out()


@case("edk2: the response without T, and an empty step behind it")
def _(make, name, secret):
    s = make(1)
    asked = challenge(s)
    status, leaves, _ = step(s, 0, 1, False, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, asked).hex()])
    check(status == 0 and not leaves, "%04x" % status)
    status, leaves, _ = step(s, 0, 1, True, [])
    check(status == 0 and leaves, "%04x" % status)
    is_in(s)


@case("anybody: what is no proof")
def _(make, name, secret):
    wrong = [lambda a: ["CHAP_N=" + name, "CHAP_R=0x" + response("not-" + secret, a).hex()],
             lambda a: ["CHAP_N=nobody", "CHAP_R=0x" + response(secret, a).hex()],
             lambda a: ["CHAP_N=", "CHAP_R=0x" + response(secret, a).hex()],
             lambda a: ["CHAP_R=0x" + response(secret, a).hex()],
             lambda a: ["CHAP_N=" + name, "CHAP_R=0x"],
             lambda a: ["CHAP_N=" + name, "CHAP_R=" + response(secret, a).hex()],
             lambda a: ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, a).hex()[:-2]],
             lambda a: ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, a).hex() + "00"],
             lambda a: ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, (a[0], a[1] ^ 1, a[2])).hex()],
             lambda a: ["CHAP_N=" + name, "CHAP_R=0x" + a[2].hex()]]
    for words in wrong:
        s = make(1)
        is_out(s, words(challenge(s)))


@case("anybody: no proof at all")
def _(make, name, secret):
    for words in (["AuthMethod=None"], ["AuthMethod=KRB5"], ["AuthMethod=KRB5,None"]):
        s = make(1)
        is_out(s, s.names() + words)
    s = make(1)
    status, _, _ = step(s, 1, 3, True, s.names() + PLAIN)
    check(status in (0x0201, 0x0202), "status %04x without a security stage" % status)
    s = make(1)
    asked = challenge(s)
    check(asked[0] == 5, "no challenge")
    status, leaves, _ = step(s, 0, 1, True, [])
    check(status != 0 or not leaves, "an empty step leaves the security stage")
    s = make(1)
    status, _, _ = step(s, 0, 1, False, s.names() + ["AuthMethod=CHAP"])
    check(status == 0, "%04x" % status)
    status, _, keys = step(s, 0, 1, False, ["CHAP_A=98,99"])
    check(status == 0x0201, "status %04x for algorithms that nobody has: %s" % (status, keys))


@case("anybody: a response of another login's challenge")
def _(make, name, secret):
    one, two = make(1), make(2)
    old = challenge(one)
    new = challenge(two)
    check(old[2] != new[2] and len(new[2]) >= 16, "the challenge is the same, or short")
    is_out(two, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, old).hex()])


@case("anybody: it wants a proof of a target that has none to give")
def _(make, name, secret):
    s = make(1)
    asked = challenge(s)
    is_out(s, ["CHAP_N=" + name, "CHAP_R=0x" + response(secret, asked).hex(), "CHAP_I=7", "CHAP_C=0x" + "5a" * 16])


@case("anybody: each challenge is another, and each login has one")
def _(make, name, secret):
    seen = {challenge(make(1))[2] for _ in range(20)}
    check(len(seen) == 20, "%d challenges of 20" % len(seen))
