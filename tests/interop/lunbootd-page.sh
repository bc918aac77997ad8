#!/bin/bash
# The web page's server: nothing without the token, events while a machine boots, metrics, JSON lines.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
need curl python3
make_net
make_gpt_disk "$scratch/disk.img"
echo 0123456789-metrics >"$scratch/metrics-token"
chmod 600 "$scratch/metrics-token"
start_lunbootd --writes=drop --overlay-limit=1 --metrics-token="$scratch/metrics-token" "$scratch/disk.img"
at=http://127.0.0.1:8260
lunbootd_says "shows its state at $at/; lunbootctl page" "the page's address is told"
ctl page
url=$(cat "$scratch/ctl.log")
token=${url#http://lunbootd:}
token=${token%@*}
[ ${#token} = 64 ] || fail "lunbootctl page gives $url"
[ "$url" = "http://lunbootd:$token@127.0.0.1:8260/" ] || fail "lunbootctl page gives $url"
[ "$(stat -c %a "$scratch/state/page-token")" = 600 ] || fail "others may read the token"
ctl --json page
[ "$(cat "$scratch/ctl.log")" = "{\"page\":\"$url\"}" ] || fail "--json page is no object" "$scratch/ctl.log"
ok "lunbootctl page gives the address with the token, whose file is its owner's alone"

# gets STATUS ARGUMENTS...: the answer's head and body are in $scratch/head and $scratch/body.
gets() {
    local status
    status=$(in_server curl -s -m 10 -D "$scratch/head" -o "$scratch/body" -w '%{http_code}' "${@:2}")
    [ "$status" = "$1" ] || fail "${*:2}: the status is $status" "$scratch/head" "$scratch/body"
}

# Without the token, whatever is asked: the same answer, but for its date.
gets 401 "$at/"
sed '/^Date:/d' "$scratch/head" | cat - "$scratch/body" >"$scratch/refused"
for path in /events /metrics /nothing /../etc/passwd; do
    for header in 'X-None: x' "Authorization: Bearer ${token%?}" 'Authorization: Bearer ' 'Authorization: Basic eDp5' \
        "Authorization: Bearer ${token}0" "Cookie: $token"; do
        gets 401 --path-as-is -H "$header" "$at$path"
        sed '/^Date:/d' "$scratch/head" | cat - "$scratch/body" | cmp -s - "$scratch/refused" ||
            fail "$path with $header has another answer" "$scratch/head"
    done
done
gets 401 -X POST -d x=y "$at/"
gets 401 -H "Authorization: Bearer 0123456789-metrics" "$at/"
gets 401 -H "Authorization: Bearer 0123456789-metrics" "$at/events"
ok "an unknown token sees nothing: the same 401 on every path"
lunbootd_says '127\.0\.0\.1 +was refused the page: a wrong token' "a wrong token is told"
[ "$(grep -c 'was refused' "$scratch/lunbootd.log")" = 1 ] || fail "wrong tokens fill the log"
! in_server curl -s -m 2 "http://$server_ip:8260/" || fail "the page is served at $server_ip"
ok "it is on loopback alone"

auth="Authorization: Bearer $token"
gets 200 -H "$auth" "$at/"
grep -q '<title>Machines' "$scratch/body" || fail "that is not the page"
tr -d '\r' <"$scratch/head" >"$scratch/head.txt"
grep -q "^Content-Security-Policy: default-src 'none';.*script-src 'sha256-" "$scratch/head.txt" || fail "no policy"
grep -q '^Cache-Control: no-store$' "$scratch/head.txt" || fail "the page may be kept"
! grep -qE '(src|href)="?(https?:)?//' "$scratch/body" || fail "the page uses what is elsewhere"
ok "with the token there is the page, and a policy that lets nothing else run"
gets 200 "$url"
gets 404 -H "$auth" "$at/nothing"
gets 405 -X POST -d x=y -H "$auth" "$at/"
ok "a password is a token, too; other paths and methods have their own answers"
in_server curl -sv -m 10 -H "$auth" -o "$scratch/body" "$at/metrics" -o "$scratch/body" "$at/metrics" \
    2>"$scratch/again" || fail "two questions on one connection" "$scratch/again"
grep -q 'Re-using existing connection' "$scratch/again" || fail "each question needs a connection" "$scratch/again"
ok "questions follow one another on one connection"

# Events while a machine boots.
spawn events ip netns exec "$server_ns" curl -sN -m 60 -H "$auth" "$at/events"
wait_log events '"time":'
run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
mac=$(ip netns exec "$client_ns" cat /sys/class/net/vc0/address)
wait_log events "\"mac\":\"$mac\",\"address\":\"192.0.2.[0-9]+\".*\"state\":\"login\""
ok "a machine that boots is sent without being asked for"
rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
give_client_address
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=524288 --offset=8388608 --seed=1
succeeds "the machine writes"
wait_log events '"state":"reading".*"read":[0-9]+,"written":524288.*"overlay":524288,"limit":1048576'
ok "its stage, what it read and wrote, and its overlay follow"
lunboot=$exercise run_lunboot --rootpath="$rootpath" --write-verify=1048576 --offset=16777216 --seed=2
wait_log events '"trouble":"the disk cannot be written: [^"]*","try":"lunbootctl reset'
ok "its last trouble comes with a remedy"
in_client "$interop/dhcp-says.py" vc0 02:00:00:00:00:66 $'<script>\nalert(1)</script>' >"$scratch/says.log" 2>&1 ||
    fail "a hostile machine gets no address"
wait_log events '"host":"<script>\\\\x0aalert\(1\)</script>"'
ok "what a machine calls itself is text, without an end of line"
end events
python3 - "$scratch/events.log" <<'PY' || fail "an event is not as it should be" "$scratch/events.log"
import json, sys
kinds = set()
for block in open(sys.argv[1], encoding="utf-8").read().split("\n\n")[:-1]:
    event, data = block.split("\n")
    kinds.add(event)
    value = json.loads(data.removeprefix("data: "))
    assert ("row" in value) == (event == "event: row"), block
assert kinds == {"event: row", "event: now"}, kinds
PY
ok "each event is one JSON object"

# Metrics.
gets 200 -H "Authorization: Bearer 0123456789-metrics" "$at/metrics"
cp "$scratch/body" "$scratch/metrics.txt"
grep -qx "Content-Type: text/plain; version=0.0.4" <(tr -d '\r' <"$scratch/head") ||
    fail "the metrics have another type" "$scratch/head"
label=machine=\"${mac//:/-}\"
for line in "written_bytes_total{$label} [0-9]*" "overlay_limit_bytes{$label} 1048576" \
    "memory_bytes 268435456" "memory_used_bytes [0-9]*" "memory_waits_total 0"; do
    grep -qx "lunbootd_$line" "$scratch/metrics.txt" || fail "there is no metric $line" "$scratch/metrics.txt"
done
ok "the metrics' token opens the metrics"
if command -v promtool >/dev/null; then
    promtool check metrics <"$scratch/metrics.txt" >"$scratch/promtool.log" 2>&1 ||
        fail "promtool objects" "$scratch/promtool.log"
    ok "promtool has nothing to object"
else
    ok "promtool has nothing to object # SKIP promtool is not installed"
fi
! grep -q "$token" "$scratch"/lunbootd.log "$scratch"/metrics.txt "$scratch"/events.log || fail "the token is shown"
ok "the token is in no log, no event and no metric"

# A port that is taken does not keep machines from booting; JSON lines.
end lunbootd
spawn other ip netns exec "$server_ns" python3 -c '
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8260))
s.listen()
time.sleep(60)'
wait_for 5 "the other server" has_listener "$server_ns" 8260
start_lunbootd --writes=drop --log-format=json "$scratch/disk.img"
lunbootd_says '"text":"has no page: 127.0.0.1:8260 cannot be served: Address already in use; try: --page-port' \
    "without its port there is no page, and machines are served"
ctl_refuses 'lunbootd shows no page' 'key page' page
run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1
succeeds "a machine boots then"
python3 - "$scratch/lunbootd.log" "$mac" <<'PY' || fail "a line is not as it should be" "$scratch/lunbootd.log"
import datetime, json, sys
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
form = "%Y-%m-%dT%H:%M:%S.%f%z"
assert all(datetime.datetime.strptime(line["time"], form) and line["text"] for line in lines)
address = [line for line in lines if line["event"] == "address"]
assert address and address[0]["mac"] == sys.argv[2], address
assert any(line["event"] == "login" and line["address"] == address[0]["address"] for line in lines)
PY
ok "with log-format=json each line is an object"
end lunbootd

# What is wrong is told with a remedy.
chmod 644 "$scratch/metrics-token"
lunbootd_refuses "a token that others can read" 'others can read or change it' 'chmod 600' --interface=vs0 \
    --metrics-token="$scratch/metrics-token" "$scratch/disk.img"
lunbootd_refuses "a token that is missing" 'none cannot be read: No such file' 'leave the key out' --interface=vs0 \
    --page-token="$scratch/none" "$scratch/disk.img"
lunbootd_refuses "an address that is none" 'page-address cannot be "here"' 'such as 127' --interface=vs0 \
    --page-address=here "$scratch/disk.img"
start_lunbootd --page=no "$scratch/disk.img"
! grep -q 'shows its state' "$scratch/lunbootd.log" || fail "there is a page in spite of page=no"
ok "with page=no there is none"
pass
