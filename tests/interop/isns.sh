# Sourced by lib.sh: iSNS servers, and what is registered there.
# shellcheck shell=bash

isns_host=iqn.2026-11.test:host1 # the name that lunboot is given in these scripts
# DHCP option 83 (RFC 4174) for dnsmasq: the server, and nothing said of domains, rights and security.
isns_option='83,00:00:00:00:00:00:00:00:00:00:c0:00:02:01'

# start_isnsd [LINE...]: open-isns in the server's namespace with an empty database; more lines of its
# configuration. It does not start where there is loopback alone.
start_isnsd() {
    need isnsd isnsadm
    {
        echo "Database = $scratch/isns.db"
        echo "SourceName = iqn.2026-11.test:isnsd"
        echo "Security = 0"
        echo "RegistrationPeriod = 10m"
        echo "DefaultDiscoveryDomain = 0"
        echo "SLPRegister = 0"
        echo "PIDFile = $scratch/isnsd.pid"
        echo "ControlSocket = $scratch/isnsd.socket"
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$scratch/isnsd.conf"
    spawn isnsd ip netns exec "$server_ns" isnsd -f -c "$scratch/isnsd.conf"
    wait_for 15 "isnsd listening" has_listener "$server_ns" 3205
}

# isns_as NAME ARGUMENTS...: isnsadm in the server's namespace, under this iSCSI name. Its answer is in
# $scratch/isnsadm.log.
isns_as() {
    local name=$1
    shift
    {
        echo "SourceName = $name"
        echo "ServerAddress = 127.0.0.1"
        echo "Security = 0"
        echo "ControlSocket = $scratch/isnsd.socket"
    } >"$scratch/isnsadm.conf"
    # In a condition: else what is said of its failure would go where its output goes.
    if ! in_server isnsadm -c "$scratch/isnsadm.conf" "$@" >"$scratch/isnsadm.log" 2>&1; then return 1; fi
}

# isns_target NAME ADDRESS...: registers a target in an entity of its own, at these portals (port 3260).
isns_target() {
    local name=$1 address portals=()
    shift
    for address; do portals+=("portal=$address:3260" "pg,pgt=1"); done
    isns_as iqn.2026-11.test:array --register "entity=array.${name##*:}" "target=$name,alias=disk" \
        "${portals[@]}"
}

# isns_domain NAME FEATURES MEMBER...: a Discovery Domain. FEATURES: "boot" or "none". The members come in
# a second step: open-isns leaves out of a new domain who is in another one already.
isns_domain() {
    local name=$1 features=() id member members=()
    [ "$2" != boot ] || features=('dd-features=Boot list enabled')
    shift 2
    for member; do members+=("dd-member-name=$member"); done
    isns_as iqn.2026-11.test:array --dd-register "dd-name=$name" "${features[@]}"
    id=$(sed -n 's/.*DD ID = //p' "$scratch/isnsadm.log")
    while [ ${#members[@]} -gt 0 ]; do # isnsadm does not take very many at once
        isns_as iqn.2026-11.test:array --dd-register "dd-id=$id" "${members[@]:0:50}"
        members=("${members[@]:50}")
    done
}

# start_isns ARGUMENTS...: the server half of core/isns; see tests/isns.c.
start_isns() {
    local program=${LUNBOOT_TEST_ISNS:-$top/build/lunboot-test-isns}
    [ -x "$program" ] || skip "$program has not been built"
    spawn isns ip netns exec "$server_ns" "$program" serve 3205 "$@"
    wait_log isns ready
}
