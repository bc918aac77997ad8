# Sourced after lib.sh by the tests that boot a whole Debian from the network disk.
#
# The images are made by tools/make-debian-disk, once, and kept in the cache (LUNBOOT_VM_CACHE, default
# build/vm-cache); each test has a copy.
# shellcheck shell=bash disable=SC2154,SC2034

vm_cache=${LUNBOOT_VM_CACHE:-$top/build/vm-cache}

debian_kinds=lunboot,dracut
debian_include=open-iscsi # further packages; an image that has others has a $debian_name of its own
debian_name=debian
debian_progress= # a file descriptor that is told how far the image is

# What emulation is told with each kernel command line: QEMU keeps what it made of a page of code for every address
# that it was run at, and goes through all of it for each byte that is written to the page later. After the thousand
# processes of a shell's initramfs, each at addresses of its own, the machine stands still for up to half a minute
# when their memory is used again, and the target thinks that it is gone. And the kernel is to trust its timer, which
# comes late on a busy computer: else it panics ("IO-APIC + timer doesn't work").
emulated='norandmaps no_timer_check'

# find_debian_disk: sets $debian_image, an image with every initramfs of $debian_kinds. It is made anew when
# what goes into it has changed.
find_debian_disk() {
    local progress=${debian_progress:-2} key inputs=("$top/tools/make-debian-disk")
    [[ ! ,$debian_kinds, =~ ,(lunboot|dracut), ]] || inputs+=("$lunboot" "$top/integration")
    need mmdebstrap mke2fs sgdisk mformat mcopy sha256sum
    key=$({
        echo "$debian_kinds $debian_include $emulated"
        find "${inputs[@]}" -type f -exec sha256sum {} + | cut -c1-64
    } | sha256sum | cut -c1-12)
    debian_image=$vm_cache/$debian_name-$key.img
    mkdir -p "$vm_cache"
    exec 7>"$vm_cache/$debian_name.lock"
    flock 7
    if [ ! -e "$debian_image" ]; then
        find "$vm_cache" -regex ".*/$debian_name-[0-9a-f]+\.img" -delete
        "$top/tools/make-debian-disk" --for-tests --kernel=linux-image-cloud-amd64 --size=1792 --esp-size=256 \
            --initramfs="$debian_kinds" --include="$debian_include" --append="$emulated" --lunboot="$lunboot" \
            "$debian_image.new" 2>"$scratch/make-debian-disk.log" 1>&"$progress" ||
            skip "no Debian image: $(tail -n 1 "$scratch/make-debian-disk.log")"
        mv "$debian_image.new" "$debian_image"
    fi
    flock -u 7
}

# serve_debian_disk KIND: which boots with that kind of initramfs: a copy of $debian_image at LUN 1 of $iqn;
# sets $rootpath and $disk_file.
serve_debian_disk() {
    disk_file=$scratch/debian.img
    cp --sparse=always --reflink=auto "$debian_image" "$disk_file"
    printf 'timeout 0\ndefault %s.conf\n' "$1" >"$scratch/loader.conf"
    MTOOLS_SKIP_CHECK=1 mcopy -o -i "$disk_file@@1M" "$scratch/loader.conf" ::/loader/loader.conf
    start_debian_target
}

start_debian_target() {
    local server=$server_ip
    [[ $server != *:* ]] || server=[$server]
    start_tgt "$server"
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$disk_file"
    rootpath="iscsi:$server:::1:$iqn"
}

# after_boot <<SCRIPT: what the system runs when it is up; each line it prints is on the console.
after_boot() {
    cat >"$scratch/after-boot.sh"
    MTOOLS_SKIP_CHECK=1 mcopy -o -i "$disk_file@@1M" "$scratch/after-boot.sh" ::/after-boot.sh
}

# What after_boot runs to write 200 MB and to read them back, from the disk: WRITING, DATA-OK, ERRORS=0.
write_and_read='
echo WRITING
dd if=/dev/urandom of=/root/data bs=1M count=200 conv=fsync status=none && sha256sum /root/data >/root/sum
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /root/sum && echo DATA-OK
dmesg | grep -cE "I/O error|EXT4-fs error" | sed "s/^/ERRORS=/"'

