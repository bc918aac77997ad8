#!/bin/bash
# DHCP servers that break a rule as those in the field do (odd-dhcp.py has the cases): most boot, as with other
# clients, and the report says what was wrong; the rest are explained by what is wrong.
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3
make_net
serve_disk
in_server ip link set lo up
log=$scratch/err.log

# from CASE [ARGUMENTS...]: one boot from that server.
from() {
    local case=$1
    shift
    end dhcp
    spawn dhcp ip netns exec "$server_ns" python3 "$interop/odd-dhcp.py" vs0 "$case" "$iqn"
    wait_log dhcp ready
    boot --arp-probe=no --discovery=off --family=4 "$@"
}

# boots CASE SENTENCE [PATTERN [ARGUMENTS...]]: it boots, and the report has the pattern.
boots() {
    local case=$1 sentence=$2 pattern=${3:-}
    shift $(($# < 3 ? $# : 3))
    from "$case" "$@"
    [ "$status" = 0 ] || fail "$sentence" "$log" "$scratch/out.log"
    [ -z "$pattern" ] || says "$pattern"
    ok "$sentence"
}

boots no-server-id "without option 54 the sender is the server" "option 54"
boots no-server-id-ack "an ACK alone without option 54"
boots no-lease-time "without option 51 the lease is without end" "without end"
boots lease-of-0-s "a lease of 0 s is one of an hour" "left out: option 51"
boots cut "a last option that is cut is left out" "left out: option 15"
boots type-twice "of two options 53 a good one counts"
boots other-client "one that echoes another client's identifier" "another client"
boots bad-mask-length "a netmask of two bytes" "left out: option 1 "
boots bad-dns "name servers of three bytes" "left out: option 6"
boots line-feed "a Root Path with a line feed at its end" "line ends"
boots nul-and-quotes "a Root Path in quotes" "quotes"
boots capitals "ISCSI: in capitals" "lower case"
boots tcp "tcp in the protocol's place" "protocol"

spawn dns ip netns exec "$server_ns" python3 "$interop/fake-dns.py" 192.0.2.1 192.0.2.1 nodata
wait_log dns ready
boots domains "two domains in option 15, with a blank between them"
boots domains-comma "two domains in option 15, with a comma between them"

from vendor
fails_with no-root-path "a disk in option 43 is pointed out" "option 43, sub-option 201" "put it into option 17"
run_lunboot probe --interface=vc0 --family=4
grep -q 'option 43, sub-option 201 names a disk' "$scratch/out.log" || fail "probe does not show it" "$scratch/out.log"
grep -q 'say more when an offer is taken' "$scratch/out.log" || fail "probe believes offers" "$scratch/out.log"
ok "probe shows it, too, and says that an offer may not be all"
from bootfile
fails_with no-root-path "a disk in option 67 is pointed out" "option 67" "put it into option 17"
from cut-root-path
fails_with dhcp-unusable "a Root Path that is cut is told as that" "option 17 runs past the end"
from address-of-nobody --dhcp-timeout=2s
fails_with dhcp-unusable "answers that cannot be used are not silence" 192.0.2.1 "no host can have"
from no-route --connect-timeout=3s
fails_with connect-unreachable "a missing route is told as that" "no route to 198\.51\.100\.1" "option 121"

from user-class
fails_with no-root-path "a server that has the disk for a user class alone" "user-class="
boots user-class "with user-class=iPXE it is given" "" --user-class=iPXE
boots client-arch "with client-arch=7, to a client with UEFI" "" --client-arch=7
boots ipxe-features "with dhcp-send=, to one with option 175" "" --dhcp-send=175:b10101eb0101
pass
