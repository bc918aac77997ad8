#!/bin/bash
# Another machine has the IPv6 address that a person configured: duplicate address detection in firmware
# finds out, within a second or two, and the error says so; also when that machine is slow to answer and the boot
# has gone on meanwhile. Without that machine, the address boots.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin6
serve_loader_ok
in_server ip addr add 2001:db8:77::50/64 dev br0 nodad
make_stick <<EOF
enable = yes
address = 2001:db8:77::50/64
server = $server_ip
target = $iqn
lun = 1
attempts = 1
EOF
boot_stick
wait_console 'address-conflict' 60 "an address that another machine has is not used"
console_has '2001:db8:77::50' "the error names the address"
wait_console 'failed to start|Shell>|BdsDxe: loading .*Shell' 30 "and the firmware has its turn"
end qemu KILL
in_server ip addr del 2001:db8:77::50/64 dev br0
boot_stick
wait_console 'METER LOADER-OK' 90 "without that machine the address boots"
end qemu KILL

# Nobody is at this portal, so that the boot is under way while the answer comes.
make_stick <<EOF
enable = yes
address = 2001:db8:77::50/64
server = 2001:db8:77::99
target = $iqn
lun = 1
attempts = 1
connect-timeout = 20s
EOF
spawn neighbour ip netns exec "$server_ns" python3 "$top/tests/vm/late-neighbour.py" br0 2001:db8:77::50 0.5
wait_log neighbour '^ready'
boot_stick
wait_console 'address-conflict' 60 "a machine that answers after half a second has the address all the same"
console_has '2001:db8:77::50' "the error names the address"
grep -q '^answered' "$scratch/neighbour.log" || fail "the machine was not asked"
pass
