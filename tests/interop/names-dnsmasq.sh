#!/bin/bash
# Names, with dnsmasq as the DNS server: a short name and the search list, an alias, and an answer that is too
# long for a datagram and comes by TCP.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk

# Three aliases with long names: their answer takes more than the 512 bytes of a datagram.
label() { printf "$1%.0s" {1..60}; }
long() { echo "$(label "$1").$(label x).$(label y).boot.example"; }

serve_names() { # NAME: of the server in the Root Path
    start_dnsmasq <<CONF
port=53
domain=boot.example
local=/boot.example/
host-record=storage.boot.example,192.0.2.1
cname=disk.boot.example,storage.boot.example
cname=long.boot.example,$(long a)
cname=$(long a),$(long b)
cname=$(long b),$(long c)
cname=$(long c),storage.boot.example
log-queries
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:dns-server,192.0.2.1
dhcp-option=option:root-path,"iscsi:$1:::1:$iqn"
CONF
}

serve_names storage.boot.example
boot
succeeds "a name is looked up at the server that DHCP names"
end dnsmasq
serve_names storage
boot
succeeds "a short name is completed with the domain of the lease"
end dnsmasq
serve_names disk.boot.example
boot
succeeds "an alias is followed"
end dnsmasq
serve_names long.boot.example
boot --trace
succeeds "an answer that is too long for a datagram"
grep -qE 'dns +long\.boot\.example A: by TCP' "$scratch/err.log" || fail "the answer did not come by TCP"
ok "it comes by TCP"
pass
