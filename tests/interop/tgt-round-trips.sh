#!/bin/bash
# From SYN to the first block, counted on the wire: SYN, login, questions to the disk (two flights of them,
# for tgt's first window has room for two commands), read. tests/vm/lio.sh has the same for LIO.
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
round_trips=$(count_round_trips "$server_ip")
# tgt opens a window of two commands at first: the questions to the disk take a second round trip.
[ "$round_trips" -le 5 ] || fail "it took $round_trips round trips, not five" "$scratch/packets"
ok "from SYN to the first block: $round_trips round trips"
pass
