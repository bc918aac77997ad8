#!/bin/bash
# The kernel's ESP against libreswan's, agreed on by lunboot: tunnel and transport mode over IPv4. libreswan knows no
# address of its machines.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
. "$(dirname "$0")/libreswan.sh"
need tcpdump apt-get dpkg

unpack_libreswan
add_block
add_libreswan
start_prepared_lio

# boots MODE ADDRESS: each machine at an address of its own, for libreswan keeps what it has for one that went without
# a word.
boots() {
    boots_through "libreswan, $1" 192.0.2.1 "$1.example" "the secret of $1.example" "address=$2/24" "ipsec-mode=$1"
    [ "$(esp_packets)" -gt 500 ] || fail "few packets of ESP: $(esp_packets)"
    ok "libreswan, $1: $(esp_packets) packets of ESP"
}
boots tunnel 192.0.2.100
boots transport 192.0.2.101
pass
