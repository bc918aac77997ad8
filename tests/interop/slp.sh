# Sourced by lib.sh: agents of SLP, and what discovery finds.
# shellcheck shell=bash

slp_agent=${LUNBOOT_SLP_AGENT:-$top/build/lunboot-slp-agent}

# make_slp_net: make_bridged_net, with IPv6 at br0 too, where groups are heard by everybody.
make_slp_net() {
    [ -x "$slp_agent" ] || skip "$slp_agent has not been built"
    make_bridged_net
    in_server ip link set br0 type bridge mcast_snooping 0
    in_server ip addr add 2001:db8:77::2/64 dev br0 nodad
    server_ip=192.0.2.2
    server_ip6=2001:db8:77::2
}

# start_slp_agent NUMBER [OPTION...] <<EOF  lines of services: see slp-agent.c
# An agent in a namespace of its own on the bridge, at 192.0.2.3NUMBER and 2001:db8:77::3NUMBER; its log is
# agentNUMBER.log.
start_slp_agent() {
    local number=$1 ns=lb-ag$1-$$
    shift
    make_namespace "$ns"
    more_ns+=("$ns")
    join "$server_ns" "va$number" "$ns" va0
    bridge_port "va$number"
    ip -n "$ns" addr add "192.0.2.3$number/24" dev va0
    ip -n "$ns" addr add "2001:db8:77::3$number/64" dev va0 nodad
    ip -n "$ns" link set va0 up
    cat >"$scratch/services$number"
    spawn "agent$number" ip netns exec "$ns" "$slp_agent" --interface=va0 \
        --ipv4="192.0.2.3$number" --ipv6="2001:db8:77::3$number" --services="$scratch/services$number" "$@"
    wait_log "agent$number" '^ready'
}

# slp_service TARGET [PORTAL [ATTRIBUTES]]: a line for start_slp_agent.
slp_service() {
    echo "service:iscsi:target://${2:-$server_ip:3260}/$1 DEFAULT (iscsi-name=$1),(portal-group=1)${3:+,$3}"
}

# discover [ARGUMENT...]: what discovery finds on the network, asking SLP alone.
discover() {
    run_lunboot discover --interface=vc0 --discovery=slp "$@"
}

# found PATTERN WHAT: the last discovery (--json) has a candidate with this, as "TARGET SERVER:PORT SOURCE
# VERDICT".
list_found() {
    python3 -c 'import json, sys
for c in json.load(open(sys.argv[1]))["candidates"]:
    print(c["targetname"], "%s:%u" % (c["server"], c["port"]), c["source"], c["refused"] or "allowed")' \
        "$scratch/out.log"
}
found() {
    list_found >"$scratch/found"
    grep -qE -- "$1" "$scratch/found" || fail "$2: no candidate matches '$1'" "$scratch/found"
    ok "$2"
}
