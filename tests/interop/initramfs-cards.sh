#!/bin/bash
# `lunboot initramfs` on a machine with several cards, of which nobody says which is to boot: one of
# a management controller has a link at once and says nothing, or has a DHCP server of its own; the
# card with the disk gets its link later. The cards take turns. (There is no kernel's initiator in a
# namespace: a boot that gets so far ends with hand-over.)
. "$(dirname "$0")/lib.sh"
need_lunboot
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
make_namespace "$server_ns"
make_namespace "$client_ns"
join "$server_ns" bmcx "$client_ns" bmc0
ip -n "$server_ns" link set bmcx up
join "$server_ns" vs0 "$client_ns" vc0
ip -n "$server_ns" addr add "$server_ip/24" dev vs0
in_client ip link add br9 type bridge
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF
echo "lunboot.enable=yes" >"$scratch/cmdline"
mkdir -p "$scratch/sys/class/net"

initramfs() {
    run_lunboot initramfs --kernel-cmdline="$scratch/cmdline" --sysfs="$scratch" \
        --run="$scratch/run" --root="$scratch/root" "$@"
    tr '\r' '\n' <"$scratch/err.log" | grep -v '\.\.\.' | sed 's/^/# /' >"$scratch/shown.log"
}
is_down() { ! grep -q '[<,]UP[,>]' <(ip -n "$client_ns" -o link show "$1"); }
all_down() {
    local name
    for name in bmc0 vc0 br9; do
        is_down "$name" || fail "$name is left up"
    done
}
reaches_the_disk() {
    grep -q '(hand-over)' "$scratch/err.log" || fail "$1" "$scratch/shown.log"
    ok "$1"
}
late_link() { (sleep "$1"; ip -n "$server_ns" link set vs0 up) & }

late_link 3
initramfs --dhcp-timeout=4s --retry-time=40s
reaches_the_disk "a card that is silent does not keep the one with the disk from its turn"
all_down
ok "what was brought up for nothing is down again, and so is a bridge"

# The controller's card has a DHCP server, which knows nothing of disks.
ip -n "$server_ns" addr add 198.51.100.1/24 dev bmcx
spawn bmc-dhcp ip netns exec "$server_ns" dnsmasq -d --conf-file=/dev/null --port=0 \
    --interface=bmcx --bind-interfaces --except-interface=lo --no-ping --dhcp-authoritative \
    --dhcp-range=198.51.100.100,198.51.100.110,1h --dhcp-leasefile="$scratch/bmc.leases"
wait_log bmc-dhcp 'DHCP, IP range'
ip -n "$server_ns" link set vs0 down
late_link 4
initramfs --dhcp-timeout=4s --retry-time=40s
reaches_the_disk "nor does one whose DHCP server names no disk"

# A link that comes after link-timeout, while retry-time goes on.
ip -n "$server_ns" link set vs0 down
ip -n "$server_ns" link set bmcx down
late_link 4
initramfs --link-timeout=1s --dhcp-timeout=4s --retry-time=40s
reaches_the_disk "a link that comes after link-timeout boots while retry-time goes on"

# By its name.
ip -n "$server_ns" link set bmcx up
initramfs --dhcp-timeout=4s --retry-time=40s --interface=vc0
reaches_the_disk "an interface that is named is taken as it is"

# Nothing anywhere: the end comes with the time, and says what is missing.
ip -n "$server_ns" link set vs0 down
ip -n "$server_ns" link set bmcx down
initramfs --link-timeout=1s --retry-time=2s
grep -q '(no-link)' "$scratch/err.log" || fail "no card has a link" "$scratch/err.log"
ok "without a link anywhere the boot ends with no-link"

# Interrupted while it waits for a link.
spawn lunboot ip netns exec "$client_ns" "$lunboot" initramfs --kernel-cmdline="$scratch/cmdline" \
    --sysfs="$scratch" --run="$scratch/run"
wait_log lunboot 'waiting for a link: .*vc0'
kill -TERM "${pids[lunboot]}"
ended() { ! is_alive lunboot; }
wait_for 10 "the end of lunboot" ended
all_down
ok "interrupted while it waits for a link, it puts the cards down again"
pass
