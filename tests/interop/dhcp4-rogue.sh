#!/bin/bash
# Twenty boots beside a rogue DHCP server that answers first, each time with another bad offer: ten are
# malformed, ten are off the lists. dnsmasq, which takes its time, has the good one. (A hundred, with other
# faults: core/boot/test_boot_passed.c.)
. "$(dirname "$0")/lib.sh"
need_lunboot
need python3 dnsmasq bridge
make_bridged_net
make_namespace "$relay_ns" # the rogue lives there
join "$server_ns" vs1 "$relay_ns" vs0
bridge_port vs1
in_relay ip addr add 192.0.2.66/24 dev vs0
in_relay ip link set vs0 up
server_ip=192.0.2.2
serve_disk
spawn rogue ip netns exec "$relay_ns" python3 "$interop/rogue-dhcp.py" vs0 192.0.2.66
wait_log rogue ready
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-reply-delay=1
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF

# The time in ms from the good offer to the disk, by the trace of the boot.
good_ms() {
    awk '/dhcp4 offer of .* by 192\.0\.2\.2,/ && !offer { offer = $1 } / disk -> up/ { up = $1 }
         END { print offer && up ? int((up - offer) * 1000) : "none" }' "$scratch/err.log"
}
booted=0
slowest=0
for number in $(seq 20); do
    boot --allow-server=192.0.2.2 --allow-target="$iqn" --require=address --arp-probe=no --trace
    [ "$status" = 0 ] || fail "boot $number beside a rogue DHCP server" "$scratch/err.log" "$scratch/rogue.log"
    took=$(good_ms)
    [ "$took" != none ] || fail "boot $number: no offer of dnsmasq in the trace" "$scratch/err.log"
    grep -q "192\.0\.2\.66" "$scratch/err.log" || [ "$((number % 2))" = 1 ] ||
        fail "boot $number: the rogue was not heard" "$scratch/err.log"
    booted=$((booted + 1))
    [ "$took" -le "$slowest" ] || slowest=$took
done
[ "$booted" = 20 ]
ok "twenty of twenty boots end with the disk"
[ "$slowest" -le 2000 ] || fail "the slowest boot took $slowest ms from the good offer"
ok "each within two seconds of the good offer ($slowest ms at most)"
[ "$(grep -c '^offer' "$scratch/rogue.log")" -ge 20 ] || fail "the rogue made too few offers" "$scratch/rogue.log"
ok "the rogue made another bad offer each time"
boot --allow-target="$iqn" --rootpath="$rootpath" --arp-probe=no
succeeds "a person's Root Path needs no offer but an address"
pass
