#!/bin/bash
# What we send to an iSNS server, read by a decoder nobody here wrote (tshark): not one malformed packet, and
# the messages of RFC 4171 in their order.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
start_isnsd
isns_target "$iqn" 192.0.2.1
isns_domain boot boot "$iqn" "$isns_host"
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=$isns_option
CONF
start_capture "$server_ns" vs0
boot --initiator=iqn.2026-11.test:host9 --discovery=isns --lun=1
fails_with discovery-empty "a boot of one that shares no domain, with a registration taken back"
boot --initiator="$isns_host" --discovery=isns --lun=1 --isns-register=always
succeeds "a boot by the boot list, with a registration"
boot --initiator=iqn.2026-11.test:host9 --discovery=isns --lun=1 --isns-register=always
fails_with discovery-empty "an address that another name has registered is left out of a registration"
boot --initiator="$isns_host" --discovery=isns --lun=1 --target="$iqn"
succeeds "a boot by the target's name"
stop_capture

# fields FILTER FIELD...: of the packets that pass, a line each.
fields() {
    local filter=$1 field list=()
    shift
    for field; do list+=(-e "$field"); done
    tshark -r "$scratch/capture.pcap" -Y "$filter" -T fields -E occurrence=a "${list[@]}" 2>/dev/null
}
has() {
    [ -n "$(fields "$1" frame.number)" ] || fail "$2: there is none" "$scratch/packets"
    ok "$2"
}
never() {
    local found
    found=$(fields "$1" frame.number)
    [ -z "$found" ] || fail "$2: packet $found" "$scratch/packets"
    ok "$2"
}
tshark -r "$scratch/capture.pcap" -Y isns 2>/dev/null >"$scratch/packets"
ours='tcp.dstport == 3205 && isns'
none_malformed "nothing on port 3205 is malformed" 'tcp.port == 3205'
never "$ours && isns.invalid_attribute_length" "no attribute has a length that is not its type's"
never "$ours && !(isns.flags.client == 1 && isns.flags.server == 0)" "we say that we are the client"
never "$ours && !(isns.flags.lastpdu == 1 && isns.flags.firstpdu == 1)" "each request is one PDU"
has "$ours && isns.functionid == 0x0001" "a registration is sent"
has "$ours && isns.functionid == 0x0002" "a query is sent"
has "$ours && isns.functionid == 0x0004" "a deregistration is sent"
has "$ours && isns.attr.tag == 2078" "the features of a domain are asked for"
has "$ours && isns.functionid == 0x0002 && isns.attr.tag == 51" "portal group tags are asked for"
has "isns.functionid == 0x8002 && isns.iscsi_name contains \"$iqn\"" "open-isns tells of the target"
# Every transaction is answered, and answered under its own number.
fields "$ours" isns.transactionid | tr ',' '\n' | sort >"$scratch/asked"
fields 'tcp.srcport == 3205 && isns' isns.transactionid | tr ',' '\n' | sort >"$scratch/answered"
same "$scratch/asked" "$scratch/answered" "the transactions asked and answered"
ok "every transaction number that was sent came back"
pass
