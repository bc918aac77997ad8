#!/bin/bash
# A long session through IPsec in firmware: strongSwan renews the keys of ESP and of IKE every few seconds and asks
# for signs of life, the DHCP lease is renewed (at T2, where the server's routes lead into the tunnel), and then
# strongSwan is killed and started anew. The loader reads on and notices nothing; no packet of the target's port is
# in clear.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../interop/strongswan.sh"
. "$(dirname "$0")/../vm/firmware.sh"
begin tcpdump
need_strongswan

# offset NUMBER: of a piece of 2 MiB of the disk, of ten in turn.
offset() { echo $(((4 + $1 % 10) * (2 << 20))); }

# reads COUNT: so many pieces are read, with three seconds after each.
reads() {
    local i
    for ((i = 0; i < $1; i++)); do printf 'crc %d 2097152 1048576\nstall 3000\n' "$(offset "$i")"; done
}

serve_meter <<EOF
say BEGIN
$(reads 40)
say RENEWED
$(reads 10)
say OVER
off
EOF
make_bytes "$scratch/noise" $((20 << 20)) # where the file system has nothing
dd if="$scratch/noise" of="$scratch/disk.img" bs=2M seek=4 conv=notrunc 2>/dev/null
{
    echo "port=0"
    echo "dhcp-range=192.0.2.100,192.0.2.200,2m"
    echo "dhcp-option=option:root-path,\"$rootpath\""
} | start_dnsmasq
start_strongswan "$server_ip"
sed -i -e 's/^ *version = 2/&\n    rekey_time = 20s\n    over_time = 10s\n    dpd_delay = 4s/' \
    -e 's/^ *esp_proposals/        rekey_time = 9s\n        life_time = 20s\n&/' "$scratch/swanctl/swanctl.conf"
swan --load-all || fail "swanctl did not load the configuration"

# count PATTERN: how often charon says so.
count() { grep -c "$1" "$scratch/charon.log" || true; }

nothing_in_clear() {
    local count
    count=$(tcpdump -n -r "$scratch/capture.pcap" 2>/dev/null | wc -l)
    [ "$count" = 0 ] || fail "$1: there are $count"
    ok "$1"
}

make_ipsec_stick
start_capture "$server_ns" tap0 'tcp port 3260'
boot_stick
wait_console 'METER BEGIN' 60 "the loader runs, through IPsec"
wait_console 'METER RENEWED' 400 "it has read for two minutes"
children=$(count 'CHILD_SA disk{[0-9]*} established')
[ "$children" -ge 5 ] || fail "charon has made $children children"
ok "strongSwan has made $children pairs of keys of ESP meanwhile"
renewed=$(count 'IKE_SA lunboot\[[0-9]*\] rekeyed between')
[ "$renewed" -ge 2 ] || fail "charon has renewed $renewed IKE SAs"
ok "and has renewed the IKE SA $renewed times"
! grep -qi 'giving up after\|retransmit [3-9]' "$scratch/charon.log" || fail "charon missed an answer"
ok "it got an answer to all that it asked"
[ "$(grep -c DHCPACK "$scratch/dnsmasq.log")" -ge 2 ] || fail "the lease was not renewed"
ok "the lease was renewed"
stop_capture
nothing_in_clear "0 packets in clear until then"

# A server without strongSwan has nothing that keeps its own packets back; ours are.
start_capture "$server_ns" tap0 'tcp dst port 3260'
end charon-out KILL
rm -f "$scratch/vici"
start_charon 'kernel-libipsec { allow_peer_ts = yes }
        kernel-netlink { fwmark = !0x42 }
        socket-default { fwmark = 0x42 }'
wait_console 'METER OVER' 240 "strongSwan was killed and started anew, and the loader reads on"
stop_capture
for ((i = 0; i < 10; i++)); do
    expected=$(crc_of "$scratch/disk.img" "$(offset "$i")" $((2 << 20)))
    [ "$(console | grep -c "METER crc.*$expected")" -ge 2 ] || fail "piece $i was read wrong"
done
ok "what was read is what the disk has"
nothing_in_clear "0 packets of ours in clear after that"
pass
