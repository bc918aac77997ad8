#!/bin/bash
# PXE on a network without IPv4: the firmware fetches lunboot.efi by TFTP from where option 59 of DHCPv6 says,
# and lunboot.conf comes from the same folder.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin6
serve_loader_ok
mkdir -p "$scratch/tftp/boot"
cp "$efi" "$scratch/tftp/boot/lunbootx64.efi"
cat >"$scratch/tftp/boot/lunboot.conf" <<CONF
initiator = iqn.2026-11.test:from-tftp
rootpath = $rootpath
CONF
chmod -R a+rX "$scratch" "$scratch/tftp"
rootpath="tftp://[$server_ip]/boot/lunbootx64.efi"
offer_disk6 <<EOF
enable-tftp
tftp-root=$scratch/tftp
tftp-no-fail
user=root
EOF
start_capture "$server_ns" tap0
# The firmware would ask for IPv4 first, for half a minute.
start_vm "${first_card[@]}" -fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=n
wait_console 'METER LOADER-OK' 180 "from PXE over IPv6 to the loader on the network disk"
console_has 'started from PXE' "lunboot knows how it was started"
stop_capture
in_server tcpdump -nr "$scratch/capture.pcap" -A 'tcp port 3260' >"$scratch/login.log" 2>/dev/null
grep -q 'InitiatorName=iqn.2026-11.test:from-tftp' "$scratch/login.log" ||
    fail "lunboot.conf from TFTP was not used"
ok "lunboot.conf was fetched from beside the program"
pass
