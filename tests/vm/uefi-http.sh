#!/bin/bash
# UEFI HTTP Boot: the firmware fetches lunboot.efi from a web server that the DHCP server names.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need python3
make_vm_net
serve_meter <<EOF
say LOADER-OK
off
EOF
mkdir -p "$scratch/www"
cp "$efi" "$scratch/www/lunbootx64.efi"
spawn httpd ip netns exec "$server_ns" python3 -m http.server -b "$server_ip" -d "$scratch/www" 80
wait_for 10 "the web server" has_listener "$server_ns" 80
offer_disk <<EOF
dhcp-vendorclass=set:http,HTTPClient
dhcp-option-force=tag:http,60,HTTPClient
dhcp-boot=tag:http,"http://$server_ip/lunbootx64.efi"
EOF
# PXE would come first, and take its time.
start_vm -fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=n \
    -fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=n \
    -netdev "tap,id=n0,ifname=tap0,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=n0,romfile=,mac=$card_mac,bootindex=0"
wait_console 'HTTP Boot|METER|Shell>' 120
console | grep -q 'HTTP Boot' || skip "this firmware has no HTTP Boot"
wait_console 'METER LOADER-OK' 150 "from HTTP Boot to the loader on the network disk"
console_has 'started from HTTP Boot' "lunboot knows how it was started"
pass
