#!/bin/bash
# A network of IPv4 and IPv6, where dnsmasq names the disk in option 17 and in option 59: whose word is
# followed, that both stay configured, and that one of them is enough.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
ip -n "$server_ns" addr add "$server_ip/24" dev vs0
serve_disk
tgt --mode portal --op new --param "portal=[$server_ip6]:3260"

# serve_both PATH4 PATH6: dnsmasq with these Root Paths.
serve_both() {
    end dnsmasq
    start_dnsmasq <<CONF
port=0
enable-ra
dhcp-range=192.0.2.100,192.0.2.150,1h
dhcp-range=2001:db8:77::100,2001:db8:77::1ff,64,1h
dhcp-option=option:root-path,"$1"
dhcp-option=option6:bootfile-url,"$2"
CONF
}

# boot_afresh ARGUMENTS...: boots with a bare interface, as after power-on.
boot_afresh() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    boot_then_read "$@"
}

path4=iscsi:$server_ip:::1:$iqn
path6=iscsi:[$server_ip6]:::1:$iqn
serve_both "$path4" "$path6"

run_lunboot boot --interface=vc0 --enable=yes --then=report
succeeds "without a word about it, the first family to name the disk is followed"
says 'family +IPv[46]: the first to name a disk' "and the report says which"
run_lunboot boot --interface=vc0 --enable=yes --then=report --prefer-family=6
says 'family +IPv6: ' "with prefer-family=6 it is IPv6"

boot_afresh --prefer-family=6
succeeds "which boots"
saw "LUNBOOT_SERVER=$server_ip6" "over IPv6"
saw 'inet 192\.0\.2\.1[0-9][0-9]/24' "IPv4 is configured, too"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "beside IPv6"

boot_afresh --prefer-family=4 --family-wait=10s
succeeds "with prefer-family=4 it is IPv4"
saw "LUNBOOT_SERVER=$server_ip\$" "the connection is over IPv4"

rootpath=$path6 boot_afresh --family=6
succeeds "with family=6 IPv4 is not asked"
saw 'inet6 2001:db8:77::1' "there is an IPv6 address"
! grep -q 'inet 192' "$scratch/then.log" || fail "IPv4 is configured"
ok "and none of IPv4"

boot_afresh --family=4
succeeds "with family=4 IPv6 is not asked"
! grep -q 'inet6 2001' "$scratch/then.log" || fail "IPv6 is configured"
ok "and none of it is configured"

# Nobody listens at the port that IPv6's Root Path names.
serve_both "$path4" "iscsi:[$server_ip6]::3999:1:$iqn"
boot_afresh --prefer-family=6 --attempts=1
succeeds "a portal that refuses is no end: what the other family names is tried in the same attempt"
saw "LUNBOOT_SERVER=$server_ip\$" "the disk is the other family's"

# One of the two names no disk, or somebody else's.
serve_both "$path4" "http://[$server_ip6]/boot.efi"
boot_afresh --prefer-family=6
succeeds "a URL of another kind of boot in option 59 is no hindrance"
serve_both "$server_ip:/srv/root" "$path6"
boot_afresh --prefer-family=4
succeeds "nor is a Root Path of NFS in option 17"
saw "LUNBOOT_SERVER=$server_ip6" "the disk is IPv6's"
read_the_loader
pass
