#!/bin/bash
# Power-on to a Debian kernel through IPsec: lunboot.efi negotiates with strongSwan before it connects, and no packet
# of the target's port is in clear, on the way there or back. A wrong key is named as such on the console, and without
# random numbers that nobody can guess nothing is negotiated.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/strongswan.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
begin tcpdump
need_strongswan
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
serve_image
offer_disk </dev/null
start_strongswan "$server_ip"

# keys [PSK [MORE]]: the stick's configuration.
keys() {
    make_ipsec_stick client.example "${1:-$psk}" 'retry-time = 20s' "${2:-}"
}

esp_packets() {
    tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500' 2>/dev/null | wc -l
}

keys
start_capture "$server_ns" tap0 -s 96 -B 32768
boot_stick
wait_console 'ipsec +tunnel mode, AES-GCM-256' 60 "IKE with strongSwan, and its keys"
wait_console 'KERNEL-OK' 150 "a Debian kernel and its initramfs, wholly through IPsec"
console_has "IBFT target0/ip-addr $server_ip" "iBFT: the portal"
stop_capture
[ "$(clear_packets)" = 0 ] || fail "packets in clear: $(clear_packets)"
[ "$(esp_packets)" -gt 1000 ] || fail "few packets in UDP 4500: $(esp_packets)"
ok "0 packets in clear, $(esp_packets) of ESP and IKE"
end qemu KILL

keys 'another secret of 16 bytes'
start_capture "$server_ns" tap0 -s 96 -B 32768
boot_stick
wait_console 'ipsec-auth' 60 "a wrong key is named as such"
console_has 'try: check the pre-shared key' "and what to try is said"
wait_console 'failed to start|Shell>|BdsDxe: loading' 60 "the firmware has its turn"
stop_capture
[ "$(clear_packets)" = 0 ] || fail "a wrong key: packets in clear: $(clear_packets)"
ok "a wrong key: 0 packets in clear"
end qemu KILL

keys
start_capture "$server_ns" tap0 -s 96 -B 32768
boot_stick -cpu qemu64
wait_console 'ipsec-missing' 60 "without random numbers that nobody can guess there is no IPsec"
console_has 'try: .*EFI_RNG' "and where they may come from is said"
wait_console 'failed to start|Shell>|BdsDxe: loading' 60
stop_capture
[ "$(clear_packets)" = 0 ] || fail "without IPsec: packets in clear: $(clear_packets)"
[ "$(esp_packets)" = 0 ] || fail "without random numbers it negotiates"
ok "and nothing is sent to the server, neither in clear nor by IKE"
pass
