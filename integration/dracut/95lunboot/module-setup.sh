#!/bin/bash
# What lunboot needs in an initramfs of dracut.

# Only where it is asked for (add_dracutmodules).
check() {
    require_binaries lunboot || return 1
    return 255
}

depends() {
    echo rootfs-block
}

installkernel() {
    # The cards' drivers, too: the disk is no device yet that they could be found by.
    hostonly='' instmods '=drivers/net' iscsi_tcp iscsi_ibft sd_mod crc32c
}

install() {
    inst_multiple lunboot blkid udevadm
    # It may have secrets, so the initramfs is for root alone (dracut makes it so).
    # shellcheck disable=SC2154 # of dracut
    [ ! -e "$dracutsysrootdir/etc/lunboot.conf" ] || inst_simple /etc/lunboot.conf
    # shellcheck disable=SC2154
    inst_hook cmdline 90 "$moddir/lunboot-cmdline.sh"
    inst_script "$moddir/lunboot-root.sh" /sbin/lunboot-root
}
