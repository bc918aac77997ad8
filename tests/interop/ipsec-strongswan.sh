#!/bin/bash
# `lunboot read` through IPsec to a target behind strongSwan: no packet of the target's port is in clear, on the
# way there or back. A wrong key is named as such, selectors narrower than asked for and silence too, and nothing is
# sent in clear then; nor where IPsec is required and no key is there.
. "$(dirname "$0")/lib.sh"
. "$interop/strongswan.sh"
need_lunboot
need_strongswan
make_net
serve_disk
give_client_address 192.0.2.100
start_strongswan "$server_ip"
block_clear
start_capture "$server_ns" vs0 -s 96 -B 32768

keys=(--ipsec-psk="$psk" --ipsec-id=client.example --ipsec-peer-id=server.example)

esp_packets() {
    tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500' 2>/dev/null | wc -l
}

run_lunboot read --rootpath="$rootpath" --output="$scratch/disk.read" "${keys[@]}" --trace=yes
succeeds "a whole disk is read through IPsec"
same "$scratch/disk.img" "$scratch/disk.read" "the disk"
stop_capture
none_in_clear
[ "$(esp_packets)" -gt 1000 ] || fail "few packets in UDP 4500: $(esp_packets)"
ok "$(esp_packets) packets of ESP and IKE"

start_isnsd
isns_target "$iqn" "$server_ip"
isns_as "$isns_host" --register "initiator=$isns_host"
isns_domain boot boot "$iqn" "$isns_host"
start_capture "$server_ns" vs0 -s 96 -B 32768
run_lunboot discover --initiator="$isns_host" --isns-server="$server_ip" --discovery=isns "${keys[@]}"
stop_capture
says "$iqn" "an iSNS server is asked through IPsec"
none_in_clear iSNS

# refused CODE WHAT ARGUMENTS...: lunboot ends with this error, and nothing is in clear.
refused() {
    local code=$1 what=$2
    shift 2
    start_capture "$server_ns" vs0 -s 96 -B 32768
    run_lunboot read --rootpath="$rootpath" --output="$scratch/none" --retry-time=0s "$@"
    stop_capture
    fails_with "$code" "$what"
    none_in_clear "$what"
}

refused ipsec-auth "a wrong key is named as such" --ipsec-psk='another secret of 16 bytes' \
    --ipsec-id=client.example --ipsec-peer-id=server.example
refused ipsec-auth "a server with another identity is refused" --ipsec-psk="$psk" \
    --ipsec-id=client.example --ipsec-peer-id=other.example
refused config-half "without a key, what is required is not met" --require=ipsec
refused config-half "a key without identities is half a configuration" --ipsec-psk="$psk"
# The server narrows the selectors: to another port, and to the disk's alone.
for port in 22 3260; do
    sed -i "s,local_ts = dynamic.*,local_ts = dynamic[6/$port]," "$scratch/swanctl/swanctl.conf"
    swan --load-all || fail "swanctl did not load the configuration"
    refused ipsec-selector "selectors narrowed to port $port are refused" "${keys[@]}"
done
end charon-out KILL
refused ipsec-silent "a server without IKE is named as such" "${keys[@]}"
pass
