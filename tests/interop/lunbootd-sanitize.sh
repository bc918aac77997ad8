#!/bin/bash
# SANITIZE OVERWRITE of an overlay of lunbootd's: its progress, a kill -9 while it goes on, the base below, another
# machine that reads meanwhile, and a limit that has no room for it. sg_sanitize does it in vm/lunbootd-kernel.sh.
. "$(dirname "$0")/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
make_net
give_client_address
make_bytes "$scratch/disk.img" $((4 << 20)) 5
truncate -s 256M "$scratch/disk.img"
truncate -s 1M "$scratch/raw.img"
before=$(sha256 "$scratch/disk.img")
two_disks
start() { start_lunbootd --config="$scratch/lunbootd.conf"; }
anna=iqn.2026-11.org.lunboot:disk:anna bert=iqn.2026-11.org.lunboot:raw:bert
# phase PHASE WORD
phase() {
    in_client timeout 120 "$interop/sanitize.py" "$server_ip" "$anna" "$@" >"$scratch/phase.log" 2>&1 ||
        fail "$*: $(cat "$scratch/phase.log")"
}

start
phase crypto ''
ok "CRYPTOGRAPHIC ERASE is refused: 05/24/00"
phase begin 0a000003a1b2c3
ok "OVERWRITE with IMMED is answered at once; then TEST UNIT READY and READ are NOT READY 04/1B"
phase watch "$bert"
ok "the progress grows until it ends, while another machine reads: $(cat "$scratch/phase.log")"
phase reads a1b2c3
ok "then every block begins with the pattern: $(cat "$scratch/phase.log")"

phase begin 8900000177
end lunbootd KILL
start
lunbootd_says 'anna .*goes on' "after a kill -9 it goes on before anybody logs in"
wait_log lunbootd 'anna .*is sanitized' 120
phase reads 77
ok "and to its end: every block is the pattern, and not its inverse"
phase wait 01000002beef
phase reads beef
ok "without IMMED it is answered when all is written"
[ ! -e "$scratch/overlays/anna/sanitize" ] || fail "its file is still there"

end lunbootd
two_disks 'overlay-limit = 255'
start
phase refused 0100000100
phase reads beef
ok "where the limit has no room for all blocks it is refused, 07/27/07, and nothing has changed"
[ "$before" = "$(sha256 "$scratch/disk.img")" ] || fail "the disk below has changed"
ok "the disk below is as it was"
is_alive lunbootd || fail "lunbootd died"
pass
