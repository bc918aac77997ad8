#!/usr/bin/env python3
"""What files and words that are wrong, odd or hostile do to lunboot: `tests/cli_files.py LUNBOOT`, in TAP.

No network and no root is needed; what only root can show says so.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

LUNBOOT = sys.argv[1]
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
    code, _, err, _ = initramfs(folder, "rd.iscsi.firmware=1 lunboot.enable=yes", None,
                                "--interface=nope0")
    check("where the network may name the disk, it is asked", "(no-interface)" in err, err)
    for nic in (1, 2, 110, 200, 255):
        code, _, err, _ = initramfs(folder, "", table(nic=(ASSOCIATION, nic)))
        check(f"NIC {nic} is not in the table", code == 1 and "(ibft)" in err
              and f"NIC {nic}, which is not in the table" in err, (code, err))
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


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        firmware_table(folder)
        (folder / "sys/firmware/acpi/tables/iBFT").unlink(missing_ok=True)
        configuration_files(folder)
    print(f"1..{points}")
    return failed


os.umask(0o022)
sys.exit(main())
