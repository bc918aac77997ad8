# Sourced by takeover-*.sh after lib.sh: a guest with Debian's kernel and lunboot in its initramfs boots
# from a target in the server's namespace, and the kernel takes the session over.
# shellcheck shell=bash disable=SC2154
. "$(dirname "${BASH_SOURCE[0]}")/kernel.sh"

guest_modules=(virtio_pci virtio_net iscsi_tcp sd_mod crc32c_generic)

# make_guest_net: the server at br0 (192.0.2.1/24, 2001:db8:77::1/64), the guest's card at tap0.
make_guest_net() {
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    need_lunboot
    need qemu-system-x86_64 busybox tgtd
    find_kernel
    make_namespace "$server_ns"
    in_server ip link add br0 type bridge
    in_server ip addr add "$server_ip/24" dev br0
    in_server ip -6 addr add 2001:db8:77::1/64 dev br0 nodad
    in_server ip tuntap add tap0 mode tap
    bridge_port tap0
    in_server ip link set br0 up
    server_interface=br0
}

# serve_bytes FILE: the disk at LUN 1 of $iqn is FILE; sets $rootpath.
serve_bytes() {
    start_tgt
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$1"
    rootpath="iscsi:$server_ip:::1:$iqn"
}

# serve_dhcp [LINES...]: an address, and the Root Path.
serve_dhcp() {
    {
        echo "port=0"
        echo "dhcp-range=192.0.2.100,192.0.2.200,1h"
        echo "dhcp-option=option:root-path,\"$rootpath\""
        [ $# = 0 ] || printf '%s\n' "$@"
    } | start_dnsmasq
}

# add_program NAME: one of this machine's programs for the guest, with the libraries it needs.
add_program() {
    local extra=$scratch/initramfs-extra path library
    path=$(command -v "$1") || skip "$1 is not installed"
    mkdir -p "$extra/bin"
    cp "$path" "$extra/bin/"
    ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$extra$(dirname "$library")"
        cp -Lu "$library" "$extra$library"
    done
}

# start_client [QEMU ARGUMENTS...] <<STEPS: the guest does them; see takeover/init for what it knows.
start_client() {
    local extra=$scratch/initramfs-extra
    mkdir -p "$extra/bin"
    cp "$lunboot" "$extra/bin/lunboot"
    cat >"$extra/steps"
    make_initramfs "$scratch/initramfs.gz" "$top/tests/vm/takeover/init" "${guest_modules[@]}"
    start_guest "$server_ns" "" -netdev tap,id=n0,ifname=tap0,script=no,downscript=no \
        -device virtio-net-pci,netdev=n0,romfile= "$@"
}

# finish_client [SECONDS]
finish_client() {
    wait_guest 'GUEST-DONE|GUEST-FAILED|Kernel panic' "${1:-180}"
    grep -q GUEST-DONE "$scratch/console.log" || fail "the guest failed" "$scratch/console.log"
}

# told PATTERN SENTENCE: the guest has said it.
told() {
    grep -qE -- "$1" <(tr -d '\r' <"$scratch/console.log") || fail "$2: no '$1'" "$scratch/console.log"
    ok "$2"
}

# count_logins, count_connections: in the capture; each login begins with a Login Request whose CSG is
# not full feature, and a connection has one login.
count_logins() {
    tshark -r "$scratch/capture.pcap" -Y 'iscsi.opcode == 0x03' -T fields -e tcp.stream 2>/dev/null |
        sort -u | wc -l
}

count_connections() {
    tshark -r "$scratch/capture.pcap" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 0' -T fields \
        -e tcp.stream 2>/dev/null | sort -u | wc -l
}

# start_lio: LIO in a guest of its own, 192.0.2.1, in the place of the server's namespace, with two disks and the
# targets of lio/init; $scratch/disk.img may be there already. The next guest is the client.
start_lio() {
    server_ip=192.0.2.2
    make_guest_net
    in_server ip tuntap add tap1 mode tap
    bridge_port tap1
    [ -e "$scratch/disk.img" ] || make_bytes "$scratch/disk.img" $((8 << 20))
    make_bytes "$scratch/scratch.img" $((8 << 20)) 9
    start_lio_guest tap1
    # The next guest is "qemu", with a console and an initramfs of its own.
    pids[lio]=${pids[qemu]}
    spawned+=(lio)
    unset "pids[qemu]"
    mv "$scratch/console.log" "$scratch/lio-console.log"
    rm -rf "$scratch/initramfs"
}
