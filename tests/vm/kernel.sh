# Sourced after lib.sh by the tests that boot a guest: Debian's kernel, unpacked into a cache and never
# installed, and a small initramfs around it.
#
# Environment: LUNBOOT_VM_CACHE, the cache (default build/vm-cache).
# shellcheck shell=bash disable=SC2154

vm_cache=${LUNBOOT_VM_CACHE:-$top/build/vm-cache}

# find_kernel [FLAVOUR]: sets $kernel (the vmlinuz), $kernel_root and $kernel_version. FLAVOUR is
# cloud-amd64, which is small and knows virtio alone, or amd64.
find_kernel() {
    local flavour=${1:-cloud-amd64}
    kernel_root=$vm_cache/linux-$flavour
    mkdir -p "$vm_cache"
    exec 8>"$vm_cache/lock"
    flock 8 # several tests may want it at once
    [ -e "$kernel_root/complete" ] || unpack_kernel "linux-image-$flavour"
    flock -u 8
    kernel=$(echo "$kernel_root"/boot/vmlinuz-*)
    kernel_version=${kernel##*/vmlinuz-}
}

unpack_kernel() {
    local package
    need apt-get apt-cache dpkg depmod
    package=$(apt-cache depends "$1" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
    [ -n "$package" ] || skip "apt knows no $1 (no Debian, or no package lists)"
    rm -rf "$kernel_root"
    mkdir -p "$kernel_root"
    (cd "$vm_cache" && apt-get -q download "$package") >"$scratch/apt.log" 2>&1 ||
        skip "the kernel package $package could not be downloaded: $(tail -n 1 "$scratch/apt.log")"
    dpkg -x "$vm_cache/$package"_*.deb "$kernel_root"
    rm -f "$vm_cache/$package"_*.deb
    depmod -b "$kernel_root" "$(ls "$kernel_root/lib/modules")"
    touch "$kernel_root/complete"
}

# make_initramfs FILE INIT MODULE...: busybox, the modules with all they need, in loading order in
# /modules, and INIT as /init. A file tree at $scratch/initramfs-extra goes in as well.
make_initramfs() {
    local file=$1 init=$2 tree=$scratch/initramfs number=0 module path
    shift 2
    need busybox cpio gzip modprobe
    mkdir -p "$tree"/{bin,dev,proc,sys,modules,tmp}
    cp "$(command -v busybox)" "$tree/bin/busybox"
    ln -sf busybox "$tree/bin/sh"
    cp "$init" "$tree/init"
    chmod +x "$tree/init"
    [ ! -d "$scratch/initramfs-extra" ] || cp -a "$scratch/initramfs-extra/." "$tree/"
    for module in "$@"; do
        modprobe -d "$kernel_root" -S "$kernel_version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$scratch/modules"
    while read -r path; do
        number=$((number + 1))
        cp "$path" "$tree/modules/$(printf %03d $number)-$(basename "$path")"
    done <"$scratch/modules"
    (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$file"
}

# The guest that the next calls are about: its console is $scratch/console.log. A test with several of them gives
# each a name, and has their consoles in $scratch/NAME-console.log.
guest=qemu

guest_console() {
    [ "$guest" = qemu ] || printf '%s-' "$guest"
    echo console.log
}

# start_guest NAMESPACE COMMAND_LINE [QEMU ARGUMENTS...]: boots $kernel with $scratch/initramfs.gz; the
# serial console goes to a file. The kernel is to trust its timer: on a busy computer the emulated one is late.
start_guest() {
    local ns=$1 command_line=$2 console
    shift 2
    need qemu-system-x86_64
    console=$scratch/$(guest_console)
    : >"$console"
    spawn "$guest" ip netns exec "$ns" qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 256 -display none \
        -no-reboot -nodefaults -serial "file:$console" -kernel "$kernel" \
        -initrd "$scratch/initramfs.gz" -append "console=ttyS0 panic=-1 quiet no_timer_check $command_line" "$@"
}

# wait_guest PATTERN SECONDS: until the guest has said it on its console.
wait_guest() {
    local deadline=$((SECONDS + $2)) console
    console=$scratch/$(guest_console)
    until grep -qE -- "$1" "$console"; do
        is_alive "$guest" || grep -qE -- "$1" "$console" || fail "the guest ended before it said '$1'"
        [ "$SECONDS" -lt "$deadline" ] || fail "the guest never said '$1'"
        sleep 0.2
    done
}

# start_lio_guest TAP: LIO, the kernel's own target, in a guest behind TAP, with $scratch/disk.img and
# $scratch/scratch.img and the targets of lio/init; its address is 192.0.2.1. Modules in lio_modules are loaded, too.
lio_modules=()
start_lio_guest() {
    make_initramfs "$scratch/initramfs.gz" "$top/tests/vm/lio/init" virtio_pci virtio_net virtio_blk configfs \
        target_core_mod target_core_file iscsi_target_mod crc32c_generic md5 sha1_generic sha256_generic \
        sha3_generic "${lio_modules[@]}"
    start_guest "$server_ns" "" -netdev "tap,id=n0,ifname=$1,script=no,downscript=no" \
        -device virtio-net-pci,netdev=n0,romfile=,mac=52:54:00:12:34:57 \
        -drive "file=$scratch/disk.img,if=virtio,format=raw,file.locking=off" \
        -drive "file=$scratch/scratch.img,if=virtio,format=raw,file.locking=off"
    wait_guest 'LIO-READY|LIO-FAILED|Kernel panic' 120
    grep -q LIO-READY "$scratch/console.log" || fail "the guest did not set its targets up"
}
