#!/usr/bin/python3
"""A file system of one folder, read only, whose disk may stop to answer: usage: slow-files.py FOLDER AT HOLD [cached].

It is mounted at AT until this program ends. cached: the kernel keeps what was read, so files can be mapped. While the
file HOLD exists, no read is answered; names and sizes are. While HOLD.open exists, no file can be opened either.
It speaks the kernel's own protocol (include/uapi/linux/fuse.h), so it needs no library. Needs root.
"""
import ctypes
import errno
import os
import select
import stat
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = (
    1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 29, 36, 42)
ROOT = 1
HOUR = 3600
DIRECT_IO = 1  # the kernel keeps nothing of what was read


def attributes(node, path):
    at = os.stat(path)
    return struct.pack("<6Q10I", node, at.st_size, (at.st_size + 511) // 512, 0, int(at.st_mtime), 0, 0, 0, 0,
                       at.st_mode, 1, 0, 0, 0, 4096, 0)


class Folder:
    def __init__(self, folder, fd, hold, flags):
        self.flags = flags
        self.fd, self.hold, self.waiting, self.opening = fd, hold, [], []
        names = sorted(name for name in os.listdir(folder) if stat.S_ISREG(os.stat(os.path.join(folder, name)).st_mode))
        self.paths = {ROOT: folder}
        self.nodes = {}
        for number, name in enumerate(names, ROOT + 1):
            self.paths[number] = os.path.join(folder, name)
            self.nodes[name.encode()] = number

    def answer(self, unique, body=b"", error=0):
        os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)

    def read(self, unique, node, body):
        offset, size = struct.unpack_from("<QI", body, 8)
        with open(self.paths[node], "rb") as file:
            file.seek(offset)
            self.answer(unique, file.read(size))

    def look_up(self, unique, body):
        node = self.nodes.get(body.rstrip(b"\0"))
        if node is None:
            self.answer(unique, error=errno.ENOENT)
        else:
            self.answer(unique, struct.pack("<4Q2I", node, 0, HOUR, HOUR, 0, 0) + attributes(node, self.paths[node]))

    def request(self, opcode, unique, node, body):
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return
        if opcode == INIT:
            minor = struct.unpack_from("<I", body, 4)[0]
            self.answer(unique, struct.pack("<4I2H2I2H8I", 7, min(minor, 31), 131072, 0, 0, 0, 131072, 1, *[0] * 10))
        elif opcode == LOOKUP:
            self.look_up(unique, body)
        elif opcode == GETATTR:
            self.answer(unique, struct.pack("<Q2I", HOUR, 0, 0) + attributes(node, self.paths[node]))
        elif opcode == OPEN and os.path.exists(self.hold + ".open"):
            self.opening.append(unique)
        elif opcode in (OPEN, OPENDIR):
            self.answer(unique, struct.pack("<Q2I", 0, self.flags, 0))
        elif opcode == READ:
            self.waiting.append((unique, node, body))
        elif opcode == STATFS:
            self.answer(unique, struct.pack("<5Q4I24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0))
        elif opcode in (RELEASE, RELEASEDIR, FLUSH):
            self.answer(unique)
        else:
            self.answer(unique, error=errno.ENOSYS)

    def serve(self):
        while True:
            if select.select([self.fd], [], [], 0.02)[0]:
                data = os.read(self.fd, 1 << 18)
                length, opcode, unique, node = struct.unpack_from("<IIQQ", data)
                self.request(opcode, unique, node, data[40:length])
            while self.opening and not os.path.exists(self.hold + ".open"):
                self.answer(self.opening.pop(0), struct.pack("<Q2I", 0, self.flags, 0))
            while self.waiting and not os.path.exists(self.hold):
                self.read(*self.waiting.pop(0))


def main():
    folder, at, hold = sys.argv[1:4]
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other" % fd
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"slow-files", at.encode(), b"fuse", 0, options.encode()) < 0:
        sys.exit("no file system can be mounted here: " + os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    Folder(folder, fd, hold, 0 if sys.argv[4:] == ["cached"] else DIRECT_IO).serve()


main()
