# Sourced by every script of tests/interop and tests/vm. A script is one peer and one subject.
#
# It makes network namespaces of its own, starts real programs in them, runs lunboot and says what it
# saw as TAP points. Exit code: 0 all passed, 77 skipped (a line `SKIP: reason` says why), else failed.
# Nothing outlives a script, whatever its end: processes are ended by their recorded pid, namespaces
# and the scratch folder are removed. Any number of scripts may run at once.
#
# Environment: LUNBOOT (default build/lunboot), LUNBOOT_EXERCISE, KEEP=yes keeps the scratch folder.
# shellcheck shell=bash disable=SC2034  # the scripts use what is set here

set -Eeuo pipefail
shopt -s lastpipe # `... | start_dnsmasq` runs here, and its pid is known here

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
interop=$top/tests/interop
. "$interop/capture.sh"
lunboot=${LUNBOOT:-$top/build/lunboot}
exercise=${LUNBOOT_EXERCISE:-$top/build/lunboot-exercise}
slp_agent=${LUNBOOT_SLP_AGENT:-$top/build/lunboot-slp-agent}
script=$(basename "$0")

server_ns=lb-srv-$$
client_ns=lb-cli-$$
relay_ns=lb-mid-$$
more_ns=()
server_ip=192.0.2.1
server_ip6=2001:db8:77::1
iqn=iqn.2026-11.test:disk1

points=0
verdict=
declare -A pids=()
spawned=()

# ---- verdicts ------------------------------------------------------------------------------------

# ok SENTENCE: one TAP point that passed.
ok() {
    points=$((points + 1))
    echo "ok $points - $*"
}

# show FILE: a file as TAP diagnostics, its end if it is long.
show() {
    [ -s "$1" ] || return 0
    echo "# ---- $(basename "$1")"
    tail -n 60 "$1" | tr -d '\r' | sed 's/^/# /'
}

