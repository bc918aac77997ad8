#!/bin/bash
# A machine comes back: an assertion restarts it, under a loader and while the operating system takes over; a
# loader that returns ends the boot, as configured, and no other card boots the same disk again; a disk that a
# driver does not give back is no reason to go on with dangling pointers.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
map=${efi%.efi}.map
[ -e "$map" ] || skip "$map is not there"
failing=$(awk '$2 == "lb_assert_failed_at" { print $3 }' "$map")
failing=$((16#$failing - 16#140000000))
machine_is_off() { ! is_alive qemu; }
serve_meter <<<"say LOADER-OK"
offer_disk </dev/null

# loader_does <<EOF  what the loader on the disk does.
loader_does() {
    cat >"$scratch/meter.txt"
    MTOOLS_SKIP_CHECK=1 mcopy -o -i "$scratch/disk.img@@$esp_offset" "$scratch/meter.txt" ::/meter.txt
}

# restarts WHAT: QEMU ends instead (-no-reboot).
restarts() {
    wait_console 'the machine restarts in 5 s' 30
    wait_for 60 "a restart" machine_is_off
    ok "$1"
}

make_stick <<<"enable = yes"
loader_does <<<$'say LOADER-OK\nassert '"$failing"
boot_stick
wait_console 'METER LOADER-OK' 60
wait_console 'internal error at under the loader:1' 30 "an assertion under the loader is told"
restarts "and the machine restarts"

loader_does <<<$'say LOADER-OK\nos-assert '"$failing"
boot_stick
wait_console 'METER LOADER-OK' 60
wait_console 'internal error at while an operating system takes over:1' 30 \
    "an assertion while the operating system takes over is told"
restarts "and the machine restarts"

loader_does <<<$'say LOADER-OK\nhold\nreturn'
boot_stick
wait_console 'METER hold success' 60
wait_console 'the firmware does not give the disk back' 30 "a disk that a driver keeps is told"
restarts "and the machine restarts, instead of calling code that is gone"

loader_does <<<$'say LOADER-OK\npending 1048576 65536\nreturn'
make_stick <<<$'enable = yes\nat-end = restart'
boot_stick
wait_console 'loader-returned' 60
console_has 'METER pending ended: success' "an asynchronous read that is under way is told to the end"
loader_does <<<$'say LOADER-OK\nreturn'
restarts "at-end = restart: a loader that returns, and the machine restarts"

in_server ip addr flush dev tap0
in_server ip link add br0 type bridge
in_server ip tuntap add tap1 mode tap
for port in tap0 tap1; do
    in_server ip link set "$port" master br0
    in_server ip link set "$port" up
done
in_server ip addr add "$server_ip/24" dev br0
in_server ip link set br0 up
end dnsmasq
server_interface=br0
offer_disk </dev/null
make_stick <<<"enable = yes"
boot_stick -netdev tap,id=n1,ifname=tap1,script=no,downscript=no \
    -device virtio-net-pci,netdev=n1,romfile=,mac=52:54:00:12:34:57
wait_console 'loader-returned' 90 "two cards: a loader that returns is told"
wait_console 'Boot Manager|Standard PC|Shell>|BdsDxe: .*Shell' 60 "and the firmware has its turn"
[ "$(console | grep -c 'METER LOADER-OK')" = 1 ] || fail "the disk was booted again by the other card"
ok "the other card does not boot the same disk"
pass
