#!/bin/bash
# What discovery used stands in the iBFT: an SLP agent that knows an iSNS server, which knows the disk. The
# kernel that was booted shows both addresses.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
agent=${LUNBOOT_SLP_AGENT:-$top/build/lunboot-slp-agent}
[ -x "$agent" ] || skip "$agent has not been built"
begin isnsd isnsadm
in_server ip addr add 192.0.2.7/24 dev tap0
ibft_init "$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" iscsi_ibft
serve_image
start_isnsd
isns_target "$iqn" "$server_ip"
isns_domain target none "$iqn" "$isns_host"
echo "service:iscsi:sms://192.0.2.7 DEFAULT (protocols=isns)" >"$scratch/services"
spawn agent ip netns exec "$server_ns" "$agent" --interface=tap0 "--ipv4=$server_ip" \
    --services="$scratch/services"
wait_log agent '^ready'
rootpath="iscsi::::1:$iqn"
offer_disk </dev/null
make_stick <<CONF
enable = yes
initiator = $isns_host
CONF
boot_stick
wait_console 'KERNEL-OK' 150 "a kernel from a disk that iSNS named"
console_has "IBFT initiator/isns-server 192.0.2.7" "iBFT: the iSNS server"
console_has "IBFT initiator/slp-server $server_ip" "iBFT: the SLP agent that knew it"
pass
