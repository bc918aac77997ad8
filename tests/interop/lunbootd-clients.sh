#!/bin/bash
# Other people's DHCP clients take their addresses from lunbootd: ISC's dhclient, dhcpcd, systemd-networkd, and
# busybox' udhcpc.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
make_net
make_bytes "$scratch/disk.img" 1048576
start_lunbootd --dhcp=server --state="$scratch/state" --dhcp-range=192.0.2.100-192.0.2.119 --router=192.0.2.254 \
    --dns=192.0.2.53 "$scratch/disk.img"
ip -n "$client_ns" link set vc0 up

# has_now addr|route PATTERN: `ip -4` lists such a one.
has_now() {
    in_client ip -4 "$1" >"$scratch/now.log"
    grep -q "$2" "$scratch/now.log"
}

# has_lease WHAT: the interface has one of lunbootd's addresses. The next client starts from nothing.
has_lease() {
    in_client ip -4 addr show dev vc0 >"$scratch/addr.log"
    grep -qE 'inet 192\.0\.2\.1[01][0-9]/24' "$scratch/addr.log" || fail "$1 has no address"
    in_client ip route >"$scratch/route.log"
    grep -q 'default via 192\.0\.2\.254' "$scratch/route.log" || fail "$1 has no default route"
    ok "$1 has an address and a default route"
    ip -n "$client_ns" addr flush dev vc0
    in_client ip route flush table main
}

if command -v dhclient >/dev/null; then
    cat >"$scratch/dhclient-script" <<'SCRIPT'
#!/bin/sh
case $reason in
BOUND|RENEW|REBIND|REBOOT)
    ip addr replace "$new_ip_address/24" dev "$interface"
    ip route replace default via "$new_routers" dev "$interface"
    echo "times $new_dhcp_lease_time, server $new_dhcp_server_identifier, dns $new_domain_name_servers" ;;
esac
SCRIPT
    chmod 755 "$scratch/dhclient-script"
    in_client timeout 30 "$(private_copy dhclient)" -4 -1 -v -d -sf "$scratch/dhclient-script" \
        -lf "$scratch/dhclient.leases" -pf "$scratch/dhclient.pid" vc0 >"$scratch/dhclient.log" 2>&1 &
    dhclient=$!
    wait_for 20 "dhclient's lease" grep -q 'times 3600, server 192.0.2.1, dns 192.0.2.53' "$scratch/dhclient.log"
    has_lease "ISC dhclient"
    kill "$dhclient"
    wait "$dhclient" || true
    in_client timeout 20 "$(private_copy dhclient)" -4 -r -sf /bin/true -lf "$scratch/dhclient.leases" \
        -pf "$scratch/dhclient.pid" vc0 >>"$scratch/dhclient.log" 2>&1 || fail "dhclient cannot release"
    ok "dhclient releases it"
else
    ok "ISC dhclient # SKIP it is not installed"
fi

if command -v dhcpcd >/dev/null; then
    ip -n "$client_ns" link set vc0 up
    # Its usual script would write this machine's own /etc/resolv.conf.
    in_folders dhcpcd -f /dev/null -c /bin/true -4 -1 -B -t 20 --noipv4ll vc0 >"$scratch/dhcpcd.log" 2>&1 ||
        fail "dhcpcd got no lease"
    grep -qE 'leased 192\.0\.2\.1[01][0-9] for 3600 seconds' "$scratch/dhcpcd.log" || fail "dhcpcd has another lease"
    has_lease "dhcpcd"
else
    ok "dhcpcd # SKIP it is not installed"
fi

networkd=/lib/systemd/systemd-networkd
if [ -x "$networkd" ]; then
    cat >"$scratch/networkd.sh" <<SCRIPT
mount -t tmpfs t /run
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network:systemd-network /run/systemd/netif
mount -o remount,ro /sys # as in a container, where no udev is waited for
printf '[Match]\nName=vc0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
    >/run/systemd/network/10-vc0.network
exec $networkd
SCRIPT
    spawn networkd ip netns exec "$client_ns" unshare -m sh "$scratch/networkd.sh"
    wait_for 20 "systemd-networkd's lease" has_now addr 'inet 192\.0\.2\.1[01]'
    wait_for 10 "its route" has_now route default
    has_lease "systemd-networkd"
    end networkd
else
    ok "systemd-networkd # SKIP it is not installed"
fi

if busybox udhcpc --help >/dev/null 2>&1; then
    cat >"$scratch/udhcpc.sh" <<'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "$router" dev "$interface"
SCRIPT
    chmod 755 "$scratch/udhcpc.sh"
    ip -n "$client_ns" link set vc0 up
    in_client timeout 20 busybox udhcpc -i vc0 -n -q -f -s "$scratch/udhcpc.sh" >"$scratch/udhcpc.log" 2>&1 ||
        fail "udhcpc got no lease"
    has_lease "busybox udhcpc"
else
    ok "busybox udhcpc # SKIP it is not installed"
fi
lunbootd_says '[0-9a-f:]{17}  is given 192\.0\.2\.1[01][0-9] by DHCP, disk ' "each lease is told"
pass
