#!/bin/bash
# What lunbootd tells firmware as a proxy: the offer on port 67, and port 4011, for PXE and for HTTP boot, x64, ARM
# and BIOS.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
make_net
make_bytes "$scratch/disk.img" 1048576
mkdir "$scratch/boot"
: >"$scratch/boot/lunbootx64.efi"
: >"$scratch/boot/lunbootaa64.efi"
start_lunbootd --dhcp=proxy --state="$scratch/state" --files="$scratch/boot" "$scratch/disk.img"
give_client_address

# asks PORT TYPE CLASS ARCH: what comes back, as `name value` lines; nothing where nothing does.
cat >"$scratch/ask.py" <<'PYTHON'
import socket, struct, sys
port, kind, vendor, arch = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"vc0")
s.bind(("", 68))
s.settimeout(1.5)
own = socket.inet_aton("192.0.2.50") if port == 4011 else bytes(4)
guid = bytes(range(16))
head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 7, 0, 0x8000 if port == 67 else 0) + own + bytes(12)
head += bytes([2, 0, 0, 0, 0, 10]) + bytes(10 + 192) + bytes.fromhex("63825363")
options = b"".join(bytes([code, len(value)]) + value for code, value in [
    (53, bytes([kind])), (57, b"\x05\xc0"), (60, vendor), (93, struct.pack("!H", arch)), (94, b"\1\3\x10"),
    (97, b"\0" + guid), (55, bytes([1, 3, 43, 60, 66, 67, 97]))])
s.sendto(head + options + b"\xff", ("192.0.2.1" if port == 4011 else "255.255.255.255", port))
try:
    data, peer = s.recvfrom(1500)
except TimeoutError:
    sys.exit(0)
print("from", peer[0], peer[1])
print("yiaddr", socket.inet_ntoa(data[16:20]), "siaddr", socket.inet_ntoa(data[20:24]))
at = 240
while data[at] != 255:
    if data[at] == 0:
        at += 1
        continue
    code, value = data[at], data[at + 2:at + 2 + data[at + 1]]
    text = value.decode() if code in (17, 60, 66, 67) else value.hex()
    print("option", code, text)
    at += 2 + len(value)
PYTHON
asks() {
    in_client python3 "$scratch/ask.py" "$@" >"$scratch/answer.log"
}
# has LINE...: the answer has these.
has() {
    local line
    for line in "$@"; do
        grep -qxF -- "$line" "$scratch/answer.log" || fail "the answer has no '$line'"
    done
}
guid=00000102030405060708090a0b0c0d0e0f
pxe=PXEClient:Arch:00007:UNDI:003016

asks 67 1 "$pxe" 7
has 'option 53 02' 'yiaddr 0.0.0.0 siaddr 192.0.2.1' 'option 60 PXEClient' 'option 67 lunbootx64.efi' \
    'option 66 192.0.2.1' 'option 43 060108ff' "option 97 $guid" 'option 54 c0000201'
ok "the proxy's offer on port 67 names the loader, and tells PXE to take it at once"
asks 4011 3 "$pxe" 7
has 'from 192.0.2.1 4011' 'option 53 05' 'option 60 PXEClient' 'option 67 lunbootx64.efi' "option 97 $guid"
grep -q 'option 17 iscsi:192\.0\.2\.1::3260:0:iqn' "$scratch/answer.log" || fail "there is no Root Path"
ok "port 4011 answers a REQUEST with the same"
asks 4011 3 PXEClient:Arch:00011:UNDI:003016 11
has 'option 67 lunbootaa64.efi'
ok "an ARM machine is told its own loader"
asks 4011 8 "$pxe" 7
has 'option 53 05' 'option 67 lunbootx64.efi'
ok "an INFORM, too"
asks 4011 1 "$pxe" 7
[ ! -s "$scratch/answer.log" ] || fail "a DISCOVER on port 4011 is answered"
ok "a DISCOVER does not belong there"
asks 67 3 "$pxe" 7
[ ! -s "$scratch/answer.log" ] || fail "a REQUEST to another server is answered"
ok "a REQUEST on port 67 is the other server's"
asks 67 1 HTTPClient:Arch:00016:UNDI:003016 16
has 'option 60 HTTPClient' 'option 67 http://192.0.2.1:80/lunbootx64.efi' 'yiaddr 0.0.0.0 siaddr 192.0.2.1'
ok "HTTP boot is offered a URL, and the class HTTPClient"
asks 67 1 PXEClient:Arch:00000:UNDI:002001 0
lunbootd_says 'BIOS, no boot file: undionly\.kpxe is not served' "what a BIOS machine lacks is told"
asks 67 1 PXEClient:Arch:00006:UNDI:003016 6
lunbootd_says 'UEFI ia32, there is no boot file for this kind of machine' "so is a kind without a loader"
: >"$scratch/boot/undionly.kpxe"
asks 67 1 PXEClient:Arch:00000:UNDI:002001 0
has 'option 67 undionly.kpxe'
ok "with it a BIOS machine is told iPXE"
pass
