#!/bin/bash
# Two IPsec peers within one boot of the firmware: the server that knows where the disk is stands behind one strongSwan,
# the disk behind another, and lunboot.efi has keys with both at once. An iSNS server's boot list, then an SLP directory
# agent. Nothing is in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/takeover.sh"
. "$(dirname "$0")/../interop/strongswan.sh"
. "$(dirname "$0")/ipsec.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need_strongswan
need tcpdump isnsd isnsadm
[ -x "$slp_agent" ] || skip "$slp_agent has not been built"
knows=192.0.2.9 # who knows where the disk is
disk=iqn.2026-11.test:lio-plain
meter_disk "$scratch/disk.img" <<<$'say LOADER-OK\noff'
start_ipsec_lio
make_namespace "$relay_ns"
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add "$knows/24" dev vs0
in_relay ip link set vs0 up
knowing() { server_ns=$relay_ns server_ip=$knows "$@"; }
knowing start_strongswan "$knows"
knowing block_clear

# boots NAME LINES...: from the disk that is found with these lines in the configuration.
boots() {
    local name=$1 peer sealed
    shift
    make_ipsec_stick client.example "$psk" "address = 192.0.2.100/24" "lun = 0" "$@"
    start_capture "$server_ns" br0 -s 96 -B 32768
    boot_stick
    wait_console 'METER LOADER-OK' 120 "$name: the loader runs"
    wait_for 30 "the machine's end" has_ended_qemu
    stop_capture
    none_in_clear "$name"
    for peer in "$knows" 192.0.2.1; do
        console_has "ipsec +tunnel mode, AES-GCM-256.*$peer" "$name: keys with $peer"
        sealed=$(tcpdump -n -r "$scratch/capture.pcap" "udp port 4500 and host $peer" 2>/dev/null | wc -l)
        [ "$sealed" -ge 6 ] || fail "$name: few packets of IKE (4) and ESP with $peer: $sealed"
        ok "$name: $sealed packets of IKE and ESP with $peer"
    done
}
has_ended_qemu() { ! is_alive qemu; }

knowing start_isnsd
knowing isns_target "$disk" 192.0.2.1
knowing isns_as "$isns_host" --register "initiator=$isns_host"
knowing isns_domain boot boot "$disk" "$isns_host"
boots "iSNS" "initiator = $isns_host" "discovery = isns" "isns-server = $knows"
end isnsd

slp_service "$disk" 192.0.2.1:3260 >"$scratch/services"
spawn agent ip netns exec "$relay_ns" "$slp_agent" --directory --interface=vs0 --ipv4="$knows" \
    --services="$scratch/services"
wait_log agent '^ready'
boots "SLP" "target = $disk" "discovery = slp" "slp-agent = $knows"
grep -q '^unicast SrvRqst' "$scratch/agent.log" || fail "the agent was not asked"
pass
