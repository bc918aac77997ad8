# Sourced after lib.sh by the tests that boot a whole Debian from the network disk.
#
# The images are made by tools/make-debian-disk, once, and kept in the cache (LUNBOOT_VM_CACHE, default
# build/vm-cache); each test has a copy.
# shellcheck shell=bash disable=SC2154,SC2034

vm_cache=${LUNBOOT_VM_CACHE:-$top/build/vm-cache}

# find_debian_disk KIND: sets $debian_image, the image with this kind of initramfs. It is made anew when
# what goes into it has changed.
find_debian_disk() {
    local kind=$1 key
    need mmdebstrap mke2fs sgdisk mformat mcopy sha256sum
    key=$(debian_disk_key "$kind")
    debian_image=$vm_cache/debian-$kind-$key.img
    mkdir -p "$vm_cache"
    exec 7>"$vm_cache/debian-$kind.lock"
    flock 7
    if [ ! -e "$debian_image" ]; then
        rm -f "$vm_cache/debian-$kind"-*.img
        "$top/tools/make-debian-disk" --initramfs="$kind" --lunboot="$lunboot" "$debian_image.new" \
            >"$scratch/make-debian-disk.log" 2>&1 ||
            skip "no Debian image: $(tail -n 1 "$scratch/make-debian-disk.log")"
        mv "$debian_image.new" "$debian_image"
    fi
    flock -u 7
}

# What an image is made of, in one word.
debian_disk_key() {
    {
        cat "$top/tools/make-debian-disk"
        case $1 in
        lunboot) cat "$lunboot" && find "$top/integration/initramfs-tools" -type f -exec cat {} + ;;
        dracut) cat "$lunboot" && find "$top/integration/dracut" -type f -exec cat {} + ;;
        esac
    } | sha256sum | cut -c1-12
}

# serve_debian_disk: a copy of $debian_image at LUN 1 of $iqn; sets $rootpath and $disk_file.
serve_debian_disk() {
    disk_file=$scratch/debian.img
    cp --sparse=always --reflink=auto "$debian_image" "$disk_file"
    start_tgt
    tgt_target 1 "$iqn"
    tgt_lun 1 1 "$disk_file"
    rootpath="iscsi:$server_ip:::1:$iqn"
}

# after_boot <<SCRIPT: what the system runs when it is up; each line it prints is on the console.
after_boot() {
    cat >"$scratch/after-boot.sh"
    MTOOLS_SKIP_CHECK=1 mcopy -o -i "$disk_file@@1M" "$scratch/after-boot.sh" ::/after-boot.sh
}

has_ended() { ! is_alive "$1"; }
