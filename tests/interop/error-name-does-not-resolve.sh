#!/bin/bash
# Error: the server's name does not resolve: the DNS server says so, or says nothing. A name that is known
# does resolve.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
serve_names() {
    start_dnsmasq <<CONF
port=53
domain=boot.example
local=/boot.example/
address=/storage.boot.example/192.0.2.1
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:dns-server,$2
dhcp-option=option:root-path,"iscsi:$1:::1:$iqn"
CONF
}

serve_names storage.boot.example 192.0.2.1
boot
succeeds "a server given by name is found"
end dnsmasq
serve_names stroage.boot.example 192.0.2.1
boot
fails_with resolve "a name that DNS does not know" stroage.boot.example 192.0.2.1
end dnsmasq
serve_names storage.boot.example 192.0.2.99
TIME_LIMIT=120 boot
fails_with resolve "a DNS server that says nothing" storage.boot.example 192.0.2.99
pass
