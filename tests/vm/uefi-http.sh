#!/bin/bash
# UEFI HTTP Boot: the firmware fetches lunboot.efi from a web server that the DHCP server names.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok
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
    "${first_card[@]}"
wait_console 'HTTP Boot|METER|Shell>' 120
console_shows 'HTTP Boot' || skip "this firmware has no HTTP Boot"
wait_console 'METER LOADER-OK' 150 "from HTTP Boot to the loader on the network disk"
console_has 'started from HTTP Boot' "lunboot knows how it was started"
console_has 'lunboot\.conf is not read over HTTP' "and says that it reads no lunboot.conf"
pass
