#!/bin/bash
# Routers and DHCPv6 servers that are odd as those in the field are (odd-ipv6.py has the cases): the boot reaches the
# disk all the same, or says what is wrong. A packet that RFC 4861 has discarded changes nothing, and an option or a
# prefix that is wrong costs nothing but itself.
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3
make_net6
in_client sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
serve_disk6
disk=iscsi:[$server_ip6]:::1:$iqn

# from CASE [ARGUMENTS...]: one boot. A person names the disk, where only the router is odd.
from() {
    local case=$1 named=(--rootpath="$disk")
    shift
    end odd
    spawn odd ip netns exec "$server_ns" python3 "$interop/odd-ipv6.py" vs0 "$case" "$iqn"
    wait_log odd ready
    [[ $case != dhcp-* ]] || named=()
    boot --family=6 --discovery=off "${named[@]}" "$@"
    ip -n "$client_ns" -6 addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
}

# CASE CODE PATTERN: what does not boot.
cat >"$scratch/failing" <<'CASES'
many-prefixes                 -
dhcp-url-blank-first          no-root-path   DHCPv6.server.fe80::1
dhcp-url-of-tftp-first        no-root-path   its.option.59.is.tftp://
dhcp-t1-behind-t2             dhcp6-unusable T1.behind.T2
dhcp-cut                      dhcp6-unusable an.option.runs.past.the.end
dhcp-trailing-bytes           dhcp6-unusable an.option.runs.past.the.end
dhcp-url-in-advertise-alone   no-root-path   DHCPv6.server.fe80::1
dhcp-lease-in-reply-alone     dhcp6-unusable no.IA_NA.of.ours
dhcp-no-addresses             no-root-path   DHCPv6:.dhcp6-refused,.NoAddrsAvail
dhcp-without-flags            no-root-path   router.fe80::1
dhcp-without-router           connect-unreachable no.router
dhcp-other-network            -
CASES

while read -r case; do
    read -r _ code pattern < <(grep "^$case " "$scratch/failing" || echo "$case boots")
    case $code in
    boots)
        from "$case"
        [ "$status" = 0 ] || fail "$case does not boot" "$scratch/err.log"
        ok "$case"
        ;;
    -) ;; # our server has no way back to that address
    *)
        from "$case" --dhcp-timeout=2s
        fails_with "$code" "$case" "$pattern"
        ;;
    esac
done < <(python3 "$interop/odd-ipv6.py" --list)

from unique-local-beside
says 'address  *2001:db8:77:' "of two prefixes the address is of the one that the disk is in"
from dhcp-max-rt-odd
succeeds "a retransmission time out of its bounds is left alone"
pass
