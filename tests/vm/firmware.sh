# Sourced after lib.sh by the tests that switch on a machine with UEFI firmware (OVMF under QEMU, TCG):
# what the network disk holds, what the machine boots from first, and what its serial console says.
# shellcheck shell=bash disable=SC2154,SC2034

efi=${LUNBOOT_EFI:-$top/build/lunbootx64.efi}
meter=${LUNBOOT_METER:-$top/build/meterx64.efi}
ovmf_code=/usr/share/OVMF/OVMF_CODE_4M.fd
ovmf_vars=/usr/share/OVMF/OVMF_VARS_4M.fd
card_mac=52:54:00:12:34:56

need_uefi() {
    need qemu-system-x86_64 mcopy mformat sgdisk
    [ -e "$efi" ] || skip "$efi has not been built (clang, lld, make, gnu-efi)"
    [ -e "$meter" ] || skip "$meter has not been built"
    [ -e "$ovmf_code" ] || skip "OVMF is not installed"
}

# make_vm_net: the server's namespace with a tap for the machine, tap0 (192.0.2.1/24); with "second",
# tap1 as well, bridged to nothing.
make_vm_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    make_namespace "$server_ns"
    make_namespace "$client_ns"
    server_interface=tap0
    in_server ip tuntap add tap0 mode tap
    in_server ip addr add "$server_ip/24" dev tap0
    in_server ip link set tap0 up
}

# begin [PROGRAM...]: what a test of a machine begins with; it needs these programs as well.
begin() {
    need_uefi
    [ $# = 0 ] || need "$@"
    make_vm_net
}

# make_bridge6: IPv6 takes IPv4's place: br0 (2001:db8:77::1/64), with the machine's tap0 in it. The link is up
# before the machine is, so that servers find their addresses; there is room for more ports (bridge_port).
make_bridge6() {
    server_ip=2001:db8:77::1
    server_interface=br0
    in_server ip addr flush dev tap0
    in_server ip link add br0 type bridge mcast_snooping 0
    in_server ip link add up0 type veth peer name up1
    in_server ip link set up1 up
    bridge_port up0
    bridge_port tap0
    in_server ip addr add "$server_ip/64" dev br0 nodad
    in_server ip link set br0 up
    wait_for 10 "the bridge's link-local address" has_link_local
}

has_link_local() {
    grep -q 'inet6 fe80' <(in_server ip -6 addr show dev br0 scope link)
}

# begin6 [PROGRAM...]: the same as begin, for IPv6 alone.
begin6() {
    begin "$@"
    make_bridge6
}

# meter_disk FILE [BLOCK_BYTES] <<EOF  a disk whose boot loader is meter.efi, with its script.
meter_disk() {
    cp "${loader:-$meter}" "$scratch/loader.efi"
    make_gpt_disk "$1" "${2:-512}"
    cat >"$scratch/meter.txt"
    MTOOLS_SKIP_CHECK=1 mcopy -i "$1@@$esp_offset" "$scratch/meter.txt" ::/meter.txt
}

# serve_meter [LUN_ARGUMENTS...] <<EOF  that disk at LUN 1 of $iqn, and dnsmasq that offers it.
serve_meter() {
    meter_disk "$scratch/disk.img"
    serve_image
}

# serve_image: $scratch/disk.img at LUN 1 of $iqn; sets $rootpath.
serve_image() {
    local server=$server_ip
    [[ $server != *:* ]] || server=[$server]
    start_tgt "$server"
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$scratch/disk.img"
    rootpath="iscsi:$server:::1:$iqn"
}

# serve_loader_ok: the same, and all it says is that it runs.
serve_loader_ok() {
    serve_meter <<<$'say LOADER-OK\noff'
}

# offer_disk <<EOF  dnsmasq with the Root Path, and what else is given; dns_port=53 before it: and names.
offer_disk() {
    {
        echo "port=${dns_port:-0}"
        echo "dhcp-range=192.0.2.100,192.0.2.200,1h"
        echo "dhcp-option=option:root-path,\"$rootpath\""
        cat
    } | start_dnsmasq
}

# offer_disk6 <<EOF  the same over IPv6: addresses by DHCPv6, and routers' advertisements.
offer_disk6() {
    {
        echo "port=${dns_port:-0}"
        echo "enable-ra"
        echo "dhcp-range=2001:db8:77::100,2001:db8:77::200,64,1h"
        echo "dhcp-option=option6:59,\"$rootpath\""
        cat
    } | start_dnsmasq
}

# make_stick [NAME] <<EOF  a FAT disk with lunboot.efi as its boot loader and the text as lunboot.conf;
# sets $stick, QEMU's arguments for it.
make_stick() {
    local file=$scratch/stick.img
    rm -f "$file"
    truncate -s 40M "$file"
    sgdisk -n 1:1M:0 -t 1:ef00 "$file" >"$scratch/sgdisk.log"
    MTOOLS_SKIP_CHECK=1 mformat -i "$file@@1M" -F -v STICK ::
    MTOOLS_SKIP_CHECK=1 mmd -i "$file@@1M" ::/EFI ::/EFI/BOOT
    MTOOLS_SKIP_CHECK=1 mcopy -i "$file@@1M" "$efi" "::/EFI/BOOT/${stick_name:-BOOTX64.EFI}"
    cat >"$scratch/lunboot.conf"
    MTOOLS_SKIP_CHECK=1 mcopy -i "$file@@1M" "$scratch/lunboot.conf" ::/lunboot.conf
    stick=(-drive "file=$file,format=raw,if=none,id=stick" -device "virtio-blk-pci,drive=stick,bootindex=0")
}

# make_ipsec_stick [ID [PSK [LINE]...]]: one that requires IPsec with server.example; the client is client.example, its
# key $psk, where no other is given.
make_ipsec_stick() {
    local id=${1:-client.example} secret=${2:-${psk-}}
    make_stick < <(printf '%s\n' 'enable = yes' 'require = ipsec' "ipsec-psk = $secret" "ipsec-id = $id" \
        'ipsec-peer-id = server.example' "${@:3}") # no pipe: it sets $stick
}

# ibft_init FILE: an init that says on the console what the kernel has of the iBFT, then KERNEL-OK.
ibft_init() {
    cat >"$1" <<'INIT'
#!/bin/sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
for module in /modules/*; do /bin/busybox insmod "$module"; done
exec >/dev/ttyS0 2>&1
for part in initiator ethernet0 target0; do
    for file in /sys/firmware/ibft/$part/*; do
        [ -f "$file" ] && echo "IBFT $part/${file##*/} $(/bin/busybox cat "$file")"
    done
done
echo "This is $(/bin/busybox uname -sr), from its initramfs on the network disk."
echo KERNEL-OK
/bin/busybox sleep 1 # until the serial line has sent it
/bin/busybox poweroff -f
INIT
}

