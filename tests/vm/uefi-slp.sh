#!/bin/bash
# Discovery in firmware through SLP: the Root Path has only a target's name; a service agent answers the
# multicast query, over IPv4 and, on a network without IPv4, over IPv6.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
agent=${LUNBOOT_SLP_AGENT:-$top/build/lunboot-slp-agent}
[ -x "$agent" ] || skip "$agent has not been built"

# advertise PORTAL OPTION: an agent on the server, which knows the disk and another one.
advertise() {
    local portal=$1
    shift
    printf 'service:iscsi:target://%s/%s DEFAULT (iscsi-name=%s),(portal-group=1)\n' \
        "$portal" "$iqn" "$iqn" "$portal" iqn.2026-11.test:other iqn.2026-11.test:other \
        >"$scratch/services"
    spawn agent ip netns exec "$server_ns" "$agent" "--interface=$server_interface" \
        --services="$scratch/services" "$@"
    wait_log agent '^ready'
}

begin
serve_loader_ok
advertise "$server_ip:3260" "--ipv4=$server_ip"
rootpath="iscsi::::1:$iqn"
offer_disk </dev/null
make_stick <<EOF
enable = yes
discovery = slp
EOF
boot_stick
wait_console 'METER LOADER-OK' 90 "a target's name alone boots, through SLP"
console_has 'discovery +1 found' "and the target that was not named is passed over"
end qemu KILL

end tgtd KILL
end dnsmasq
end agent
make_bridge6
serve_image
advertise "[$server_ip]:3260" "--ipv6=$server_ip"
rootpath="iscsi::::1:$iqn"
offer_disk6 </dev/null
boot_stick
wait_console 'METER LOADER-OK' 90 "the same on a network without IPv4"
console_has "connect +$iqn .*$server_ip" "at its IPv6 portal"
pass
