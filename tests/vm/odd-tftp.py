"""A TFTP server (RFC 1350) that answers one file well and another one badly: `odd-tftp.py ADDRESS FOLDER HOW`.

HOW is what becomes of every lunboot.conf: silent, stalls (after its first block), error-N (an answer with that
code), or a file's name in FOLDER.
"""
import pathlib
import socket
import struct
import sys

ERRORS = [b"Not defined", b"File not found", b"Access violation"]
address, folder, how = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def options(words):
    """The options that are understood: the size of the file and of a block (RFC 2348, 2349)."""
    given = dict(zip([w.lower() for w in words[::2]], words[1::2]))
    return {name: given[name] for name in (b"tsize", b"blksize") if name in given}


def serve(client, data, wanted, stalls):
    session = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    session.bind((address, 0))
    session.settimeout(3)
    size = int(wanted.get(b"blksize", b"512"))
    if b"tsize" in wanted:
        wanted[b"tsize"] = b"%d" % len(data)
    if wanted:
        session.sendto(b"\0\6" + b"".join(k + b"\0" + v + b"\0" for k, v in wanted.items()), client)
        if session.recvfrom(2048)[0][:2] != b"\0\4":
            return
    for number in range(len(data) // size + 1):
        session.sendto(struct.pack("!HH", 3, (number + 1) & 0xffff) + data[number * size:(number + 1) * size], client)
        if session.recvfrom(2048)[0][:2] != b"\0\4" or stalls:
            return


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 69))
print("ready", flush=True)
while True:
    request, client = server.recvfrom(2048)
    name, _, *words = request[2:].rstrip(b"\0").split(b"\0")
    print("asked for", name.decode(), flush=True)
    is_conf = name.endswith(b"lunboot.conf")
    try:
        if is_conf and how == "silent":
            continue
        if is_conf and how.startswith("error-"):
            code = int(how[6:])
            server.sendto(struct.pack("!HH", 5, code) + ERRORS[code] + b"\0", client)
            continue
        source = how if is_conf and how != "stalls" else name.decode()
        serve(client, (folder / source).read_bytes(), options(words), is_conf and how == "stalls")
    except (socket.timeout, OSError):
        pass