# target_away START...: the target is killed while that is under way, and 15 s later START has it again; nothing is
# lost.
target_away() {
    wait_console 'WRITING' 30
    sleep 3
    end tgtd KILL
    sleep 15
    "$@"
    wait_console 'DATA-OK' 240 "200 MB written and read back are right, though the target was away for 15 s"
    console_has 'ERRORS=0' "and nothing had an I/O error"
}

# is_clean: the root file system, once the machine is off.
is_clean() {
    dd if="$disk_file" of="$scratch/root.img" bs=1M skip=257 status=none
    e2fsck -fn "$scratch/root.img" >"$scratch/e2fsck.log" 2>&1 ||
        fail "the file system is not clean" "$scratch/e2fsck.log"
    ok "the file system is clean"
}

# boot_debian_once COMMAND-LINE SENTENCE: to BOOT-OK, with one login in all, and off again.
boot_debian_once() {
    start_capture "$server_ns" tap0 'tcp port 3260'
    start_debian "$1"
    wait_console 'BOOT-OK root=/dev/sda2 sessions=1' 300 "$2"
    stop_capture
    [ "$(logins)" = 1 ] || fail "the target saw $(logins) logins"
    ok "the target saw one login"
    wait_for 90 "the machine's end" has_ended qemu
    ok "poweroff does not hang"
}

has_ended() { ! is_alive "$1"; }

# boot_stock_debian KIND WHOSE: UEFI firmware, lunboot.efi from a stick, and then a disk with nothing of ours on
# it, whose initramfs (that KIND, of the distribution's own) finds it in the firmware's table (iBFT).
boot_stock_debian() {
    need_uefi
    debian_kinds=$1 debian_name=debian-stock-$1
    find_debian_disk
    make_vm_net
    serve_debian_disk "$1"
    after_boot <<'SCRIPT'
echo "IBFT $(cat /sys/firmware/ibft/target0/target-name)"
echo "OURS=$(find / -xdev -iname '*lunboot*' -not -path '/proc/*' | wc -l)"
echo LOOKED
SCRIPT
    offer_disk </dev/null
    make_stick <<<'enable = yes'
    start_vm -m 768 "${stick[@]}" "${card[@]}"
    wait_console 'lunboot.*\\EFI\\BOOT\\BOOTX64.EFI|loader' 120 "lunboot.efi hands over to the disk's loader"
    wait_console 'BOOT-OK root=/dev/sda' 300 "Debian is up, its root on the network disk, with $2"
    console_has 'BOOT-OK .*sessions=1' "the kernel has one session"
    wait_console 'LOOKED' 120
    console_has "IBFT $iqn" "that is the disk of the firmware's table"
    console_has 'OURS=0' "no file of ours is on it"
}

# take_kernel KIND: the kernel and the initramfs out of $disk_file, for a machine that is given them
# directly; sets $kernel and $initrd.
take_kernel() {
    kernel=$scratch/vmlinuz
    initrd=$scratch/initrd.img
    MTOOLS_SKIP_CHECK=1 mcopy -i "$disk_file@@1M" ::/vmlinuz "$kernel"
    MTOOLS_SKIP_CHECK=1 mcopy -i "$disk_file@@1M" "::/initrd-$1.img" "$initrd"
}

# start_debian COMMAND-LINE [QEMU ARGUMENTS...]: that kernel in a machine with one card at tap0.
start_debian() {
    local cmdline=$1
    shift
    : >"$scratch/console.log"
    spawn qemu ip netns exec "$server_ns" qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 768 \
        -display none -no-reboot -nodefaults -uuid 564d4173-0000-4173-8000-525400123456 \
        -kernel "$kernel" -initrd "$initrd" \
        -append "root=LABEL=lunboot-root ro console=ttyS0 net.ifnames=0 panic=30 $emulated $cmdline" \
        -serial "file:$scratch/console.log" -monitor "unix:$scratch/monitor,server,nowait" \
        "${card[@]}" "$@"
}

# logins: how many sessions were begun in the capture (Login requests of a new session: TSIH 0, first of
# their connection).
logins() {
    tshark -r "$scratch/capture.pcap" -d tcp.port==3260,iscsi \
        -Y 'iscsi.opcode == 0x03 && iscsi.tsih == 0 && iscsi.keyvalue contains "InitiatorName"' \
        2>/dev/null | wc -l
}