# make_debian_disk FILE INIT [MODULE...]: a disk with systemd-boot, Debian's kernel and an initramfs around
# INIT. Needs kernel.sh, which says why the timer is not checked.
make_debian_disk() {
    local file=$1 init=$2 esp=$1@@$esp_offset
    local systemd_boot=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
    shift 2
    need busybox
    [ -e "$systemd_boot" ] || skip "systemd-boot-efi is not installed"
    find_kernel
    make_initramfs "$scratch/initrd.img" "$init" "$@"
    cp "$systemd_boot" "$scratch/loader.efi"
    make_gpt_disk "$file"
    printf 'timeout 0\ndefault debian.conf\n' >"$scratch/loader.conf"
    printf '%s\n' 'title Debian' 'linux /vmlinuz' 'initrd /initrd.img' \
        'options console=ttyS0 panic=-1 quiet no_timer_check' >"$scratch/debian.conf"
    MTOOLS_SKIP_CHECK=1 mmd -i "$esp" ::/loader ::/loader/entries
    MTOOLS_SKIP_CHECK=1 mcopy -i "$esp" "$scratch/loader.conf" ::/loader/loader.conf
    MTOOLS_SKIP_CHECK=1 mcopy -i "$esp" "$scratch/debian.conf" ::/loader/entries/debian.conf
    MTOOLS_SKIP_CHECK=1 mcopy -i "$esp" "$kernel" ::/vmlinuz
    MTOOLS_SKIP_CHECK=1 mcopy -i "$esp" "$scratch/initrd.img" ::/initrd.img
}

# The machine's one network card, behind tap0. Without firmware of its own: romfile is empty.
card=(-netdev "tap,id=n0,ifname=tap0,script=no,downscript=no"
    -device "virtio-net-pci,netdev=n0,romfile=,mac=$card_mac")

# The same, and the firmware boots from it first.
first_card=("${card[@]:0:3}" "${card[3]},bootindex=0")

# Machines from here on have Secure Boot, with OVMF's test keys: $keys.pem is in the db, and its key, $keys.key, in
# $scratch/db.key. start_vm needs "${secure[@]}".
use_secure_boot() {
    local file
    keys=/usr/share/ovmf/PkKek-1-snakeoil
    ovmf_code=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
    ovmf_vars=/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd
    for file in "$keys.key" "$keys.pem" "$ovmf_code" "$ovmf_vars"; do
        [ -e "$file" ] || skip "$file is not installed"
    done
    machine=q35,smm=on
    secure=(-global "driver=cfi.pflash01,property=secure,value=on" -global ICH9-LPC.disable_s3=1)
    openssl pkey -in "$keys.key" -passin pass:snakeoil -out "$scratch/db.key" 2>"$scratch/openssl.log"
}

