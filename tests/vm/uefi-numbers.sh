#!/bin/bash
# Numbers that somebody off the path would have to guess, of three power-ons of the same machine: TCP's initial
# sequence numbers, ports, identifications of DNS, DHCP and IP; and where the random numbers come from, which
# the console says: the processor, the firmware as well, or neither.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin tcpdump tshark python3
serve_loader_ok
rootpath="iscsi:disk.boot.test:::1:$iqn"
dns_port=53 offer_disk <<EOF
host-record=disk.boot.test,$server_ip
dhcp-option=option:dns-server,$server_ip
EOF
make_stick <<<"enable = yes"

# power_on NAME ARGUMENTS...: a boot; its console stays in $scratch/NAME.
power_on() {
    local name=$1
    shift
    boot_stick "$@"
    wait_console 'METER LOADER-OK' 90
    end qemu KILL
    console >"$scratch/$name"
}

# says NAME WORDS WHAT: that boot's console says where the random numbers come from.
says() {
    grep -qE "random numbers: from $2" "$scratch/$1" || fail "$3"
    ok "$3"
}

start_capture "$server_ns" tap0
power_on processor
power_on firmware -object rng-random,id=r0,filename=/dev/urandom -device virtio-rng-pci,rng=r0
power_on neither -cpu qemu64 -rtc base=2026-01-01T00:00:00
stop_capture

# field FIELD FILTER: of the frames that the machine sent, one a line.
field() {
    tshark -r "$scratch/capture.pcap" -Y "eth.src == $card_mac && ($2)" -T fields -E occurrence=f -e "$1" \
        -o tcp.relative_sequence_numbers:FALSE 2>/dev/null
}

# far FLOOR COUNT WHAT: COUNT numbers or more on stdin, any two of which are further apart than FLOOR.
far() {
    python3 -c '
import sys
floor, count = int(sys.argv[1]), int(sys.argv[2])
found = sorted(int(line, 0) for line in sys.stdin)
print("# " + " ".join(map(str, found)))
sys.exit(len(found) < count or any(b - a <= floor for a, b in zip(found, found[1:])))' "$1" "$2" || fail "$3"
    ok "$3"
}

tcp='tcp.dstport == 3260 && tcp.flags.syn == 1'
far 65536 3 "initial sequence numbers are more than 2^16 apart" < <(field tcp.seq "$tcp" | sort -u)
far 1 3 "the ports of three connections do not follow each other" < <(field tcp.srcport "$tcp" | sort -u)
far 1 3 "identifications of DNS" < <(field dns.id 'dns.flags.response == 0' | sort -u)
far 1 3 "the ports of DNS" < <(field udp.srcport 'dns.flags.response == 0' | sort -u)
far 65536 3 "identifications of DHCP" < <(field dhcp.id 'dhcp.option.dhcp == 1' | sort -u)
field ip.id 'ip && (udp || tcp)' | sed -n '1,20p' >"$scratch/ids"
far 0 20 "no identification of IP comes twice among the first" <"$scratch/ids"
steps=$(python3 -c '
import sys
found = [int(line, 0) for line in sys.stdin]
print(sum(0 < b - a < 16 for a, b in zip(found, found[1:])))' <"$scratch/ids")
[ "$steps" -le 1 ] || fail "the identifications of IP count: $steps of 19"
ok "and they do not count"
says processor 'the processor \(RD(SEED|RAND)\)' "random numbers of the processor"
says firmware 'the firmware \(EFI_RNG\)' "random numbers of the firmware"
says neither 'the clock alone, which can be guessed' "without a source the console says so"
pass