# fail MESSAGE [FILE...]: ends the script as failed, with the logs of all that was started.
fail() {
    trap - ERR
    verdict=failed
    points=$((points + 1))
    echo "not ok $points - $1"
    shift
    local file
    for file in "$@" "$scratch"/*.log; do show "$file"; done
    echo "1..$points"
    exit 1
}

# skip REASON: ends the script as skipped.
skip() {
    trap - ERR
    verdict=skipped
    echo "1..0 # SKIP $*"
    echo "SKIP: $*"
    exit 77
}

# pass: the last line of every script; without it the script has failed.
pass() {
    verdict=passed
    [ "$points" -gt 0 ] || fail "$script checked nothing"
    echo "1..$points"
    exit 0
}

# need PROGRAM...: skips the script where one is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

need_lunboot() {
    [ -x "$lunboot" ] || skip "$lunboot has not been built"
}

# ---- processes -----------------------------------------------------------------------------------

# spawn NAME COMMAND...: starts it in the background; its output goes to $scratch/NAME.log (that of an
# earlier one of the name to NAME-before.log).
spawn() {
    local name=$1
    shift
    [ ! -e "$scratch/$name.log" ] || mv "$scratch/$name.log" "$scratch/$name-before.log"
    : >"$scratch/$name.log"
    "$@" >>"$scratch/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
    disown $! # else the shell has a word to say when we end it
    spawned+=("$name")
}

is_alive() {
    [ -n "${pids[$1]:-}" ] && kill -0 "${pids[$1]}" 2>/dev/null
}

# end NAME [SIGNAL]: ends what spawn started, and waits for it; SIGKILL after three seconds.
end() {
    local name=$1 pid=${pids[$1]:-} tries=0
    [ -n "$pid" ] || return 0
    unset "pids[$name]"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" != 60 ] || kill -KILL "$pid" 2>/dev/null || true
        [ "$tries" -lt 120 ] || return 0
        sleep 0.05
    done
}

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds; fails after SECONDS.
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what did not happen in time"
        sleep 0.05
    done
}

# wait_log NAME PATTERN [SECONDS]: until the log of NAME has the pattern; fails at once if NAME ended.
wait_log() {
    local name=$1 pattern=$2 deadline=$((SECONDS + ${3:-15}))
    until grep -qE -- "$pattern" "$scratch/$name.log"; do
        is_alive "$name" || fail "$name ended before it was ready"
        [ "$SECONDS" -lt "$deadline" ] || fail "$name never said '$pattern'"
        sleep 0.05
    done
}

# has_listener NAMESPACE PORT: is there a TCP listener?
has_listener() {
    grep -q . <(ip netns exec "$1" ss -Hltn "sport = :$2")
}

# ---- namespaces ----------------------------------------------------------------------------------

in_server() { ip netns exec "$server_ns" "$@"; }
in_client() { ip netns exec "$client_ns" "$@"; }
in_relay() { ip netns exec "$relay_ns" "$@"; }

make_namespace() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.accept_dad=0 2>/dev/null || true
}

# join NS1 IF1 NS2 IF2 [MTU]: a veth pair between two namespaces, both ends still down.
join() {
    ip link add "$2" netns "$1" mtu "${5:-1500}" type veth peer name "$4" netns "$3" mtu "${5:-1500}"
}

# make_net [MTU]: the server at vs0 (192.0.2.1/24, 2001:db8:77::1/64) and the client at vc0, which is
# bare: down and without an address, as on a machine that has just been switched on.
make_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    join "$server_ns" vs0 "$client_ns" vc0 "${1:-1500}"
    ip -n "$server_ns" addr add "$server_ip/24" dev vs0
    ip -n "$server_ns" addr add 2001:db8:77::1/64 dev vs0 nodad
    ip -n "$server_ns" link set vs0 up
}

# make_net6 [MTU]: a network without IPv4: the server at vs0 ($server_ip6/64, fe80::1) and the client at vc0,
# which is bare and looks for duplicate addresses as any machine does. Nobody advertises anything yet:
# start_radvd, start_dnsmasq.
make_net6() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    [ -d /proc/sys/net/ipv6 ] || skip "this kernel has no IPv6"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    in_client sysctl -qw net.ipv6.conf.default.accept_dad=1 net.ipv6.conf.all.accept_dad=1
    join "$server_ns" vs0 "$client_ns" vc0 "${1:-1500}"
    in_server sysctl -qw net.ipv6.conf.vs0.addr_gen_mode=1 net.ipv6.conf.all.forwarding=1
    ip -n "$server_ns" addr add fe80::1/64 dev vs0 nodad
    ip -n "$server_ns" addr add "$server_ip6/64" dev vs0 nodad
    ip -n "$server_ns" link set vs0 up
}

# make_routed_net: client vc0 -- vr0 relay vr1 -- vs0 server. The relay's namespace is the router:
# 192.0.2.254 towards the client, 198.51.100.254 towards the server, which is 198.51.100.1.
make_routed_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    make_namespace "$relay_ns"
    join "$relay_ns" vr0 "$client_ns" vc0
    join "$server_ns" vs0 "$relay_ns" vr1
    server_ip=198.51.100.1
    ip -n "$server_ns" addr add "$server_ip/24" dev vs0
    ip -n "$relay_ns" addr add 192.0.2.254/24 dev vr0
    ip -n "$relay_ns" addr add 198.51.100.254/24 dev vr1
    ip -n "$server_ns" link set vs0 up
    ip -n "$relay_ns" link set vr0 up
    ip -n "$relay_ns" link set vr1 up
    ip -n "$server_ns" route add default via 198.51.100.254
    in_relay sysctl -qw net.ipv4.ip_forward=1
}

# make_bridged_net: like make_net, but the server's end is br0 (192.0.2.2/24), to which further ports are
# added with bridge_port, so that there may be more than one server on the segment.
make_bridged_net() {
    make_net
    in_server ip link add br0 type bridge
    in_server ip addr flush dev vs0
    bridge_port vs0
    in_server ip addr add 192.0.2.2/24 dev br0
    in_server ip link set br0 up
}

bridge_port() {
    in_server ip link set "$1" master br0
    in_server ip link set "$1" up
}

# give_client_address: the client as a machine that is already on the network (for probe and read).
give_client_address() {
    ip -n "$client_ns" addr add "${1:-192.0.2.50}/24" dev vc0
    ip -n "$client_ns" addr add 2001:db8:77::50/64 dev vc0 nodad
    ip -n "$client_ns" link set vc0 up
    wait_for 5 "the link" link_is_up
}

# settings: what the client's kernel would do about IPv6 at vc0 of its own accord.
settings() {
    in_client sh -c 'cd /proc/sys/net/ipv6 && grep . conf/vc0/accept_ra conf/vc0/autoconf \
        conf/vc0/addr_gen_mode conf/vc0/dad_transmits conf/vc0/disable_ipv6 neigh/vc0/retrans_time_ms'
}

link_is_up() {
    grep -q 'state UP' <(ip -n "$client_ns" -o link show vc0)
}

# start_capture NAMESPACE INTERFACE [FILTER...]: packets go to $scratch/capture.pcap.
start_capture() {
    need tcpdump
    local ns=$1 interface=$2
    shift 2
    spawn tcpdump ip netns exec "$ns" tcpdump --immediate-mode -n -U -i "$interface" -w "$scratch/capture.pcap" "$@"
    wait_log tcpdump 'listening on'
}

stop_capture() {
    sleep 0.2 # what was sent just now is still on its way to the file
    end tcpdump INT
}

# clear_packets [dst|src]: how many of the capture, which must be whole, are to or from (to, from) the ports of
# iSCSI, iSNS and SLP.
clear_packets() {
    grep -q '^0 packets dropped by kernel' "$scratch/tcpdump.log" || echo "the capture is not whole"
    tcpdump -n -r "$scratch/capture.pcap" "${1:-} port 3260 or ${1:-} port 3205 or ${1:-} port 427" 2>/dev/null | wc -l
}

# none_in_clear [WHAT]: none is, in either direction.
none_in_clear() {
    local to from
    to=$(clear_packets dst) from=$(clear_packets src)
    [ "$to" = 0 ] || fail "${1:+$1: }packets in clear from the machine: $to"
    [ "$from" = 0 ] || fail "${1:+$1: }packets in clear from the server: $from"
    ok "${1:+$1: }0 packets in clear from the machine, 0 from the server"
}

# count_round_trips SERVER: in the capture, from SYN to the first block.
count_round_trips() {
    tshark -r "$scratch/capture.pcap" -T fields -e ip.src -e tcp.len -e tcp.flags.syn \
        -e iscsi.opcode -e scsi_sbc.opcode 2>/dev/null >"$scratch/packets"
    python3 "$interop/round-trips.py" "$1" <"$scratch/packets"
}

# ---- DHCP servers --------------------------------------------------------------------------------

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

# start_kea <<EOF  the members of "Dhcp4" beyond interfaces and leases, such as "subnet4": [...]
start_kea() {
    local program
    program=$(private_copy kea-dhcp4)
    {
        echo '{ "Dhcp4": {'
        # It may only open its socket when the client raises its end of the veth: it tries again and again.
        echo '"interfaces-config": { "interfaces": ["'"${server_interface:-vs0}"'"],'
        echo '  "dhcp-socket-type": "raw",'
        echo '  "service-sockets-max-retries": 10000, "service-sockets-retry-wait-time": 50 },'
        echo '"lease-database": { "type": "memfile", "persist": false },'
        echo '"loggers": [{ "name": "kea-dhcp4", "severity": "DEBUG", "debuglevel": 40,'
        echo '  "output_options": [{ "output": "stdout" }] }],'
        cat
        echo '} }'
    } >"$scratch/kea.json"
    spawn kea ip netns exec "$server_ns" env KEA_PIDFILE_DIR="$scratch" KEA_LOCKFILE_DIR=none \
        "$program" -c "$scratch/kea.json"
    wait_log kea DHCP4_STARTED
}

# start_isc <<EOF  dhcpd.conf
start_isc() {
    local program
    program=$(private_copy dhcpd)
    cat >"$scratch/dhcpd.conf"
    : >"$scratch/dhcpd.leases"
    spawn dhcpd ip netns exec "$server_ns" "$program" -4 -f -d -cf "$scratch/dhcpd.conf" \
        -lf "$scratch/dhcpd.leases" -pf "$scratch/dhcpd.pid" vs0
    wait_log dhcpd 'Server starting service'
}

# start_kea6 <<EOF  what stands within "Dhcp6" besides interfaces and lease database
start_kea6() {
    local program
    program=$(private_copy kea-dhcp6)
    {
        echo '{ "Dhcp6": {'
        # As with start_kea: the interface is up once the client raises its end.
        echo '"interfaces-config": { "interfaces": ["vs0"],'
        echo '  "service-sockets-max-retries": 10000, "service-sockets-retry-wait-time": 50 },'
        echo '"lease-database": { "type": "memfile", "persist": false },'
        echo '"server-id": { "type": "LL", "persist": false },'
        echo '"loggers": [{ "name": "kea-dhcp6", "severity": "DEBUG", "debuglevel": 40,'
        echo '  "output_options": [{ "output": "stdout" }] }],'
        cat
        echo '} }'
    } >"$scratch/kea6.json"
    spawn kea6 ip netns exec "$server_ns" env KEA_PIDFILE_DIR="$scratch" KEA_LOCKFILE_DIR=none \
        "$program" -c "$scratch/kea6.json"
    wait_log kea6 DHCP6_STARTED
}

# start_isc6 <<EOF  dhcpd.conf of dhcpd -6
start_isc6() {
    local program
    program=$(private_copy dhcpd)
    cat >"$scratch/dhcpd6.conf"
    : >"$scratch/dhcpd6.leases"
    spawn dhcpd6 ip netns exec "$server_ns" "$program" -6 -f -d -cf "$scratch/dhcpd6.conf" \
        -lf "$scratch/dhcpd6.leases" -pf "$scratch/dhcpd6.pid" vs0
    wait_log dhcpd6 'Server starting service'
}

# start_isc_relay SERVER: ISC's relay agent between vr0 and vr1.
start_isc_relay() {
    local program
    program=$(private_copy dhcrelay)
    spawn dhcrelay ip netns exec "$relay_ns" "$program" -4 -d -pf "$scratch/dhcrelay.pid" \
        -id vr0 -iu vr1 "$1"
    wait_log dhcrelay 'Sending on .*Socket/fallback'
}

# ---- disks ---------------------------------------------------------------------------------------

# make_bytes FILE COUNT [SEED]: the same unremarkable bytes each time.
make_bytes() {
    python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(int(sys.argv[2])).randbytes(int(sys.argv[1])))' \
        "$2" "${3:-1}" >"$1"
}

# make_loader FILE: looks like an x86-64 EFI program to one that reads headers; about 300 KB.
make_loader() {
    python3 - "$1" <<'PYTHON'
import random, struct, sys
pe = struct.pack('<4sHHIIIHH', b'PE\0\0', 0x8664, 1, 0, 0, 0, 240, 0x22e) + struct.pack('<H', 0x20b)
head = b'MZ' + bytes(58) + struct.pack('<I', 64) + pe + bytes(238)
open(sys.argv[1], 'wb').write(head + random.Random(4173).randbytes(300000))
PYTHON
}

# make_gpt_disk FILE [BLOCK_BYTES]: a sparse disk, a GPT with an EFI system partition ($esp_bytes at
# $esp_offset), in it \EFI\BOOT\BOOTX64.EFI, which also lies at $scratch/loader.efi.
esp_offset=$((1 << 20))
make_gpt_disk() {
    local file=$1 block=${2:-512}
    need sgdisk mformat mcopy python3
    [ -e "$scratch/loader.efi" ] || make_loader "$scratch/loader.efi"
    esp_bytes=$((block * 66000 + (1 << 20))) # FAT32 begins at 65525 clusters
    esp_bytes=$((esp_bytes - esp_bytes % (1 << 20)))
    rm -f "$file"
    truncate -s $((esp_bytes + (4 << 20))) "$file"
    if [ "$block" = 512 ]; then
        sgdisk -n "1:1M:+$((esp_bytes >> 20))M" -t 1:ef00 -c "1:EFI System" "$file" >"$scratch/sgdisk.log"
    else
        python3 "$interop/make-gpt.py" "$file" "$block" "$esp_offset" "$esp_bytes"
    fi
    make_esp "$file@@$esp_offset" "$esp_bytes" "$block"
}

make_esp() {
    local image=$1 shift=2 size=512
    while [ "$size" -lt "$3" ]; do
        size=$((size * 2))
        shift=$((shift + 1))
    done
    # -T counts sectors of the size that -S gives; FAT32 with one cluster a sector where that fits.
    MTOOLS_SKIP_CHECK=1 mformat -i "$image" -F -c 1 -S "$shift" -T $(($2 / $3)) -v LUNBOOT ::
    MTOOLS_SKIP_CHECK=1 mmd -i "$image" ::/EFI ::/EFI/BOOT
    MTOOLS_SKIP_CHECK=1 mcopy -i "$image" "$scratch/loader.efi" ::/EFI/BOOT/BOOTX64.EFI
}

# take_loader ESP_IMAGE FILE: the loader out of an image of the partition.
take_loader() {
    MTOOLS_SKIP_CHECK=1 mcopy -n -i "$1" ::/EFI/BOOT/BOOTX64.EFI "$2"
}

sha256() { sha256sum "$1" | cut -d' ' -f1; }

# same FILE FILE WHAT: fails unless the two files are equal.
same() {
    [ "$(sha256 "$1")" = "$(sha256 "$2")" ] || fail "$3: the bytes differ ($1, $2)"
}

# ---- tgt -----------------------------------------------------------------------------------------

# start_tgt [ADDRESS[:PORT]]: tgtd with nothing to serve yet. Its control socket lies in the scratch
# folder, so that any number may run at once. `tgt_name=tgtd-2` before this and the other calls is a second
# one in the same script.
start_tgt() {
    need tgtd tgtadm
    local portal=${1:-$server_ip} port=3260
    case $portal in
    *]:* | *.*:*) port=${portal##*:} ;;
    *) portal=$portal:3260 ;;
    esac
    spawn "${tgt_name:-tgtd}" ip netns exec "$server_ns" \
        env TGT_IPC_SOCKET="$scratch/${tgt_name:-tgtd}.socket" tgtd -f -C 1 --iscsi "portal=$portal"
    wait_for 15 "tgtd listening" has_listener "$server_ns" "$port"
    wait_for 15 "tgtd answering its control socket" tgt --mode sys --op show
}

# tgt ARGUMENTS...: tgtadm
tgt() {
    TGT_IPC_SOCKET="$scratch/${tgt_name:-tgtd}.socket" tgtadm -C 1 --lld iscsi "$@"
}

# tgt_target TID NAME: a target that any initiator may use.
tgt_target() {
    tgt --mode target --op new --tid "$1" --targetname "$2"
    tgt --mode target --op bind --tid "$1" -I ALL
}

# tgt_lun TID LUN FILE [BLOCK_BYTES [BACKEND]]
tgt_lun() {
    tgt --mode logicalunit --op new --tid "$1" --lun "$2" -b "$3" --blocksize "${4:-512}" \
        --bstype "${5:-rdwr}"
}

# tgt_account USER SECRET TID [outgoing]: CHAP; "outgoing" is the target's own answer (mutual).
tgt_account() {
    tgt --mode account --op new --user "$1" --password "$2"
    tgt --mode account --op bind --tid "$3" --user "$1" ${4:+--outgoing}
}

# serve_disk: the usual target: a GPT disk at LUN 1 of $iqn (LUN 0 is tgt's controller).
serve_disk() {
    make_gpt_disk "$scratch/disk.img"
    start_tgt "$@"
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$scratch/disk.img"
    rootpath="iscsi:$server_ip:::1:$iqn"
}

# serve_disk6: the same at $server_ip6 alone.
serve_disk6() {
    serve_disk "[$server_ip6]"
    rootpath="iscsi:[$server_ip6]:::1:$iqn"
}

# start_fake_target BEHAVIOUR [ARGUMENT]: see fake-target.py. Sets $rootpath.
start_fake_target() {
    need python3
    spawn fake-target ip netns exec "$server_ns" python3 "$interop/fake-target.py" \
        "$server_ip" 3260 "$@"
    wait_log fake-target ready
    rootpath="iscsi:$server_ip:::1:$iqn"
}

# ---- iSNS ----------------------------------------------------------------------------------------

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

# ---- SLP -----------------------------------------------------------------------------------------

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

# ---- lunboot -------------------------------------------------------------------------------------

# Each of these leaves the exit code in $status, what was printed in $scratch/out.log (standard output)
# and $scratch/err.log, and never ends the script by itself. After 60 s (TIME_LIMIT) lunboot is ended.
run_lunboot() {
    status=0
    rm -f "$scratch/out.log" "$scratch/err.log"
    in_client timeout --kill-after=5 "${TIME_LIMIT:-60}" "$lunboot" "$@" \
        >"$scratch/out.log" 2>"$scratch/err.log" || status=$?
    [ "$status" != 124 ] || fail "lunboot $1 did not end within ${TIME_LIMIT:-60} s"
    [ "$status" -lt 128 ] || fail "lunboot $1 was ended by signal $((status - 128))"
}

# boot ARGUMENTS...: one attempt to boot from the bare interface, ended by the report.
boot() {
    run_lunboot boot --interface=vc0 --enable=yes --then=report --root="$scratch/root" --attempts=1 "$@"
}

# boot_then_read: a boot whose `then` program notes what the machine looks like at that moment (the
# environment, addresses, routes, resolv.conf) in $scratch/then.log, and reads the disk's EFI system
# partition by a `lunboot read` of its own. Needs $rootpath.
boot_then_read() {
    cat >"$scratch/then" <<THEN
#!/bin/bash
exec >"$scratch/then.log" 2>&1
env | grep ^LUNBOOT | sort
ip -o addr show dev vc0
ip -o link show dev vc0
ip route show
ip -6 route show dev vc0
cat "$scratch/root/etc/resolv.conf"
exec "$lunboot" read --rootpath="$rootpath" --offset=$esp_offset --length=$esp_bytes \
    --output="$scratch/esp.img"
THEN
    chmod +x "$scratch/then"
    run_lunboot boot --interface=vc0 --enable=yes --then="$scratch/then" --root="$scratch/root" "$@"
}

# saw PATTERN WHAT: what the `then` program of boot_then_read must have seen.
saw() {
    grep -qE -- "$1" "$scratch/then.log" || fail "$2: nothing in then.log matches '$1'"
    ok "$2"
}

# read_the_loader: after boot_then_read, the loader of the partition is the one that was put there.
read_the_loader() {
    take_loader "$scratch/esp.img" "$scratch/loader.read"
    same "$scratch/loader.efi" "$scratch/loader.read" "the loader read over iSCSI"
    ok "the loader read over iSCSI is the one that was put on the disk"
}

# read_disk OFFSET LENGTH FILE [ARGUMENTS...]: copies a piece of the disk at $rootpath. A length of 0 is
# the whole disk.
read_disk() {
    local where=(--offset="$1" --length="$2")
    [ "$2" != 0 ] || where=()
    rm -f "$3"
    run_lunboot read --rootpath="$rootpath" "${where[@]}" --output="$3" "${@:4}"
}

# reads_the_disk WHAT [ARGUMENTS...]: all of $scratch/disk.img comes over, and is the same; or its first
# $read_bytes, where the target is slow.
reads_the_disk() {
    local what=$1
    shift
    read_disk 0 "${read_bytes:-0}" "$scratch/copy.img" "$@"
    succeeds "$what"
    cmp ${read_bytes:+-n "$read_bytes"} "$scratch/disk.img" "$scratch/copy.img" >/dev/null ||
        fail "$what: the bytes differ"
    ok "$what: every byte is right"
    rm -f "$scratch/copy.img"
}

# probe [ARGUMENTS...]: a dry run from a client that is on the network.
probe() { run_lunboot probe --rootpath="$rootpath" --attempts=1 "$@"; }

# lock_settings: from here on lunboot cannot write the kernel's settings, as in a container. IPv6 is slower then:
# the kernel takes a second or two for each address (`ip netns exec` makes a mount namespace of its own).
lock_settings() {
    cat >"$scratch/locked-lunboot" <<LOCKED
#!/bin/sh
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$lunboot" "\$@"
LOCKED
    chmod +x "$scratch/locked-lunboot"
    lunboot=$scratch/locked-lunboot
}

# succeeds WHAT: lunboot's last run must have ended well.
succeeds() {
    [ "$status" = 0 ] || fail "$1: lunboot's exit code is $status"
    ok "$1"
}

# says PATTERN WHAT: the last run must have printed it (an extended regular expression).
says() {
    grep -qE -- "$1" "$scratch/out.log" "$scratch/err.log" ||
        fail "${2:-the output}: nothing matches '$1'"
    [ -z "${2:-}" ] || ok "$2"
}

# fails_with CODE WHAT PATTERN...: the last run must have failed with this error, named by its code, with
# every fact in PATTERN and with a hint.
fails_with() {
    local code=$1 what=$2 pattern
    shift 2
    [ "$status" -ne 0 ] || fail "$what: lunboot ended well"
    says "$code"
    for pattern in "$@"; do says "$pattern"; done
    says '^ *(hint|try)'
    ok "$what: $code, with its facts and a hint"
}

# ---- start and end -------------------------------------------------------------------------------

clean_up() {
    local code=$? name ns pid
    trap - ERR EXIT
    set +e
    for name in "${spawned[@]:-}"; do
        [ -z "$name" ] || end "$name" "$([[ $name == tgtd* ]] && echo KILL || echo TERM)"
    done
    for ns in "$server_ns" "$client_ns" "$relay_ns" ${more_ns[@]+"${more_ns[@]}"}; do
        [ -e "/run/netns/$ns" ] || continue
        for pid in $(ip netns pids "$ns"); do # whatever else still runs there: it is ours
            kill -KILL "$pid" 2>/dev/null
        done
        ip netns del "$ns"
    done
    if [ "${KEEP:-}" = yes ]; then echo "# kept: $scratch"; else rm -rf "$scratch"; fi
    if [ -z "$verdict" ]; then
        echo "not ok $((points + 1)) - $script ended without a verdict (exit code $code)"
        exit 1
    fi
    exit "$code"
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/lb-XXXXXX")
mkdir -p "$scratch/root/etc"
trap clean_up EXIT
trap 'fail "line $LINENO failed: $BASH_COMMAND"' ERR
trap 'fail "interrupted"' INT TERM HUP
trap 'exec >/dev/null 2>&1; verdict=failed; exit 1' PIPE # nobody reads what we say
