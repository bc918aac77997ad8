#!/bin/bash
# A server that names the disk for UEFI's architecture alone: firmware says its own by itself, and what it says is read
# by a decoder that nobody here wrote (tshark). `client-arch = none` says nothing, and dhcp-send stands above both.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3 tcpdump tshark
serve_loader_ok
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-match=set:efi,option:client-arch,7
dhcp-match=set:http,option:client-arch,16
dhcp-option=tag:efi,option:root-path,"$rootpath"
dhcp-option=tag:http,option:root-path,"$rootpath"
CONF

# says CODE: what the DISCOVERs say by this option, in hex; nothing where they do not have it.
says() {
    tshark -r "$scratch/capture.pcap" -Y 'dhcp.option.dhcp == 1' -T fields -E occurrence=a \
        -e dhcp.option.type -e dhcp.option.value 2>/dev/null | sort -u |
        python3 -c 'import sys
for line in sys.stdin:
    codes, values = (field.split(",") for field in line.rstrip("\n").split("\t"))
    found = [v for c, v in zip(codes, values) if c == sys.argv[1]]
    print(found[0] if found else "")' "$1" | sort -u
}
# boots_saying LINE PATTERN: a boot with this line of configuration ends so.
boots_saying() {
    make_stick <<<"enable = yes
retry-time = 1s
$1"
    start_capture "$server_ns" tap0 'port 67 or port 68'
    boot_stick
    wait_console "$2" 60
    stop_capture
    end qemu KILL
}
# expect CODE HEX WHAT
expect() {
    [ "$(says "$1")" = "$2" ] || fail "option $1 is '$(says "$1")', expected '$2'"
    ok "$3"
}

boots_saying "" 'METER LOADER-OK'
expect 93 0007 "the architecture is x86-64 with UEFI (93)"
expect 94 010310 "the network interface is UNDI 3.16 (94)"
expect 97 0073414d56000073418000525400123456 "the machine is its UUID (97)"
none_malformed "nothing on the wire is malformed"
boots_saying "client-arch = none" 'no-root-path'
expect 93 "" "client-arch=none: no architecture"
expect 97 "" "and no UUID"
boots_saying "dhcp-send = 93:0010" 'METER LOADER-OK'
expect 93 0010 "dhcp-send=93: it says that, once"
expect 94 010310 "beside our own network interface"
pass
