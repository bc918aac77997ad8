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

while IFS='|' read -r case sentence pattern; do boots "$case" "$sentence" "$pattern"; done <<'CASES'
server-id-zero|an option 54 of 0.0.0.0: the sender is the server|
server-id-of-3-bytes|an option 54 of three bytes|
server-id-of-8-bytes|an option 54 with two addresses|
lease-of-3-bytes|an option 51 of three bytes|option 51
lease-of-1-s|a lease of 1 s|
times-reversed|T1 behind T2, and behind the end|
router-zero|a router 0.0.0.0|
router-of-3-bytes|a router of three bytes|left out: option 3
router-is-client|a router that is the client|
mask-with-holes|a netmask with holes|netmask
mask-zero|a netmask 0.0.0.0|
mtu-zero|an MTU of 0|left out: option 26
mtu-of-1-byte|an MTU of one byte|left out: option 26
hostname-of-250-bytes|a host name of 250 bytes|
hostname-empty|an empty host name|
domain-empty|an empty domain|
search-list-loops|a search list that points into itself|
routes-cut|an option 121 that is cut|left out: option 121
routes-of-33-bits|a route of 33 bits in option 121|left out: option 121
routes-of-microsoft|routes in Microsoft's option 249|
dns-zero|a name server 0.0.0.0|
broadcast-odd|a broadcast address of one byte|
no-end|no end behind the options|
pad-between|padding before the options|
behind-the-end|options behind the end do not count|
long|an answer of 1,300 bytes|
root-path-in-parts|a Root Path in two options 17 with another between them|
name-broken|an initiator name that is none, in option 203|
name-empty|an empty option 203|
relay-echoed|a relay's option 82 that came back|
type-of-2-bytes|a second option 53 of two bytes|
next-server|a next server, and a name of it|
hardware-zero|a hardware type and length of 0|
other-port|answers from another port than 67|
twice|each answer comes twice|
nak-once|a NAK, once|
ack-without-root-path|a Root Path in the OFFER alone|
offer-without-root-path|a Root Path in the ACK alone|
overload-file|a Root Path in the field for the file (option 52)|
overload-sname|a Root Path in the field for the server's name|
overload-both|one half of it in either|
overload-odd|an option 52 of 7|
root-path-in-three|a Root Path in three options 17|
root-path-bom|a byte order mark before it, and a line end behind|blanks or line ends
lease-of-8-bytes|an option 51 of eight bytes|option 51
lease-infinite|a lease without end, with T1 of 0|without end
server-id-broadcast|an option 54 that is the broadcast address|the sender is taken
server-id-loopback|an option 54 of the loopback|the sender is taken
server-id-client|an option 54 that is the client's address|
hostname-blank|a host name with a blank|option 12
hostname-address|a host name that is an address|
hostname-latin1|a host name that is not UTF-8|option 12
domain-dots|a domain with a dot on either side|
domain-odd|a domain with an empty label|
dns-many|sixteen name servers, of which two are none|
routers-odd-first|three routers, of which two are none|
router-broadcast|a router that is the broadcast address|
routes-empty|an empty option 121|option 121
routes-on-link|a route without a router in option 121|
routes-many|forty routes|
routes-host-bits|a route with bits beyond its length|
search-text|a search list that is text|option 119
search-empty|an empty search list|
mtu-67|an MTU of 67|option 26
mtu-576|an MTU of 576|
mtu-65535|an MTU of 65535|
vendor-cut|an option 43 that is cut inside|
vendor-ff|an option 43 of ends alone|
name-capitals|an initiator's name with capitals|IQN.2026-11.test:Client
name-line-feed|an initiator's name with a line end|iqn.2026-11.test:client
name-of-no-form|an initiator's name of no form|client7 is not used
isns-cut|an option 83 of three bytes|option 83
slp-cut|options 78 and 79 that are cut|
features-cut|an option 175 that is cut inside|
message|a message with an escape sequence|
ipv6-only|an option 108 that nobody asked for|
autoconf-off|an option 116|
rapid-in-offer|an option 80 in the OFFER|
end-twice|three ends|
vendor-class-binary|an option 60 of binary bytes|
address-of-the-network|the network's own address|whole network
hops-and-flags|hops, seconds and flags in the header|
client-address-set|a client's address in the header|
relay-set|a relay's address in the header|
chaddr-rest|bytes behind the hardware address|
padded|700 bytes behind the end|
ack-with-another-address|an ACK with another address than the OFFER|192\.0\.2\.151
offer-for-request|two OFFERs in place of the ACK|
third-request|an ACK for the third REQUEST alone|
slow-ack|an ACK after 1.5 s|
CASES
from nak-always --dhcp-timeout=4s
fails_with dhcp-nak "a server that refuses always" "last by 192\.0\.2\.1"
from ack-for-discover --dhcp-timeout=2s
fails_with dhcp-unusable "an ACK in place of the OFFER" "an ACK that nobody asked for"
from no-cookie --dhcp-timeout=2s
fails_with dhcp-unusable "an answer without the magic cookie" "no magic cookie"
from root-path-twice
fails_with rootpath-fields "two options 17, which are put together" "a second Root Path"
from nfs
fails_with no-root-path "a Root Path of NFS is shown" "option 17 is 192.0.2.1:/srv/root"
from bootfile-field
fails_with no-root-path "a disk in the field for the file is pointed out" "field .file." "put it into option 17"
from bootp
fails_with no-root-path "an answer without options" "DHCP server 192.0.2.1"
from no-address --dhcp-timeout=2s
fails_with dhcp-no-offer "an OFFER without an address" "without addresses"
from other-server-acks --dhcp-timeout=2s
fails_with dhcp-no-ack "an ACK of another server is told as that" "not from the server that was chosen"

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
