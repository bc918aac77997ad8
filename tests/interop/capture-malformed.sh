#!/bin/bash
# The tests' own judge of captures: a DHCP message that is cut is malformed; data that tshark takes for another
# protocol by its port, and an iSCSI PDU whose beginning was not captured, are not.
. "$(dirname "$0")/lib.sh"
need tshark python3

# capture FRAME...: these frames; "tcp PORT SEQ HEX" or "udp PORT HEX", from the client.
capture() {
    python3 - "$scratch/capture.pcap" "$@" <<'PYTHON'
import struct, sys

def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def frame(words):
    kind, port, *rest = words.split()
    data = bytes.fromhex(rest[-1])
    if kind == "tcp":
        payload = struct.pack("!HHIIBBHHH", 50000, int(port), int(rest[0]), 1, 0x50, 0x18, 1000, 0, 0) + data
    else:
        payload = struct.pack("!HHHH", 68, int(port), 8 + len(data), 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, 6 if kind == "tcp" else 17, 0,
                     bytes([192, 0, 2, 50]), bytes([192, 0, 2, 1]))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\x52\x54\0\x12\x34\x56" * 2 + b"\x08\x00" + ip + payload

with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for words in sys.argv[2:]:
        whole = frame(words)
        file.write(struct.pack("<IIII", 0, 0, len(whole), len(whole)) + whole)
PYTHON
}

bgp="ffffffffffffffffffffffffffffffff001702ffffffff"
capture "tcp 179 1 $bgp"
[ -n "$(tshark -r "$scratch/capture.pcap" -Y _ws.malformed 2>/dev/null)" ] || fail "tshark does not guess any more"
none_malformed "data that tshark takes for BGP is not malformed"
capture "tcp 179 1 $bgp" "udp 67 010106000000000000000000000000000000000000000000000000000000000000"
[[ $(malformed) == 2$'\t'*dhcp ]] || fail "a DHCP message that is cut: $(malformed)"
ok "a DHCP message that is cut is"
[ -z "$(malformed tcp)" ] || fail "the filter is not heeded"
ok "if it passes the filter"
pass
