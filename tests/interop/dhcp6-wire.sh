#!/bin/bash
# The messages of DHCPv6 that a boot seldom sends, read by a decoder nobody here wrote (tshark): Information-request,
# and a dry run's Solicit, which takes nothing.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net6
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvOtherConfigFlag on;
  prefix 2001:db8:77::/64 { };
CONF
start_kea6 <<CONF
"preferred-lifetime": 3600, "valid-lifetime": 7200,
"option-data": [ { "name": "bootfile-url", "data": "$rootpath" } ],
"subnet6": [{ "subnet": "2001:db8:77::/64", "interface": "vs0", "rapid-commit": true,
    "pools": [{ "pool": "2001:db8:77::100 - 2001:db8:77::1ff" }] }]
CONF

# decode FILTER FIELD: of the packets of DHCPv6 from the client.
decode() {
    tshark -r "$scratch/capture.pcap" -Y "udp.srcport == 546 && ($1)" -T fields -e "$2" 2>/dev/null
}
well_formed() {
    [ -z "$(decode 'udp.checksum.status == 0' frame.number)" ] || fail "$1: a checksum is wrong"
    none_malformed "$1: nothing is malformed" 'udp.srcport == 546'
}

start_capture "$server_ns" vs0
boot
succeeds "a boot by Information-request"
stop_capture
[ -n "$(decode 'dhcpv6.msgtype == 11' frame.number)" ] || fail "there is no Information-request"
[ -z "$(decode 'dhcpv6.msgtype == 11 && dhcpv6.option.type == 3' frame.number)" ] || fail "it has an IA"
asked=$(decode 'dhcpv6.msgtype == 11' dhcpv6.requested_option_code | sed -n 1p)
for code in 32 59 83; do
    [[ ",$asked," == *,$code,* ]] || fail "option $code is not asked for, but $asked"
done
ok "it has no IA, and asks for the refresh time, the URL and INF_MAX_RT"
well_formed "Information-request"

end radvd
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
in_client ip link set vc0 down
start_capture "$server_ns" vs0
run_lunboot probe --interface=vc0 --attempts=1
succeeds "a dry run"
stop_capture
[ -n "$(decode 'dhcpv6.msgtype == 1' frame.number)" ] || fail "there is no Solicit"
[ -z "$(decode 'dhcpv6.option.type == 14' frame.number)" ] || fail "a dry run offers rapid commit"
[ -z "$(decode 'dhcpv6.msgtype == 3' frame.number)" ] || fail "a dry run requests"
ok "a dry run takes nothing"
well_formed "a dry run"
pass
