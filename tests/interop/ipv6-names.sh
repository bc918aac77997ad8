#!/bin/bash
# Names on a network without IPv4: a name server at a link-local address, told by router advertisement, and
# a Root Path whose server is a name. `lunboot probe` shows what the network would say, and takes nothing.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
disk_path="iscsi:disk.boot.example:::1:$iqn"
start_dnsmasq <<CONF
port=53
listen-address=fe80::1
address=/disk.boot.example/$server_ip6
address=/disk.boot.example/192.0.2.1
enable-ra
dhcp-range=2001:db8:77::100,2001:db8:77::1ff,64,1h
dhcp-option=option6:dns-server,[fe80::1]
dhcp-option=option6:domain-search,boot.example
dhcp-option=option6:bootfile-url,"$disk_path"
CONF

run_lunboot probe --interface=vc0
says 'fe80::1 offers 2001:db8:77::1.* \(DHCPv6\)' "probe shows the DHCPv6 server's offer"
says "root path: $disk_path" "and its Root Path"
says 'addresses: by DHCPv6 \(M\)' "and what the router says"
run_lunboot probe --interface=vc0 --json
python3 - "$scratch/out.log" <<'PYTHON' || fail "the JSON of probe is not as it should be"
import json, sys
probe = json.load(open(sys.argv[1]))
assert probe["offers6"][0]["root_path"].startswith("iscsi:disk.boot.example"), probe["offers6"]
assert probe["routers6"]["routers"] == ["fe80::1"] and probe["routers6"]["managed"], probe["routers6"]
PYTHON
ok "the same as JSON"
[ -z "$(ip -n "$client_ns" -6 -o addr show dev vc0 scope global)" ] || fail "probe left an address"
grep -q 2001:db8:77:: "$scratch/dnsmasq.leases" && fail "probe took a lease"
ok "and it has taken nothing"

boot_then_read
succeeds "a server's name is looked up at a link-local name server, and booted from by IPv6"
saw 'LUNBOOT_SERVER=2001:db8:77::1' "its address of IPv6 was used"
saw 'nameserver fe80::1%vc0' "the name server stands in resolv.conf with its interface"
read_the_loader
pass
