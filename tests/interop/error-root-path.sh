#!/bin/bash
# Errors: a Root Path from dnsmasq that is wrong in each of its fields. Each names the field and the byte.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net

# wrong CODE WHAT OFFSET VALUE: the Root Path VALUE is refused; OFFSET is that of the wrong byte, from 0, or "".
wrong() {
    start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$4"
CONF
    boot --discovery=off
    fails_with "$1" "$2" 192.0.2.1
    [ -z "$3" ] || says "offset $3\b" "$2: the message says which byte"
    end dnsmasq
}

wrong rootpath-fields "too few fields" "" "iscsi:192.0.2.1:6:3260"
wrong rootpath-server "a server name with an exclamation mark" 8 "iscsi:my!server::::$iqn"
wrong rootpath-server "an IPv4 address with 256" "" "iscsi:192.0.2.256::::$iqn"
wrong rootpath-server "an IPv6 address without its bracket" "" "iscsi:[2001:db8::1::::$iqn"
wrong rootpath-protocol "protocol 17" "" "iscsi:192.0.2.1:17:::$iqn"
wrong rootpath-port "port 65536" "" "iscsi:192.0.2.1::65536::$iqn"
wrong rootpath-lun "a LUN with 0x" 19 "iscsi:192.0.2.1:::0x1:$iqn"
wrong rootpath-target "a target that is no iSCSI name" "" "iscsi:192.0.2.1:::1:disk1"
wrong rootpath-target "a target name with a space" "" "iscsi:192.0.2.1:::1:iqn.2026-11.test:my disk"
pass
