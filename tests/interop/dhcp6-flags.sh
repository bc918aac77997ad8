#!/bin/bash
# radvd with each combination of the flags M and O, before the same Kea: RFC 4861 4.2, RFC 4173 5.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net6
serve_disk6
start_kea6 <<CONF
"preferred-lifetime": 3600, "valid-lifetime": 7200,
"option-data": [ { "name": "bootfile-url", "data": "$rootpath" } ],
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0",
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::1ff" }] }]
CONF

# boot_with M O ARGUMENT...: boots with these flags, radvd started anew.
boot_with() {
    [ -z "${pids[radvd]:-}" ] || end radvd
    start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag $1; AdvOtherConfigFlag $2;
  prefix 2001:db8:77::/64 { };
CONF
    in_client ip link set vc0 down
    shift 2
    boot_then_read --trace "$@"
}
has_leased() { grep -E 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "$scratch/then.log" >/dev/null; }

boot_with on off
succeeds "M: boots"
has_leased || fail "no address of DHCPv6"
ok "M: the address is DHCPv6's, and so is the root path"
saw 'inet6 2001:db8:77:0:[0-9a-f:]*/64' "M: beside the one of the prefix"

boot_with on on
succeeds "M and O: boots"
has_leased || fail "no address of DHCPv6"
ok "M and O: O says nothing more"

boot_with off on
succeeds "O: boots"
! has_leased || fail "an address of DHCPv6 is there"
ok "O: the address is the one of the prefix alone"
says 'dhcp6 send Information-request' "O: the root path is asked for by Information-request"
says 'DHCPv6 server fe80::1' "O: and is Kea's"

boot_with off off --rootpath="$rootpath"
succeeds "neither: boots from a disk that a person named"
! has_leased || fail "an address of DHCPv6 is there"
ok "neither: the address is the one of the prefix alone"
pass
