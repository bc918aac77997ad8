#!/usr/bin/env python3
"""What files and words that are wrong, odd or hostile do to lunboot: `tests/cli_files.py LUNBOOT`, in TAP.

No network and no root is needed; what only root can show says so.
"""
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

LUNBOOT = os.path.abspath(sys.argv[1])
TOP = pathlib.Path(__file__).resolve().parent.parent
ASSOCIATION = 256 + 33  # of the vector's target: the NIC that it names
VLAN = 152 + 88  # of its NIC

points = 0
failed = False


def check(what, condition, detail=""):
    global points, failed
    points += 1
    print(f"{'ok' if condition else 'not ok'} {points} - {what}")
    if not condition:
        failed = True
        print(f"# {detail}")


def run(*arguments, **more):
    """Exit code, standard output, standard error, seconds; None for the code: it did not end in time."""
    start = time.monotonic()
    try:
        done = subprocess.run([LUNBOOT, *arguments], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, **more)
    except subprocess.TimeoutExpired:
        return None, "", "", 60
    return (done.returncode, done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"), time.monotonic() - start)


# ---- the firmware's table ------------------------------------------------------------------------


def table(**changes):
    """The vector with bytes changed, and its checksum made right again."""
    data = bytearray.fromhex((TOP / "tests/vectors/ibft-v4-mutual.hex").read_text())
    for place, value in changes.values():
        data[place] = value
    data[9] = 0
    data[9] = -sum(data) & 0xff
    return bytes(data)


def initramfs(folder, line, ibft=None, *more):
    """lunboot initramfs with this kernel command line and this table, without a network."""
    path = folder / "sys/firmware/acpi/tables"
    path.mkdir(parents=True, exist_ok=True)
    (folder / "cmdline").write_text(line)
    (path / "iBFT").unlink(missing_ok=True)
    if ibft is not None:
        (path / "iBFT").write_bytes(ibft)
    return run("initramfs", f"--kernel-cmdline={folder / 'cmdline'}", f"--sysfs={folder}",
               f"--config={folder / 'none'}", "--link-timeout=0", *more)


def firmware_table(folder):
    code, out, err, seconds = initramfs(folder, "root=UUID=0 ip=dhcp rd.iscsi.ibft=1 rd.iscsi.firmware=1")
    check("a table that is asked for and is not there is told within two seconds",
          code == 1 and out == "" and "(no-ibft)" in err and seconds < 2, (code, err, seconds))
    code, out, err, _ = initramfs(folder, "root=UUID=0 ip=dhcp quiet")
    check("who asks for nothing is told nothing", (code, out, err) == (0, "", ""), (code, out, err))
    for line, table_or_none, asks in (
            ("root=UUID=0 ip=dhcp", None, False),
            ("root=UUID=0 rd.iscsi.firmware=1", None, False),
            ("root=UUID=0 rd.iscsi.waitnet=0 iscsi_initiator=iqn.2026-11.test:a", None, False),
            ("root=dhcp", None, True),
            ("root=UUID=0", table(), True),
            ("root=UUID=0 lunboot.enable=no", table(), False),
            ("netroot=iscsi:192.0.2.1::::iqn.2026-11.test:d vlan=a.1:a", None, True)):
        code, out, err, _ = initramfs(folder, line, table_or_none, "--is-asked")
        check(f"--is-asked: {line}", (code, out, err) == (0 if asks else 1, "", ""), (code, out, err))
    code, _, err, _ = initramfs(folder, "rd.iscsi.firmware=1 lunboot.enable=yes", None,
                                "--interface=nope0")
    check("where the network may name the disk, it is asked", "(no-interface)" in err, err)
    for nic in (1, 2, 110, 200, 255):
        code, _, err, _ = initramfs(folder, "", table(nic=(ASSOCIATION, nic)))
        check(f"for NIC {nic}, which is not in the table, the only one is taken", code == 1
              and "none has the address 02:00:00:00:00:01" in err, (code, err))
    code, _, err, _ = initramfs(folder, "", table(vlan=(VLAN, 42)))
    check("a VLAN in the table is told as not made", code == 1 and "VLAN 42" in err, (code, err))
    broken = bytearray(table())
    broken[300] ^= 1
    code, _, err, _ = initramfs(folder, "", bytes(broken))
    check("a table with a wrong checksum is told", code == 1 and "(ibft)" in err, (code, err))
    code, _, err, _ = initramfs(folder, "netroot=iscsi:192.0.2.1::::iqn.2026-11.test:d", bytes(broken),
                                "--interface=nope0")
    check("and is passed over where the command line names the disk", "(no-interface)" in err, err)
    code, out, err, _ = initramfs(folder, "lunboot.enable=no", bytes(broken))
    check("and where a person forbids the boot", (code, out, err) == (0, "", ""), (code, out, err))


# ---- files that are none -------------------------------------------------------------------------


def odd_files(folder):
    """Name: what the error says of it."""
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    with open(folder / "giant", "wb") as file:
        file.truncate(1 << 40)
    return {folder / "fifo": "not a regular file", folder / "folder": "Is a directory",
            folder / "loop": "Too many levels", folder / "giant": "too long",
            pathlib.Path("/dev/zero"): "not a regular file",
            pathlib.Path("/dev/null"): "not a regular file"}


def configuration_files(folder):
    for path, why in odd_files(folder).items():
        for command in ("boot", "probe", "read", "discover"):
            code, _, err, seconds = run(command, f"--config={path}", "--rootpath=x", "--output=/dev/null"
                                        if command == "read" else "--interface=nope0")
            check(f"{command} --config={path.name} ends in an error that names it", code == 1
                  and f"{path}: " in err and why in err and seconds < 10, (code, err, seconds))
        code, _, err, seconds = run("boot", f"--kernel-cmdline={path}", "--interface=nope0")
        check(f"boot --kernel-cmdline={path.name}", code == 1 and f"{path}: " in err and why in err,
              (code, err))
        (folder / "cmdline").write_text("quiet")
        code, _, err, _ = run("initramfs", f"--kernel-cmdline={folder / 'cmdline'}", f"--sysfs={folder}",
                              f"--config={path}")
        check(f"initramfs --config={path.name}", code == 1 and f"{path}: " in err and why in err,
              (code, err))
        code, _, err, _ = run("initramfs", f"--kernel-cmdline={path}", f"--sysfs={folder}")
        check(f"initramfs --kernel-cmdline={path.name}", code == 1 and f"{path}: " in err, (code, err))


# ---- secrets -------------------------------------------------------------------------------------

SECRET = "sesame-sesame-0123"


def open_files(folder):
    """Configuration files that other users can read or change."""
    path = folder / "lunboot.conf"
    rows = [(0o600, True, None), (0o644, False, None), (0o640, True, "it has secrets"),
            (0o604, True, "it has secrets"), (0o602, False, "others can change it"),
            (0o666, True, "others can change it")]
    if os.geteuid() == 0:
        rows.append((0o620, False, "others can change it"))
    for mode, has_secret, why in rows:
        path.write_text("enable = no\n" + f"chap-name = me\nchap-secret = {SECRET}\n" * has_secret)
        path.chmod(mode)
        _, _, err, _ = run("boot", f"--config={path}", "--interface=nope0")
        check(f"boot with a file of mode {mode:03o}{' with a secret' * has_secret}",
              ("(config-open)" in err and why in err if why else "config-open" not in err)
              and SECRET not in err, err)
        (folder / "cmdline").write_text("quiet")
        code, _, err, _ = run("initramfs", f"--kernel-cmdline={folder / 'cmdline'}", f"--config={path}",
                              f"--sysfs={folder}")
        is_refused = mode & 0o022 != 0
        check(f"initramfs with a file of mode {mode:03o}{' with a secret' * has_secret}",
              (code == 1 and "(config-open)" in err) if is_refused
              else code == 0 and ("others can read it" in err) == bool(why), (code, err))
    if os.geteuid() == 0:
        path.chmod(0o600)
        os.chown(path, 12345, 0)
        code, _, err, _ = run("boot", f"--config={path}", "--interface=nope0")
        check("a file of another user is refused", code == 1 and "user 12345" in err, err)
    path.unlink()


def errors_show_no_secrets(folder):
    rows = [["probe", f"--rootpath=iscsi:me:{SECRET}@192.0.2.1::::iqn.2026-11.test:d"],
            ["rootpath", f"iscsi:me:{SECRET}@192.0.2.1::::iqn.2026-11.test:d"],
            ["rootpath", "--json", f"iscsi:me:{SECRET}@192.0.2.1::::iqn.2026-11.test:d"],
            ["probe", "--json", f"--rootpath=iscsi:me:{SECRET}@192.0.2.1::::iqn.2026-11.test:d"],
            ["probe", f"--server=me:{SECRET}@192.0.2.1", "--target=iqn.2026-11.test:d"],
            ["probe", f"--chap-secret:{SECRET}"], ["probe", f"--chap_secret={SECRET}"],
            ["probe", f"--chap-sekret={SECRET}"], ["probe", f"--chap-secret={SECRET * 20}"],
            ["probe", f"--chap-secret=0x{SECRET}"], ["probe", f"me:{SECRET}@192.0.2.1", "x"],
            ["explain", f"{SECRET}@"], [f"iscsi:me:{SECRET}@"]]
    for row in rows:
        _, out, err, _ = run(*row)
        check(f"lunboot {' '.join(row)[:50]}... shows no secret", SECRET not in out + err and err + out,
              out + err)
    lines = [f"chap-secret {SECRET}", f"chap-secret: {SECRET} =", f"chap-sekret = {SECRET}",
             f"chap-secret = 0x{SECRET}", f"server = me:{SECRET}@192.0.2.1", f"lun = {SECRET}@",
             f"chap-secret = {SECRET}\nchap-secret = other-{SECRET}"]
    path = folder / "lunboot.conf"
    for line in lines:
        path.write_text(line + "\ntarget = iqn.2026-11.test:d\n")
        path.chmod(0o600)
        for more in ([], ["--json"]):
            code, out, err, _ = run("probe", f"--config={path}", *more)
            check(f"a file with {line[:24]}... shows no secret", code and SECRET not in out + err, out + err)
    path.unlink()


def the_process_shows_no_secrets():
    """While a login waits for an answer that never comes."""
    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with socket.create_server(("127.0.0.1", 0)) as server, tempfile.TemporaryDirectory() as folder:
        port = server.getsockname()[1]
        process = subprocess.Popen(
            [LUNBOOT, "probe", f"--rootpath=iscsi:127.0.0.1::{port}::iqn.2026-11.test:d",
             "--chap-name=me", f"--chap-secret={SECRET}"], cwd=folder, preexec_fn=unlimited,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "iscsi_password": SECRET, "ISCSI_IN_PASSWORD": SECRET,
                 "netroot": f"iscsi:me:{SECRET}@192.0.2.1::::iqn.2026-11.test:d"})
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            seen = {name: pathlib.Path(f"/proc/{process.pid}/{name}").read_bytes()
                    for name in ("cmdline", "environ")} if os.geteuid() == 0 else {}
            process.send_signal(signal.SIGABRT)
            process.wait()
        status = process.returncode
        check("it ended by the signal", status == -signal.SIGABRT, status)
        check("no core dump was written", not list(pathlib.Path(folder).iterdir()),
              list(pathlib.Path(folder).iterdir()))
        _, out, err, _ = run("probe", "--trace", f"--rootpath=iscsi:127.0.0.1::{port}::iqn.2026-11.test:d",
                             "--chap-name=me", f"--chap-secret={SECRET}", "--login-timeout=300ms")
        check("the trace has no secret", SECRET not in out + err and "(login-timeout)" in err, err)
        for name, text in seen.items():
            check(f"/proc/PID/{name} has no secret", SECRET.encode() not in text, text)


