#!/bin/bash
# DHCP replay values over a power cycle: lunboot.efi keeps the highest one of a server in the variable LunbootDhcpSeen,
# for boot services alone, and an authentic answer that is older is refused at the next boot. With new variables of the
# firmware the same answer is taken: nothing but the variable tells.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
test_dhcp=${LUNBOOT_TEST_DHCP:-$top/build/lunboot-test-dhcp}
[ -x "$test_dhcp" ] || skip "$test_dhcp has not been built"
secret=0123456789abcdef

# serve_dhcp [SECONDS]: our server half, whose values are so much behind.
serve_dhcp() {
    spawn dhcp ip netns exec "$server_ns" "$test_dhcp" tap0 "$server_ip" "$rootpath" "7:$secret" "$@"
    wait_log dhcp ready
}

# seen: attributes and the highest replay value of LunbootDhcpSeen in the firmware's flash; none: nothing.
seen() {
    python3 - "$scratch/vars.fd" <<'PYTHON'
import struct, sys
flash = open(sys.argv[1], "rb").read()
name = "LunbootDhcpSeen\0".encode("utf-16-le")
at = flash.find(name)
while at >= 0:
    # AUTHENTICATED_VARIABLE_HEADER: its state is 0x3f while the variable is valid.
    mark, state, attributes, name_len, data_len = struct.unpack("<HBxI28xII16x", flash[at - 60:at])
    if mark == 0x55AA and state == 0x3F and name_len == len(name):
        data = flash[at + name_len:at + name_len + data_len]
        peers = struct.unpack(f"<{data_len // 8}Q", data[:data_len // 8 * 8])
        print(attributes, max(peers[1:-1:2]))
    at = flash.find(name, at + 1)
PYTHON
}

machine_is_off() { ! is_alive qemu; }

# boots WHAT: the loader on the disk runs, and ends the machine.
boots() {
    boot_stick
    wait_console LOADER-OK 120 "$1"
    wait_for 20 "power off" machine_is_off
}

serve_meter <<<$'say LOADER-OK\noff'
serve_dhcp
make_stick <<CONF
enable = yes
require = dhcp-auth
dhcp-keys = 7:$secret
dhcp-timeout = 5s
retry-time = 0s
CONF
boots "an answer with a proof is taken"
read -r attributes first <<<"$(seen)"
[ "${attributes:-none}" = 3 ] || fail "LunbootDhcpSeen has attributes ${attributes:-none}, and not 3"
ok "LunbootDhcpSeen is kept in the flash, and is for boot services alone"
now=$(date +%s)
[ $((first >> 32)) -gt $((now - 3600)) ] || fail "its value is $first, and the server's begin at $now << 32"
ok "its value is the server's"
keep_vars=yes
sleep 1.1
boots "so is a newer one at the next boot"
read -r attributes second <<<"$(seen)"
[ "$second" -gt "$first" ] || fail "LunbootDhcpSeen did not rise: $first, $second"
ok "and the value rises"

# The server's answers of an hour ago, each with its proof.
end dhcp
serve_dhcp 3600
boot_stick
wait_console 'dhcp-auth' 120 "an older answer is refused"
console_has 'played again' "and the error says why"
! grep -q LOADER-OK "$scratch/console.log" || fail "the loader ran" "$scratch/console.log"
end qemu KILL
[ "$(seen)" = "3 $second" ] || fail "the refused answer changed LunbootDhcpSeen: $(seen)"
ok "which leaves the value as it was"
keep_vars=no
boots "with new variables it is taken: nothing else tells"
pass
