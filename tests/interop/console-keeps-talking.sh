#!/bin/bash
# Twenty portals refuse, again and again: more steps than the report has room for. The console goes
# on to tell of the attempts, and shows the last one. With a long boot the same lines come once a
# minute (core/base/test_console.c).
. "$(dirname "$0")/lib.sh"
need_lunboot
make_slp_net
for port in $(seq 3201 3220); do
    slp_service "$iqn" "$server_ip:$port" "(boot-list=iscsi)"
done | start_slp_agent 1 --directory
give_client_address
echo "lunboot.enable=yes" >"$scratch/cmdline"
in_client "$lunboot" initramfs --interface=vc0 --kernel-cmdline="$scratch/cmdline" \
    --sysfs="$scratch" --run="$scratch/run" --address=192.0.2.50/24 --target="$iqn" \
    --discovery=slp --slp-agent=192.0.2.31 --trust-open-slp=yes --retry-delay=1ms \
    --retry-time=10s 2>"$scratch/stderr" && exit 1
tr '\r' '\n' <"$scratch/stderr" | grep 'connect .*failed' >"$scratch/shown" || true
tail -1 "$scratch/shown" | sed 's/^/# the last: /'
awk '$1 > last { last = $1 } END { exit !(last > 5) }' "$scratch/shown"
ok "the console tells of the last attempts"
[ "$(wc -l <"$scratch/shown")" -lt 100 ]
ok "and does not repeat itself without end"
pass
