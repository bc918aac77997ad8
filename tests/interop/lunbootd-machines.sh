#!/bin/bash
# lunbootd.conf: machines by their cards and their UUIDs, each with its own disk and address; unknown machines get an
# address and no disk.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need gzip
make_net
make_gpt_disk "$scratch/disk.img"
make_bytes "$scratch/other.img" 4194304 7
cat >"$scratch/lunbootd.conf" <<CONF
# for this test
interface = vs0
disk = $scratch/disk.img
unknown = ignore
writes = keep
overlays = $scratch/overlays
dhcp-range = 192.0.2.100-192.0.2.120

[machine anna]
mac = 02:00:00:00:00:0a
address = 192.0.2.77

[machine bert]
uuid = 564d4173-0000-4173-8000-525400123456
disk = $scratch/other.img
writes = direct
CONF
start_lunbootd --config="$scratch/lunbootd.conf"

# boots_as MAC [KEYS...]: what it gets; its target is in $target, its address in $address.
boots_as() {
    ip -n "$client_ns" addr flush dev vc0
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1 "${@:2}"
    target=$(sed -n 's/^LUNBOOT_TARGET=//p' "$scratch/out.log")
    address=$(sed -n 's/^LUNBOOT_ADDRESS=//p' "$scratch/out.log")
    blocks=$(sed -n 's/^LUNBOOT_BLOCKS=//p' "$scratch/out.log")
}

boots_as 02:00:00:00:00:0a
succeeds "a machine is known by its card"
[ "$target" = iqn.2026-11.org.lunboot:disk:anna ] || fail "its target is $target"
[ "$address" = 192.0.2.77/24 ] || fail "its address is $address"
ok "it has its name in the target's, and its address"
boots_as 02:00:00:00:00:0b
fails_with discovery-empty "an unknown machine with unknown = ignore"
lunbootd_says '02:00:00:00:00:0b  is given 192\.0\.2\.1[0-9][0-9] by DHCP, no disk' "that it gets no disk is told"

# By its UUID: option 97 comes with the architecture; the machine's own is used, so the file has it.
uuid=
[ ! -r /sys/class/dmi/id/product_uuid ] || uuid=$(tr '[:upper:]' '[:lower:]' </sys/class/dmi/id/product_uuid)
if [ -n "$uuid" ]; then
    sed -i "s/^uuid = .*/uuid = $uuid/" "$scratch/lunbootd.conf"
    end lunbootd
    start_lunbootd --config="$scratch/lunbootd.conf"
    boots_as 02:00:00:00:00:0c --client-arch=7
    succeeds "a machine is known by its UUID"
    [ "$target" = iqn.2026-11.org.lunboot:other:bert ] || fail "its target is $target"
    [ "$blocks" = 8192 ] || fail "its disk has $blocks blocks"
    ok "it has a disk of its own"
else
    ok "a machine is known by its UUID # SKIP this machine has none"
fi

# Errors name the file and the line.
# conf_refuses LINE WHAT PATTERN REMEDY <<EOF
conf_refuses() {
    cat >"$scratch/wrong.conf"
    lunbootd_refuses "$2" "wrong\.conf:$1: $3" "$4" --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
}
conf_refuses 2 "a value" 'port cannot be "many"' 'a number from 1 to 65535' <<<$'# x\nport = many'
conf_refuses 1 "a key" 'there is no key "colour"' 'help' <<<'colour = red'
conf_refuses 1 "a line" 'a line that is not understood' 'key = value' <<<'port'
conf_refuses 1 "a section" 'a section that is not understood' '\[machine NAME\]' <<<'[group x]'
conf_refuses 2 "a key of a section" 'there is no key "port" in this section' 'above the first section' \
    <<<$'[machine x]\nport = 1'
conf_refuses 3 "a key with two values" 'writes has another value in line 1' 'remove the other' \
    <<<$'writes = drop\n\nwrites = keep'
conf_refuses 3 "a name twice" 'there are two machines x' 'another name' \
    <<<$'[machine x]\nmac = 02:00:00:00:00:01\n[machine x]'
conf_refuses 2 "a card" 'mac cannot be "01:00:00:00:00:01"' '52:54:00' <<<$'[machine x]\nmac = 01:00:00:00:00:01'
echo '[machine x]' >"$scratch/wrong.conf"
lunbootd_refuses "a machine that nothing identifies" 'nothing says which machine x is' 'mac = or uuid =' \
    --config="$scratch/wrong.conf" --interface=vs0 "$scratch/disk.img"
lunbootd_refuses "a file that is not there" 'none.conf cannot be read: No such file' 'path' \
    --config="$scratch/none.conf"
end lunbootd

# What is refused before the first machine comes, and what is told at once.
printf '[machine x]\nmac = 02:00:00:00:00:0a\naddress = 198.51.100.9\n' >"$scratch/wrong.conf"
lunbootd_refuses "an address that no network has" 'address of machine x, 198\.51\.100\.9, is in no network' \
    'subnet NAME' --config="$scratch/wrong.conf" --interface=vs0 --dhcp=server "$scratch/disk.img"
lunbootd_refuses "a file in the place of the overlays' folder" 'cannot be kept in .*other\.img: Not a directory' \
    'overlays=FOLDER' --interface=vs0 --writes=keep --overlays="$scratch/other.img" "$scratch/disk.img"
printf 'QFI\xfb\0\0\0\3' >"$scratch/debian.qcow2"
truncate -s 1000 "$scratch/debian.qcow2"
start_lunbootd --dhcp=server "$scratch/debian.qcow2"
lunbootd_says 'is no raw disk: it is a qcow2.*qemu-img convert' "a disk that is not raw is told"
lunbootd_says 'leaves out the last 488 bytes of .*: a block has 512' "bytes behind the last block are told"
end lunbootd
gzip -c "$scratch/disk.img" >"$scratch/packed.gz"
start_lunbootd --dhcp=server "$scratch/packed.gz"
lunbootd_says 'gzip has compressed it.*try: gzip -dc <.*/packed\.gz >DISK\.img' "so is one that is compressed"
end lunbootd
truncate -s 1050003 "$scratch/odd.img"
start_lunbootd --dhcp=server --block-size=4096 "$scratch/odd.img"
lunbootd_says 'leaves out the last 1427 bytes of .*: a block has 4096' "so are they of blocks of 4,096 bytes"
end lunbootd
pass
