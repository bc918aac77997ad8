#!/bin/bash
# DHCP authentication served by lunbootd (dhcp-keys): DHCPv4 by RFC 3118, DHCPv6 by RFC 3315 21.4. A client with
# the key takes its answers and no other's; one without is answered or not, as dhcp-auth says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
make_net
in_client sysctl -qw net.ipv6.conf.default.accept_dad=1 net.ipv6.conf.all.accept_dad=1
make_gpt_disk "$scratch/disk.img"
secret=0123456789abcdef
conf() { # LINES...
    printf '%s\n' "interface = vs0" "state = $scratch/state" "disk = $scratch/disk.img" "dhcp = server" \
        "dhcp6 = server" "router-advertisements = yes" "$@" >"$scratch/lunbootd.conf"
    chmod 600 "$scratch/lunbootd.conf"
}
keys="7:$secret,1@boot.example:$secret"
conf "dhcp-keys = $keys"
start_lunbootd --config="$scratch/lunbootd.conf"

later_boot() { # our own values count by seconds
    sleep 1.1
    boot "$@"
}
later_boot --dhcp-keys="7:$secret" --require=dhcp-auth --family=4 --dhcp-state=/state/dhcp-seen
succeeds "a client with the key takes lunbootd's answer by DHCPv4"
says 'authenticated +by key 7 ' "the report says by which key"
later_boot --dhcp-keys="1@boot.example:$secret" --require=dhcp-auth --family=6 --dhcp-state=/state/dhcp-seen
succeeds "and by DHCPv6"
says 'authenticated +by key 1 of boot\.example' "the report says by which key and realm"
later_boot --dhcp-keys=7:another-secret --family=4 --dhcp-timeout=3s --retry-time=0s
fails_with dhcp-auth "another key of that number is told" 'proof of its authentication is wrong'
later_boot --dhcp-keys=1@boot.example:another-secret --family=6 --dhcp-timeout=3s --retry-time=0s
fails_with dhcp6-auth "also in DHCPv6" 'proof of its authentication is wrong'
boot --family=4
succeeds "a client without a key is answered, too"
boot --family=6
succeeds "also in DHCPv6"

# After a restart lunbootd's values are newer than all before.
end lunbootd KILL
sleep 1.1
conf "dhcp-keys = $keys" "dhcp-auth = require"
start_lunbootd --config="$scratch/lunbootd.conf"
later_boot --dhcp-keys="7:$secret" --require=dhcp-auth --family=4 --dhcp-state=/state/dhcp-seen
succeeds "after a restart a client that remembers takes its answer"
later_boot --dhcp-keys="1@boot.example:$secret" --require=dhcp-auth --family=6 --dhcp-state=/state/dhcp-seen
succeeds "also in DHCPv6"
boot --family=4 --dhcp-timeout=3s --retry-time=0s
fails_with no-offer "with dhcp-auth = require a client without a key gets no answer" .
lunbootd_says 'asks for an address without a proof, and dhcp-auth is require' "which lunbootd tells"
boot --family=6 --dhcp-timeout=3s --retry-time=0s
[ "$status" != 0 ] || fail "a client without a key is answered by DHCPv6"
lunbootd_says 'asks for an IPv6 address without a proof, and dhcp-auth is require' "also in DHCPv6"
grep -q "$secret" "$scratch/lunbootd.log" && fail "lunbootd prints a key"
ok "no key is printed"

dhcpcd_with_key "$secret" '192\.0\.2\.[0-9]+' "takes lunbootd's lease"
end lunbootd

# What cannot be.
refuses() { # WHAT PATTERN REMEDY
    lunbootd_refuses "$1" "$2" "$3" --config="$scratch/lunbootd.conf"
}
conf "dhcp-keys = $keys"
chmod 644 "$scratch/lunbootd.conf"
refuses "a key that others can read" 'it has secrets, and others can read it \(mode 644\)' 'chmod 600'
conf "dhcp-keys = 7:short"
refuses "a short key" 'lunbootd\.conf:7: this dhcp-keys cannot be used' 'ID:SECRET for DHCPv4'
conf "dhcp-keys = 7:$secret" "dhcp-auth = require"
refuses "a family without a key" 'dhcp-keys has no key of DHCPv6' 'ID@REALM:SECRET'
conf "dhcp-auth = require"
refuses "no key at all" 'dhcp-keys has no key of DHCPv4' 'ID:SECRET'
lunbootd_refuses "a key on the command line" 'all users of this machine can see a secret there' '--config' \
    --dhcp-keys="7:$secret"
pass
