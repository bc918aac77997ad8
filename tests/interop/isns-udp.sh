#!/bin/bash
# iSNS by UDP and over IPv6, from core/isns's own server (open-isns listens on TCP alone): a boot by the boot
# list, another by name, and answers in many PDUs.
. "$(dirname "$0")/lib.sh"
need_lunboot
need tshark
make_net
serve_disk
start_isns --pdu=16 --node="$iqn,1,192.0.2.1" --boot="$iqn,$isns_host" --others=500
start_capture "$server_ns" vs0 port 3205
where=(--initiator="$isns_host" --discovery=isns --lun=1 --address=192.0.2.50/24)
boot "${where[@]}" --isns-server=192.0.2.1
succeeds "a boot list that comes in PDUs of 16 bytes is booted from"
end isns
start_isns --node="$iqn,1,192.0.2.1" --boot="$iqn,$isns_host" --others=500
boot "${where[@]}" --isns-server=192.0.2.1 --isns-udp=yes
succeeds "a boot list is booted from by UDP"
boot "${where[@]}" --isns-server=192.0.2.1 --isns-udp=yes --target="$iqn"
succeeds "a target is found by its name by UDP"
end isns
stop_capture
tshark -r "$scratch/capture.pcap" -Y 'udp && isns' -T fields -e udp.dstport 2>/dev/null >"$scratch/udp"
grep -q 3205 "$scratch/udp" || fail "nothing went by UDP" "$scratch/udp"
ok "the questions went by UDP"
none_malformed "no datagram is malformed" 'udp.dstport == 3205'

start_isns --node="$iqn,1,2001:db8:77::1" --boot="$iqn,$isns_host"
end tgtd KILL
start_tgt '[2001:db8:77::1]:3260'
tgt_target 1 "$iqn"
tgt_lun 1 1 "$scratch/disk.img"
where=(--initiator="$isns_host" --discovery=isns --lun=1 --address=2001:db8:77::50/64)
boot "${where[@]}" '--isns-server=[2001:db8:77::1]:3205'
succeeds "server and portal of IPv6 are used"
pass
