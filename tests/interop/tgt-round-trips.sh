#!/bin/bash
# From SYN to the first block: at most four round trips without authentication, counted on the wire.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark python3
make_net
serve_disk
give_client_address
start_capture "$client_ns" vc0 tcp port 3260
read_disk 0 512 "$scratch/block"
succeeds "one block is read"
stop_capture
# Every packet that carries something: S for the server's, C for the client's; READ when its data come.
tshark -r "$scratch/capture.pcap" -T fields -e ip.src -e tcp.len -e tcp.flags.syn -e iscsi.opcode \
    -e scsi_sbc.opcode 2>/dev/null >"$scratch/packets"
round_trips=$(python3 - "$scratch/packets" "$server_ip" <<'PYTHON'
import sys
trips, last, read_sent = 0, None, False
for line in open(sys.argv[1]):
    source, length, syn, opcodes, commands = (line.rstrip("\n").split("\t") + [""] * 5)[:5]
    if length == "0" and syn not in ("1", "True"):
        continue
    side = "S" if source == sys.argv[2] else "C"
    if side == "C" and last != "C":
        trips += 1
    if side == "C" and any(c in ("0x28", "0x88", "40", "136") for c in commands.split(",")):
        read_sent = True
    last = side
    if side == "S" and read_sent and "0x25" in opcodes.split(","):
        print(trips)
        break
PYTHON
)
[ -n "$round_trips" ] || fail "no block came on the wire" "$scratch/packets"
[ "$round_trips" -le 4 ] || fail "it took $round_trips round trips, not four" "$scratch/packets"
ok "from SYN to the first block: $round_trips round trips"
pass
