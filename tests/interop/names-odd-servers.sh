#!/bin/bash
# Names, with DNS servers that are slow, silent or refuse: the first usable address wins, and one bad server
# costs a second at most.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
ip -n "$server_ns" addr add 192.0.2.2/24 dev vs0
ip -n "$client_ns" addr add 192.0.2.50/24 dev vc0
ip -n "$client_ns" link set vc0 up

# names A AAAA [A AAAA]: the DNS servers 192.0.2.1 and 192.0.2.2; without the second pair there is nobody at
# the second address.
names() {
    end dns
    end dns2
    spawn dns ip netns exec "$server_ns" "$interop/fake-dns.py" 192.0.2.1 "$1" "$2"
    wait_log dns ready
    [ $# -lt 4 ] || {
        spawn dns2 ip netns exec "$server_ns" "$interop/fake-dns.py" 192.0.2.2 "$3" "$4"
        wait_log dns2 ready
    }
}

# probe_name [ARGUMENTS...]: the time that the step `resolve` took is in $resolve_ms.
probe_name() {
    rm -f "$scratch/out.log"
    run_lunboot probe --rootpath="iscsi:storage.boot.example:::1:$iqn" --dns=192.0.2.1,192.0.2.2 --attempts=1 \
        --json "$@"
    resolve_ms=$(python3 - "$scratch/out.log" <<'PY'
import json, sys
steps = json.load(open(sys.argv[1]))["report"]["steps"]
print(max((s["end_us"] - s["start_us"]) // 1000 for s in steps if s["stage"] == "resolve"))  # microseconds
PY
    )
}

takes_at_most() { # MILLISECONDS WHAT
    succeeds "$2"
    [ "$resolve_ms" -le "$1" ] || fail "$2: the lookup took $resolve_ms ms, and $1 are allowed"
    ok "$2: within $1 ms"
}

names 192.0.2.1 drop
probe_name
takes_at_most 500 "a server that never answers AAAA"
probe_name --family=4
takes_at_most 500 "the same, with family=4"
if grep -q "^AAAA" <(tail -n 1 "$scratch/dns.log"); then
    fail "with family=4 nobody asks for AAAA"
fi
ok "with family=4 nobody asks for AAAA"

for word in servfail refused notimp; do
    names "$word" "$word" 192.0.2.1 nodata
    probe_name
    takes_at_most 700 "the first server says $word, the second knows the name"
done
names drop drop 192.0.2.1 nodata
probe_name
takes_at_most 1200 "the first server is silent, the second knows the name"

names nxdomain nxdomain
probe_name
fails_with resolve "a name that does not exist" storage.boot.example 192.0.2.1
names servfail servfail refused refused
probe_name
fails_with resolve "both servers fail, and both are named" "192.0.2.1 \(it failed\), 192.0.2.2 \(it failed\)"
pass
