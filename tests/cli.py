#!/usr/bin/env python3
"""The command line of lunboot: `tests/cli.py LUNBOOT [LUNBOOT_DOCS_FOLDER]`, in TAP.

What needs no network: rootpath over every row of the table, explain, keys, help, exit codes, and the
size of the program.
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

LUNBOOT = sys.argv[1]
TOP = pathlib.Path(__file__).resolve().parent.parent
SIZE_MAX = 1_600_000  # bytes, stripped
TARGET = "iqn.2001-04.com.example:disk"

# root path: servername, port, LUN, target name
GOOD = {
    f"iscsi:192.0.2.10::::{TARGET}": ("192.0.2.10", 3260, "0" * 16, TARGET),
    f"iscsi:192.0.2.10:6:3260:0:{TARGET}": ("192.0.2.10", 3260, "0" * 16, TARGET),
    "iscsi:192.0.2.10:6:3260::iqn.2001-04.com.example": (
        "192.0.2.10", 3260, "0" * 16, "iqn.2001-04.com.example"),
    f"iscsi:192.0.2.10::3261:1:{TARGET}": ("192.0.2.10", 3261, "0001000000000000", TARGET),
    f"iscsi:::::{TARGET}": (None, 3260, "0" * 16, TARGET),
    "iscsi::6:::eui.02004567a425678d": (None, 3260, "0" * 16, "eui.02004567a425678d"),
    f"iscsi:storage.example.com::::{TARGET}": ("storage.example.com", 3260, "0" * 16, TARGET),
    f"iscsi:nas1::::{TARGET}": ("nas1", 3260, "0" * 16, TARGET),
    f"iscsi:[2001:db8::1]::::{TARGET}": ("[2001:db8::1]", 3260, "0" * 16, TARGET),
    f"iscsi:[2001:db8::1]:6:3260:0:{TARGET}": ("[2001:db8::1]", 3260, "0" * 16, TARGET),
    f"iscsi:[fe80::1]:::0:{TARGET}": ("[fe80::1]", 3260, "0" * 16, TARGET),
    f"iscsi:192.0.2.10:::4752-3A4F-6b7e-2F99:{TARGET}": (
        "192.0.2.10", 3260, "47523a4f6b7e2f99", TARGET),
    f"iscsi:192.0.2.10:::6734-9-156f-127:{TARGET}": (
        "192.0.2.10", 3260, "67340009156f0127", TARGET),
    f"iscsi:192.0.2.10:::0-0-0-0:{TARGET}": ("192.0.2.10", 3260, "0" * 16, TARGET),
    "iscsi:192.0.2.10::::eui.02004567A425678D": (
        "192.0.2.10", 3260, "0" * 16, "eui.02004567A425678D"),
    "iscsi:192.0.2.10::::iqn.2001-04.com.example:" + "a" * 199: (
        "192.0.2.10", 3260, "0" * 16, "iqn.2001-04.com.example:" + "a" * 199),
}

# root path: code, field, offset (None: any within the string)
BAD = {
    f"192.0.2.10::::{TARGET}": ("rootpath-prefix", "prefix", 0),
    "iscsi:": ("rootpath-fields", None, None),
    f"iscsi:192.0.2.10:{TARGET}": ("rootpath-", None, None),
    "iscsi:192.0.2.10:6:3260:0:": ("rootpath-target", "targetname", 26),
    f"iscsi:192.0.2.10:17:::{TARGET}": ("rootpath-protocol", "protocol", None),
    f"iscsi:192.0.2.10::0::{TARGET}": ("rootpath-port", "port", None),
    f"iscsi:192.0.2.10::65536::{TARGET}": ("rootpath-port", "port", None),
    f"iscsi:192.0.2.10::03260::{TARGET}": ("rootpath-port", "port", None),
    f"iscsi:192.0.2.10:::12345:{TARGET}": ("rootpath-lun", "lun", None),
    f"iscsi:192.0.2.10:::0x1:{TARGET}": ("rootpath-lun", "lun", 20),
    f"iscsi:192.0.2.10:::4186 9:{TARGET}": ("rootpath-lun", "lun", 23),
    f"iscsi:192.0.2.10:::41g6:{TARGET}": ("rootpath-lun", "lun", 21),
    f"iscsi:[2001:db8::1::::{TARGET}": ("rootpath-server", "servername", None),
    f"iscsi:[2001:db8::1%eth0]::::{TARGET}": ("rootpath-server", "servername", None),
    f"iscsi:-bad.example.com::::{TARGET}": ("rootpath-server", "servername", 6),
    "iscsi:192.0.2.10::::disk1": ("rootpath-target", "targetname", None),
    "iscsi:192.0.2.10::::iqn.com.example:host47": ("rootpath-target", "targetname", None),
    "iscsi:192.0.2.10::::iqn.2001-04.com.example:my disk": ("rootpath-target", "targetname", 46),
    "iscsi:192.0.2.10::::eui.02004567A425678": ("rootpath-target", "targetname", None),
    "iscsi:192.0.2.10::::iqn.2001-04.com.example:" + "a" * 200: (
        "rootpath-target", "targetname", None),
    b"iscsi:192.0.2.10::::iqn.2001-04.com.example:\xc3\x28": ("rootpath-", None, None),
}

points = 0


def check(what, condition, detail=""):
    global points
    points += 1
    print(f"{'ok' if condition else 'not ok'} {points} - {what}")
    if not condition:
        print(f"# {detail}")
        check.failed = True


check.failed = False


def run(*arguments):
    done = subprocess.run([LUNBOOT, *arguments], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode()


def rootpaths():
    for string, (server, port, lun, target) in GOOD.items():
        code, out, err = run("rootpath", "--json", "--", string)
        want = dict(servername=server, protocol=6, port=port, lun=lun, targetname=target,
                    warnings=[])
        found = json.loads(out) if out else {}
        if "A425678D" in string:  # capitals are kept, and that is said
            want["warnings"] = found.get("warnings") or ["a warning"]
        check(f"rootpath {string[:60]}", code == 0 and found == want, (code, out, err))
    for string, (word, field, offset) in BAD.items():
        code, out, err = run("rootpath", "--json", "--", string)
        error = json.loads(out).get("error", {}) if out else {}
        check(f"rootpath {string[:60]!r} is refused",
              code == 1 and error["code"].startswith(word) and error["message"]
              and field in (None, error["field"]) and 0 <= error["offset"] <= len(string)
              and offset in (None, error["offset"]), (code, out, err))
    code, out, _ = run("rootpath", "--json", "iscsi:192.0.2.10::::iqn.2001-04.com.example:a_b")
    check("an underscore is a warning", code == 0 and len(json.loads(out)["warnings"]) == 1, out)
    code, out, _ = run("rootpath", "--strict", "--json",
                       "iscsi:192.0.2.10::::iqn.2001-04.com.example:a_b")
    check("with --strict it is an error", code == 1, out)
    code, out, _ = run("rootpath", "--lenient", "--json", "iscsi:192.0.2.10::::disk1")
    check("with --lenient any name is taken, with a warning",
          code == 0 and json.loads(out)["targetname"] == "disk1"
          and len(json.loads(out)["warnings"]) == 1, out)
    code, out, _ = run("rootpath", f"iscsi:192.0.2.10:::1:{TARGET}")
    check("without --json people can read it", code == 0 and TARGET in out and "3260" in out, out)
    code, out, err = run("rootpath", f"iscsi:192.0.2.10:::0x1:{TARGET}")
    check("a mark stands below the wrong byte",
          code == 1 and out == "" and "\n  " + " " * 20 + "^ byte 20" in err, err)
    code, out, _ = run("rootpath", "--uri", "--json", f"ISCSI:%5B2001:db8::1%5D::::{TARGET}")
    check("a URI is decoded", code == 0 and json.loads(out)["servername"] == "[2001:db8::1]", out)


def texts():
    code, out, _ = run("--help")
    check("--help lists the commands and the exit codes",
          code == 0 and all(f"  {word} " in out for word in ("boot", "probe", "read", "130")), out)
    code, out, _ = run("--version")
    check("--version", code == 0 and re.fullmatch(r"lunboot \d+\.\d+\.\d+\n", out), out)
    for command in ("boot", "probe", "read", "rootpath", "explain", "keys"):
        code, out, err = run(command, "--help")
        check(f"{command} --help", code == 0 and out.startswith("usage: lunboot " + command), err)
        code, out, err = run(command, "--no-such-option")
        check(f"{command} refuses an unknown option", code == 2 and "--no-such-option" in err, err)
    code, out, err = run("boot", "--interface", "eth0")
    check("a value that is the next word", code == 2 and "--interface=VALUE" in err, err)
    codes = run("explain")[1].splitlines()
    words = [line.split()[0] for line in codes]
    check("explain lists the codes", len(words) > 50 and "no-link" in words, words)
    explained = [run("explain", word) for word in words]
    check("explain explains each of them",
          all(code == 0 and "what:" in out for code, out, _ in explained))
    check("explain refuses what is no code", run("explain", "no-such-code")[0] == 1)
    code, out, _ = run("keys")
    check("keys lists the keys", code == 0 and "chap-secret\n" in out and "default: 3260" in out)
    check("keys explains one", run("keys", "port")[1].count("\n") == 3, run("keys", "port")[1])
    check("keys refuses what is no key", run("keys", "no-such-key")[0] == 1)


def usage():
    check("no command is a wrong command line", run()[0] == 2)
    check("an unknown command is one too", run("bot")[0] == 2)
    check("probe wants to know what to probe", run("probe")[0] == 2)
    check("read refuses an offset that is no number",
          run("read", "--offset=x", "--rootpath=x", "--output=/dev/null")[0] == 2)
    check("read takes a file or a range",
          run("read", "--file=x", "--offset=1", "--rootpath=x", "--output=/dev/null")[0] == 2)
    code, _, err = run("boot", "--interface=lo", "--config=/no/such/file", "--enable")
    check("a configuration that is not there is an error",
          code == 1 and "config-file" in err and "/no/such/file" in err, err)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("enable = yes\n# a comment\n\ninterfase = eth0\n")
        file.flush()
        code, _, err = run("boot", f"--config={file.name}")
        check("an unknown key in it is named with its file",
              code == 1 and "config-key" in err and "interfase" in err and file.name in err, err)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("quiet lunboot.interface=nope0 root=/dev/sda1 lunboot.enable=yes\n")
        file.flush()
        code, _, err = run("boot", f"--kernel-cmdline={file.name}")
        check("the kernel command line is read", code == 1 and "no-interface" in err, err)
        code, _, err = run("boot", f"--kernel-cmdline={file.name}", "--interface=nope1")
        check("the command line wins over it", code == 1 and "nope1" in err, err)
    code, out, err = run("boot", "--interface=nope0", "--enable", "--json")
    check("boot --json has the error",
          code == 1 and json.loads(out)["error"]["code"] == "no-interface", out)
    code, out, err = run("probe", "--rootpath=iscsi:127.0.0.1::1::" + TARGET, "--json")
    answer = json.loads(out)
    check("probe --json has error, report and no disk",
          code == 1 and answer["error"]["code"] == "connect-refused" and answer["disk"] is None
          and answer["report"]["steps"], out)


def checks():
    """What lunboot keys --check says of a lunboot.conf."""
    for text, status, said in (
            ("enable = yes\n", 0, ""),
            ("# nothing\n", 0, "does not say enable = yes"),
            ("enable = yes\nserver = 192.0.2.1\ncolour = red\n", 1, "line 3: `colour`"),
            ("enable = ja\n", 1, "expected yes or no"),
            ("enable = \"yes\"\nserver = '192.0.2.1'\n", 0, ""),
            ("enable = yes\nserver = 192.0.2.1:3260\n", 1, "expected an address or a host name; `port` is a key"),
            ("enable = yes\nlun = 0x1\n", 1, "expected hex digits without 0x"),
            ("enable = yes\ntarget = iqn.2026-11.test:disk,1\n", 1, "expected an iSCSI name"),
            ("enable = yes\nrootpath = 192.0.2.1\n", 1, "rootpath-prefix"),
            ("enable = yes\nother-rootpaths = iscsi:192.0.2.1:::iqn.2026-11.test:disk\n", 1, "a colon is missing"),
            ("enable = yes\ninitiator = iqn.2026-11.test:a b\n", 1, "name-invalid"),
            ("enable = yes\nchap-name = a\nchap-secret = \"twelve-bytes-1\"\n", 0, "line 3: the quotes"),
            ("enable = yes\nchap-name = a\nchap-secret = twelve-bytes-1 # x\n", 0, "a part of chap-secret"),
            ("enable = yes\nchap-secret = twelve-bytes-1\n", 1, "config-half"),
            ("enable = yes\nchap-name = a\nchap-secret = twelve-bytes-1\nchap-target-secret = twelve-bytes-1\n", 1,
             "they must differ")):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            code, out, err = run("keys", f"--check={file.name}")
            check(f"keys --check: {said or 'nothing'}", code == status and out == "" and said in err and
                  bool(err) == bool(said) and "twelve" not in err, err)
            if status == 1:
                check("a file that is wrong is named", file.name in err, err)
    code, _, err = run("keys", "--check=/nowhere/lunboot.conf")
    check("keys --check: a file that is not there", code == 1 and "No such file" in err, err)


def makers():
    """What the programs that make images say to words that are wrong, before they ask for anything."""
    with tempfile.TemporaryDirectory() as folder:
        for tool in ("make-stick", "make-debian-disk", "make-netboot"):
            for words, said in ((["--foo", "x"], "there is no option --foo"),
                                (["a", "b"], "b is one word too many"),
                                (["/dev/null"], "/dev/null is "),
                                ([folder] if tool != "make-netboot" else [__file__], "folder")):
                done = subprocess.run([TOP / "tools" / tool, *words], capture_output=True, timeout=60)
                check(f"{tool} refuses {' '.join(words)}".replace(folder, "a folder").replace(__file__, "a file"),
                      done.returncode == 1 and done.stderr.startswith(tool.encode() + b": ") and
                      said.encode() in done.stderr, done.stderr)
            done = subprocess.run([TOP / "tools" / tool, "--help"], capture_output=True, timeout=60)
            check(f"{tool} --help", done.returncode == 0 and f"tools/{tool}".encode() in done.stdout, done)


def is_static():
    data = pathlib.Path(LUNBOOT).read_bytes()
    start, size, count = (*struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54))
    kinds = [struct.unpack_from("<I", data, start + i * size)[0] for i in range(count)]
    return 3 not in kinds  # PT_INTERP


def size():
    if not is_static():
        check("the size is of the static program # SKIP this build has sanitizers", True)
        return
    with tempfile.TemporaryDirectory() as folder:
        stripped = os.path.join(folder, "lunboot")
        subprocess.run(["strip", "-o", stripped, LUNBOOT], check=True)
        size = os.path.getsize(stripped)
    print(f"# {size} bytes")
    check(f"the program has less than {SIZE_MAX} bytes", size < SIZE_MAX, size)


def manual():
    page = (TOP / "docs" / "lunboot.8").read_text()
    wanted = set()
    for command in ("boot", "probe", "read", "rootpath", "keys"):
        help_text = run(command, "--help")[1]
        wanted |= set(re.findall(r"^  --([a-z0-9-]+)", help_text, re.M))
    missing = [name for name in wanted if f"Fl -{name}" not in page]
    check("every option is in lunboot(8)", not missing, missing)
    source = (TOP / "hosts" / "linux" / "environment.c").read_text()
    variables = set(re.findall(r'"(LUNBOOT_[A-Z_]+)"', source))
    missing = [name for name in variables if name not in page]
    check("every variable of --then=PROGRAM is in lunboot(8)", variables and not missing, missing)
    codes = all(f".It {code}\n" in page for code in (0, 1, 2, 130))
    check("every exit code is in lunboot(8)", codes)


rootpaths()
texts()
checks()
makers()
usage()
size()
manual()
print(f"1..{points}")
sys.exit(check.failed)
