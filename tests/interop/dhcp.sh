# Sourced by lib.sh: DHCP servers and relays of others, and routers of IPv6.
# shellcheck shell=bash

# Debian's AppArmor profiles hold programs to their usual folders by path: a copy is not held.
private_copy() {
    local path
    path=$(command -v "$1") || skip "$1 is not installed"
    [ -e "$scratch/$1" ] || cp "$path" "$scratch/$1"
    echo "$scratch/$1"
}

# start_dnsmasq [NAMESPACE] <<EOF  more lines of configuration.  port=0 is the usual first one.
start_dnsmasq() {
    need dnsmasq
    {
        echo "interface=${server_interface:-vs0}"
        echo "bind-interfaces"
        echo "no-ping"
        echo "no-hosts"
        echo "no-resolv"
        echo "dhcp-authoritative"
        echo "log-dhcp"
        echo "dhcp-leasefile=$scratch/dnsmasq.leases"
        cat
    } >"$scratch/dnsmasq.conf"
    spawn dnsmasq ip netns exec "${1:-$server_ns}" dnsmasq -d -C "$scratch/dnsmasq.conf"
    wait_log dnsmasq 'DHCP, IP range|DHCP, static leases|started, version'
}

# in_folders COMMAND...: in the client's namespace, where /run and /var/lib are the command's own.
in_folders() {
    in_client unshare -m sh -c 'mount -t tmpfs t /run && mount -t tmpfs t /var/lib && exec "$@"' sh "$@"
}

# dhcpcd_with_key SECRET ADDRESS WHAT: dhcpcd takes a lease of this address (a pattern) by key 7, and no other.
dhcpcd_with_key() {
    if ! command -v dhcpcd >/dev/null; then
        ok "# SKIP dhcpcd is not installed"
        return
    fi
    cat >"$scratch/dhcpcd.conf" <<CONF
authprotocol delayed
authtoken 7 "" forever "$1"
ipv4only
script /bin/true
CONF
    in_folders sh -c "mkdir -p /var/lib/dhcpcd /run/dhcpcd &&
        exec dhcpcd -f $scratch/dhcpcd.conf -1 -B -d -t 15 vc0" >"$scratch/dhcpcd.log" 2>&1 ||
        fail "dhcpcd got no lease" "$scratch/dhcpcd.log"
    grep -qE "leased $2" "$scratch/dhcpcd.log" || fail "another lease" "$scratch/dhcpcd.log"
    ok "dhcpcd (authprotocol delayed) $3"
}

# start_radvd <<EOF  what stands within `interface vs0 { ... }`
start_radvd() {
    need radvd
    {
        echo "interface ${server_interface:-vs0} {"
        echo "  AdvSendAdvert on;"
        cat
        echo "};"
    } >"$scratch/radvd.conf"
    spawn radvd ip netns exec "$server_ns" radvd -n -d 2 -m stderr -C "$scratch/radvd.conf" \
        -p "$scratch/radvd.pid"
    wait_log radvd 'sending RA|polling for|version .* started'
}

# run_kea FAMILY NAME WORDS <<EOF  Kea for DHCPv4 or DHCPv6, with these words in its "interfaces-config" and these
# members besides that and the lease database. Its log and its configuration are NAME's.
run_kea() {
    local family=$1 name=$2 words=$3 program
    program=$(private_copy "kea-dhcp$family")
    {
        echo "{ \"Dhcp$family\": {"
        # It may only open its socket when the client raises its end of the veth: it tries again and again.
        echo "\"interfaces-config\": { \"interfaces\": [\"${server_interface:-vs0}\"], $words"
        echo '  "service-sockets-max-retries": 10000, "service-sockets-retry-wait-time": 50 },'
        echo '"lease-database": { "type": "memfile", "persist": false },'
        echo "\"loggers\": [{ \"name\": \"kea-dhcp$family\", \"severity\": \"DEBUG\", \"debuglevel\": 40,"
        echo '  "output_options": [{ "output": "stdout" }] }],'
        cat
        echo '} }'
    } >"$scratch/$name.json"
    spawn "$name" ip netns exec "$server_ns" env KEA_PIDFILE_DIR="$scratch" KEA_LOCKFILE_DIR=none \
        "$program" -c "$scratch/$name.json"
    wait_log "$name" "DHCP${family}_STARTED"
}

# start_kea <<EOF  the members of "Dhcp4" beyond interfaces and leases, such as "subnet4": [...]
start_kea() { run_kea 4 kea '"dhcp-socket-type": "raw",'; }

# start_kea6 <<EOF  the same of "Dhcp6"
start_kea6() {
    { echo '"server-id": { "type": "LL", "persist": false },' && cat; } | run_kea 6 kea6 ''
}

# run_dhcpd FAMILY NAME <<EOF  ISC's server for DHCPv4 or DHCPv6, and its dhcpd.conf
run_dhcpd() {
    local name=$2 program
    program=$(private_copy dhcpd)
    cat >"$scratch/$name.conf"
    : >"$scratch/$name.leases"
    spawn "$name" ip netns exec "$server_ns" "$program" "-$1" -f -d -cf "$scratch/$name.conf" \
        -lf "$scratch/$name.leases" -pf "$scratch/$name.pid" vs0
    wait_log "$name" 'Server starting service'
}

start_isc() { run_dhcpd 4 dhcpd; } # <<EOF  dhcpd.conf
start_isc6() { run_dhcpd 6 dhcpd6; } # <<EOF  dhcpd.conf of dhcpd -6

# start_isc_relay SERVER: ISC's relay agent between vr0 and vr1.
start_isc_relay() {
    local program
    program=$(private_copy dhcrelay)
    spawn dhcrelay ip netns exec "$relay_ns" "$program" -4 -d -pf "$scratch/dhcrelay.pid" \
        -id vr0 -iu vr1 "$1"
    wait_log dhcrelay 'Sending on .*Socket/fallback'
}
