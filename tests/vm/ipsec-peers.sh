#!/bin/bash
# The kernel's ESP against strongSwan's, agreed on by lunboot: transport mode and tunnel, IPv4 and IPv6, and a NAT
# between. strongSwan knows no address of its machines: it finds each one's own key by its identity.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/ipsec.sh"
need tcpdump nft

# connection ID MODE [REMOTE_TS]: strongSwan's for one machine, with a key of its own.
connection() {
    cat <<CONF
connections { ${1%%.*} {
    version = 2
    local_addrs = 192.0.2.1,2001:db8:77::10
    remote_addrs = %any
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = $1 }
    children { disk {
        mode = $2
        local_ts = dynamic
        remote_ts = ${3:-dynamic}
        esp_proposals = aes256gcm16-x25519-ecp256 } } } }
secrets { ike-${1%%.*} { id-1 = $1
    id-2 = server.example
    secret = "the secret of $1" } }
CONF
}

# esp_in_udp: packets of ESP and IKE behind a NAT.
esp_in_udp() {
    tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500' 2>/dev/null | wc -l
}

# many WHAT COUNT
many() {
    [ "$2" -gt 500 ] || fail "$1: few packets: $2"
    ok "$1: $2 packets"
}

add_block
add_strongswan
swanctl_conf=$scratch/initramfs-extra/etc/swanctl/swanctl.conf
neighbours=$(sed -n '/^connections { neighbours/,/ } } } }$/p' "$swanctl_conf")
{
    echo "$neighbours"
    connection tunnel.example tunnel
    connection transport.example transport
    connection nat.example tunnel 198.51.100.0/24
} >"$swanctl_conf"
add_ipv6
start_prepared_lio

v4=(address=192.0.2.100/24)
v6=(family=6 address=2001:db8:77::100/64)
boots_through "transport mode" 192.0.2.1 transport.example 'the secret of transport.example' \
    "${v4[@]}" ipsec-mode=transport
many "transport mode, ESP" "$(esp_packets)"
boots_through "tunnel, IPv6" '[2001:db8:77::10]' tunnel.example 'the secret of tunnel.example' "${v6[@]}"
many "tunnel, IPv6, ESP" "$(esp_packets)"
# The machine before had the same address, and went without a word.
boots_through "transport mode, IPv6" '[2001:db8:77::10]' transport.example 'the secret of transport.example' \
    "${v6[@]}" ipsec-mode=transport
many "transport mode, IPv6, ESP" "$(esp_packets)"

# The machine moves behind a NAT, which changes its address and its ports.
in_server ip link add br1 type bridge
in_server ip addr add 198.51.100.1/24 dev br1
in_server ip link set br1 up
in_server ip link set tap0 master br1
in_server sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
in_server nft -f - <<'NFT'
table ip nat {
    chain post {
        type nat hook postrouting priority 100
        oifname "br0" masquerade random
    }
}
NFT
boots_through "tunnel, behind a NAT" 192.0.2.1 nat.example 'the secret of nat.example' \
    address=198.51.100.50/24 gateway=198.51.100.1
many "tunnel, behind a NAT, UDP" "$(esp_in_udp)"
bare=$(tcpdump -n -r "$scratch/capture.pcap" 'ip proto 50 and host 192.0.2.2' 2>/dev/null | wc -l)
[ "$bare" = 0 ] || fail "ESP that is not in UDP: $bare"
ok "behind a NAT all ESP is in UDP"
pass
