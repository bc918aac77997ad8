#!/bin/bash
# DHCP with authentication (RFC 3118, RFC 3315 21.4): our client and server half, dhcpcd against the server
# half, wide-dhcpv6-server against the client; a server without the key answers first, and is passed over.
. "$(dirname "$0")/lib.sh"
need_lunboot
test_dhcp=${LUNBOOT_TEST_DHCP:-$top/build/lunboot-test-dhcp}
[ -x "$test_dhcp" ] || skip "$test_dhcp has not been built"
need dnsmasq bridge
secret=0123456789abcdef

# ---- DHCPv4 ---------------------------------------------------------------------------------------

make_bridged_net
make_namespace "$relay_ns" # who answers first, without the key
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.66/24 dev vs0
in_relay ip link set vs0 up
server_ip=192.0.2.2
serve_disk
start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-rapid-commit
dhcp-range=192.0.2.201,192.0.2.250,1h
dhcp-option=option:root-path,"iscsi:192.0.2.66:::1:iqn.2026-11.evil:disk"
CONF
spawn dhcp ip netns exec "$server_ns" "$test_dhcp" br0 192.0.2.2 "$rootpath" "7:$secret,8:unused-secret"
wait_log dhcp ready

boot --dhcp-keys="7:$secret" --family=4
succeeds "a boot takes the answer that has the key, though others came first"
says 'passed-over +dhcp-auth: from 192\.0\.2\.66: not authenticated' "the report says who was passed over and why"
says 'authenticated +by key 7 ' "the report says by which key the lease was proved"
grep -q 'REQUEST -> ACK authenticated' "$scratch/dhcp.log" || fail "no ACK was authenticated" "$scratch/dhcp.log"
ok "the server took the client's proof"

# What was proved once is old after a restart, too.
state=$scratch/root/state/dhcp-seen
later_boot() { # our own values count by seconds
    sleep 1.1
    boot --dhcp-keys="7:$secret" --family=4 "$@"
}
later_boot --dhcp-state=/state/dhcp-seen
succeeds "a boot keeps the server's replay value"
[ "$(stat -c %a "$state")" = 600 ] || fail "the state has mode $(stat -c %a "$state")"
ok "in a file for nobody else"
later_boot --dhcp-state=/state/dhcp-seen
succeeds "the next boot takes newer answers"
end dhcp
spawn dhcp ip netns exec "$server_ns" "$test_dhcp" br0 192.0.2.2 "$rootpath" "7:$secret" 3600
wait_log dhcp ready
later_boot --dhcp-state=/state/dhcp-seen --dhcp-timeout=3s --retry-time=0s
fails_with dhcp-auth "an OFFER with an older value is passed over after a restart" 'played again'
later_boot --dhcp-state=/other --dhcp-timeout=3s --retry-time=0s
succeeds "which only the file can tell"
end dhcp
spawn dhcp ip netns exec "$server_ns" "$test_dhcp" br0 192.0.2.2 "$rootpath" "7:$secret,8:unused-secret"
wait_log dhcp ready

boot --dhcp-keys=7:another-secret --family=4 --dhcp-timeout=3s --retry-time=0s
fails_with dhcp-auth "a wrong key is named as such, and nothing boots" \
    'proof of its authentication is wrong|not authenticated'

boot --require=dhcp-auth --family=4
fails_with config-half "dhcp-auth is required and there is no key: nothing is sent" 'dhcp-auth needs dhcp-keys'

dhcpcd_with_key "$secret" '192\.0\.2\.1[01][0-9]' "takes the server half's lease, and no other"
end dhcp
end dnsmasq

# ---- DHCPv6 ---------------------------------------------------------------------------------------

if ! command -v dhcp6s >/dev/null; then
    ok "# SKIP wide-dhcpv6-server is not installed"
    pass
fi
in_server ip -6 addr add fe80::1/64 dev br0 nodad
in_server ip -6 addr add "$server_ip6/64" dev br0 nodad 2>/dev/null || true
in_server sysctl -qw net.ipv6.conf.all.forwarding=1
server_interface=br0 start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
cat >"$scratch/dhcp6s.conf" <<CONF
keyinfo boot { realm "boot.example"; keyid 1; secret "$(printf %s "$secret" | base64)"; };
host client {
    duid 00:03:00:01:02:00:00:00:00:01;
    address 2001:db8:77::42 3600 7200;
    delayedkey boot;
};
option domain-name-servers 2001:db8:77::53;
CONF
spawn dhcp6s ip netns exec "$server_ns" dhcp6s -f -D -c "$scratch/dhcp6s.conf" -P "$scratch/dhcp6s.pid" br0
sleep 1
is_alive dhcp6s || fail "dhcp6s did not start" "$scratch/dhcp6s.log"
# Who answers first, without the key.
in_relay ip -6 addr add 2001:db8:77::66/64 dev vs0 nodad
start_dnsmasq "$relay_ns" <<CONF
port=0
dhcp-rapid-commit
dhcp-range=2001:db8:77::300,2001:db8:77::3ff,1h
dhcp-option=option6:bootfile-url,"iscsi:[2001:db8:77::66]:::1:iqn.2026-11.evil:disk"
CONF
tgt_name=tgtd-2
start_tgt "[$server_ip6]"
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
path6="iscsi:[$server_ip6]:::1:$iqn"
v6boot() {
    boot --family=6 --client-id=ff0000000100030001020000000001 --rootpath="$path6" --rapid-commit=no "$@"
}
# dhcp6s stands still until the other one has answered.
kill -STOP "${pids[dhcp6s]}"
(
    for _ in $(seq 100); do
        ! grep -q DHCPADVERTISE "$scratch/dnsmasq.log" || break
        sleep 0.1
    done
    kill -CONT "${pids[dhcp6s]}"
) &
v6boot --dhcp-keys="7:$secret,1@boot.example:$secret" --dhcp-timeout=5s --retry-time=0s
wait $!
succeeds "the client takes the authenticated lease of wide-dhcpv6-server"
says 'authenticated +by key 1 of boot\.example' "the report says by which key and realm"
says 'passed-over +dhcp6-auth: from fe80:[0-9a-f:]+: not authenticated' "and who was passed over"
v6boot --dhcp-keys=1@boot.example:another-secret --dhcp-timeout=3s --retry-time=0s
fails_with dhcp6-auth "a wrong key is named as such" 'proof of its authentication is wrong'
pass
