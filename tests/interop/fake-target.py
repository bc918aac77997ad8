#!/usr/bin/env python3
"""A target that misbehaves in one chosen way, for what real targets cannot be made to do on demand.

fake-target.py ADDRESS PORT BEHAVIOUR [ARGUMENT]

  silent              accepts the connection and never says a word
  hang-up             accepts the connection and closes it
  chatter             greets like a mail server
  status CLASSDETAIL  answers the login with this status, four hex digits (0302: out of resources)
  redirect ADDRESS    answers the login with 0101 and this TargetAddress
  reflect             asks for CHAP with our own challenge (mutual CHAP), as an impostor would

It says `ready` when it listens, and a line for each login.
"""
import socket
import struct
import sys
import threading

LOGIN_REQUEST, LOGIN_RESPONSE = 0x03, 0x23


def receive(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def receive_login(connection):
    header = receive(connection, 48)
    length = int.from_bytes(header[5:8], "big")
    text = receive(connection, (length + 3) & ~3)[:length]
    pairs = dict(p.split("=", 1) for p in text.decode().split("\0") if "=" in p)
    print("login", pairs.get("InitiatorName"), pairs.get("TargetName"), flush=True)
    return header, pairs


def respond(connection, request, status, pairs, stat_sn, flags=None):
    """RFC 7143 11.13. The stages are the request's, but the transit bit is only given where asked."""
    text = b"".join(f"{key}={value}".encode() + b"\0" for key, value in pairs)
    cmd_sn = struct.unpack(">I", request[24:28])[0]
    header = struct.pack(">BBBB", LOGIN_RESPONSE, request[1] if flags is None else flags, 0, 0)
    header += bytes([0]) + len(text).to_bytes(3, "big")
    header += request[8:14] + struct.pack(">H", 1) + request[16:20] + bytes(4)
    header += struct.pack(">III", stat_sn, cmd_sn, cmd_sn + 16)
    header += status.to_bytes(2, "big") + bytes(10)
    connection.sendall(header + text + bytes(-len(text) % 4))


def reflect(connection):
    """Security negotiation up to the point where the initiator sends its own challenge; then that
    challenge is what we ask it to answer, on the next connection (and its answer is our proof)."""
    header, pairs = receive_login(connection)
    respond(connection, header, 0, [("TargetPortalGroupTag", 1), ("AuthMethod", "CHAP")], 1, 0)
    header, pairs = receive_login(connection)
    algorithm = pairs["CHAP_A"].split(",")[0]
    respond(connection, header, 0, [("CHAP_A", algorithm), ("CHAP_I", 1), ("CHAP_C", "0x" + "5a" * 16)],
            2, 0)
    header, pairs = receive_login(connection)
    respond(connection, header, 0, [("CHAP_N", "disk"), ("CHAP_R", pairs["CHAP_R"])], 3)


def serve(connection, behaviour, argument):
    try:
        if behaviour == "silent":
            while connection.recv(65536):
                pass
        elif behaviour == "hang-up":
            pass
        elif behaviour == "chatter":
            connection.sendall(b"220 mail.example ESMTP at your service, and a very good day to you\r\n" * 4)
            while connection.recv(65536):
                pass
        elif behaviour == "status":
            header, _ = receive_login(connection)
            respond(connection, header, int(argument, 16), [], 1)
        elif behaviour == "redirect":
            header, _ = receive_login(connection)
            respond(connection, header, 0x0101, [("TargetAddress", argument)], 1)
        elif behaviour == "reflect":
            reflect(connection)
    except (EOFError, OSError, KeyError) as error:
        print("ended:", repr(error), flush=True)
    finally:
        connection.close()


def main():
    address, port, behaviour = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    argument = sys.argv[4] if len(sys.argv) > 4 else ""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, behaviour, argument), daemon=True).start()


main()