# ---- signed files --------------------------------------------------------------------------------


def openssl(*words):
    return subprocess.run(["openssl", *words], capture_output=True, check=True).stdout


def signed_files(folder):
    """The signature of openssl, and tools/sign-config as the one that makes it."""
    if not shutil.which("openssl"):
        check("signed files # SKIP openssl is not installed", True)
        return
    conf, key, tool = folder / "signed.conf", folder / "conf.key", TOP / "tools/sign-config"
    (folder / "line").write_text("quiet")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    point = subprocess.run([tool, "signer", key], capture_output=True, check=True).stdout.decode().split()[-1]

    def boot(line="", *more):
        (folder / "line").write_text(line)
        _, _, err, _ = run("boot", f"--config={conf}", f"--kernel-cmdline={folder / 'line'}", *more)
        return err

    signer = f"--config-signer={point}"
    conf.write_text("interface = nope7\n")
    subprocess.run([tool, "file", f"--key={key}", conf], check=True)
    check("a signed file counts", "nope7" in boot("", signer), boot("", signer))
    check("the kernel's command line may name the signer", "nope7" in boot(f"lunboot.config-signer={point}"))
    check("a signed file stands above other words", "nope7" in boot("", signer, "--interface=nope8"))
    check("it counts also where it is required", "nope7" in boot("lunboot.require=signed-config", signer))
    conf.write_text("interface = nope9\n")
    err = boot("", signer, "--interface=nope8")
    check("with another byte nothing boots", "(config-signature)" in err and "signed.conf.sig: it is not" in err, err)
    (folder / "signed.conf.sig").write_bytes(b"0" * 73)
    err = boot("", signer)
    check("nor with a signature that is none", "(config-signature)" in err and "too long" in err, err)
    (folder / "signed.conf.sig").unlink()
    err = boot("", signer, "--interface=nope8")
    check("without a signature it is passed over", "it has no signature" in err and "nope8" in err, err)
    _, _, err, _ = run("probe", f"--config={conf}", signer, "--require=signed-config",
                       "--rootpath=iscsi:127.0.0.1:::1:iqn.2026-11.test:d")
    check("which is an error where one is required", "no signed lunboot.conf was read" in err, err)
    err = boot("lunboot.lock lunboot.interface=nope8")
    check("a lock shuts it out", "lock is yes" in err and "nope8" in err, err)
    conf.write_text("lock = yes\n")
    err = boot()
    check("it cannot lock others out itself", "(config-signature)" in err and "line 1: `lock` cannot" in err, err)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        firmware_table(folder)
        (folder / "sys/firmware/acpi/tables/iBFT").unlink(missing_ok=True)
        configuration_files(folder)
        open_files(folder)
        signed_files(folder)
        errors_show_no_secrets(folder)
    the_process_shows_no_secrets()
    print(f"1..{points}")
    return failed


os.umask(0o022)
sys.exit(main())