# sign PROGRAM OUT: with the key of the db.
sign() {
    sbsign --key "$scratch/db.key" --cert "$keys.pem" --output "$2" "$1" >"$scratch/sbsign.log" 2>&1
}

# start_vm ARGUMENTS...: power on. The serial console goes to $scratch/console.log, and with typing=yes bytes come
# from there, too (serial_says). The firmware's variables are new, or with keep_vars=yes those of the time before.
start_vm() {
    [ "${keep_vars:-no}" = yes ] || cp "$ovmf_vars" "$scratch/vars.fd"
    : >"$scratch/console.log"
    local serial=(-serial "file:$scratch/console.log")
    [ "${typing:-no}" = no ] || serial=(-serial chardev:line
        -chardev "socket,id=line,path=$scratch/serial,server=on,wait=off,logfile=$scratch/console.log")
    spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M "${machine:-q35}" \
        -m 512 -display none -no-reboot -nodefaults -uuid 564d4173-0000-4173-8000-525400123456 \
        -drive "if=pflash,format=raw,readonly=on,file=$ovmf_code" \
        -drive "if=pflash,format=raw,file=$scratch/vars.fd" \
        "${serial[@]}" -monitor "unix:$scratch/monitor,server,nowait" "$@"
}

# boot_stick ARGUMENTS...: power on, with the card and the stick.
boot_stick() {
    start_vm "${card[@]}" "${stick[@]}" "$@"
}

# monitor COMMAND...: to QEMU's monitor.
monitor() {
    python3 - "$scratch/monitor" "$*" <<'PYTHON'
import socket, sys, time
monitor = socket.socket(socket.AF_UNIX)
monitor.connect(sys.argv[1])
time.sleep(0.2)
monitor.sendall(sys.argv[2].encode() + b"\n")
time.sleep(0.2)
PYTHON
}

# serial_says BYTES [PAUSE_MS [TIMES]]: bytes on the serial line, in Python's notation, and the pause after each;
# as long as the machine is on.
serial_says() {
    python3 - "$scratch/serial" "$@" <<'PYTHON'
import ast, socket, sys, threading, time
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
def drain():
    try:
        while line.recv(4096):
            pass
    except OSError:
        pass
threading.Thread(target=drain, daemon=True).start() # else the machine waits for us
data = ast.literal_eval("b'%s'" % sys.argv[2]) * int((sys.argv[4:] or ["1"])[0])
try:
    for byte in data:
        line.sendall(bytes([byte]))
        time.sleep(float((sys.argv[3:] or ["1"])[0]) / 1000)
    time.sleep(0.2)
except (BrokenPipeError, ConnectionResetError):
    pass
PYTHON
}

# person_types [LETTER KEY VALUE]...: somebody opens the page, types these values and boots; see person.py.
person_types() {
    wait_for 10 "the monitor" test -S "$scratch/monitor"
    spawn person python3 "$top/tests/vm/person.py" "$scratch/monitor" "$scratch/console.log" "$@"
}

# Without the terminal's control sequences.
console() { sed 's/\x1b\[[0-9;=?]*[a-zA-Z]//g; s/\r//g' "$scratch/console.log"; }

# console_shows PATTERN: so far.
console_shows() { grep -qE -- "$1" <(console); }

# wait_console PATTERN SECONDS [WHAT]: until the console has it; WHAT makes it a point.
wait_console() {
    local deadline=$((SECONDS + $2))
    until console_shows "$1"; do
        is_alive qemu || console_shows "$1" || fail "the machine ended before it said '$1'"
        [ "$SECONDS" -lt "$deadline" ] || fail "the machine never said '$1'"
        sleep 0.2
    done
    [ $# -lt 3 ] || ok "$3"
}

# console_has PATTERN WHAT: what is said within moments of what was waited for.
console_has() {
    local deadline=$((SECONDS + 10))
    until console_shows "$1"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$2: the console has no '$1'"
        sleep 0.2
    done
    ok "$2"
}

# crc_of FILE OFFSET LENGTH: CRC32C as meter.efi prints it.
crc_of() {
    python3 - "$@" <<'PYTHON'
import sys
table = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ (0x82f63b78 if n & 1 else 0)
    table.append(n)
crc = 0xffffffff
with open(sys.argv[1], "rb") as file:
    file.seek(int(sys.argv[2]))
    for byte in file.read(int(sys.argv[3])):
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
print("%08x" % (crc ^ 0xffffffff))
PYTHON
}
