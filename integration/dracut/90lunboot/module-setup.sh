#!/bin/bash
# What lunboot needs in an initramfs of dracut.
# shellcheck disable=SC2154 # the variables are dracut's

# Only where it is asked for (add_dracutmodules, in lunboot.conf). In that initramfs alone, dracut's iscsi module
# is left out: both act on the same words. Its number is above ours, so it has not been looked at yet.
check() {
    require_binaries lunboot || return 1
    if [[ " $dracutmodules $add_dracutmodules $force_add_dracutmodules " == *" lunboot "* ]]; then
        omit_dracutmodules+=" iscsi "
    fi
    return 255
}

depends() {
    echo rootfs-block
}

# The drivers of wired cards, as dracut's kernel-network-modules chooses them, all of them: the disk is no device
# yet that its card could be found by. Without those of switches (mlxsw, prestera), whose firmware is large.
installkernel() {
    local symbols='eth_type_trans|register_virtio_device|usbnet_open'
    local unwanted='/(wireless|wan|wwan|isdn|uwb|can|hamradio|ieee802154|net/ethernet|net/phy|net/team)/'
    hostonly='' dracut_instmods -o -P ".*$unwanted.*" -s "$symbols" '=drivers/net'
    hostonly='' dracut_instmods -o -P '.*/(mlxsw|prestera)/.*' '=drivers/net/ethernet'
    hostonly='' instmods '=drivers/net/phy' '=drivers/net/mdio' virtio_net xen-netfront af_packet \
        iscsi_tcp iscsi_ibft sd_mod crc32c
    # IPsec: ESP with AES-GCM, and what of it the processor has instructions for.
    hostonly='' instmods xfrm_user esp4 esp6 gcm ctr ghash_generic seqiv drbg sha512_generic \
        aesni_intel ghash_clmulni_intel aes_ce_blk ghash_ce
}

# carry FILE: one that says what is booted, and may have secrets, so the initramfs is for root alone (dracut makes it
# so). A file that others can change is not what an administrator said.
carry() {
    [ -e "$dracutsysrootdir$1" ] || return 0
    if [ -n "$(find -L "$dracutsysrootdir$1" \( ! -user 0 -o -perm /022 \))" ]; then
        dfatal "others can change $1: chown root and chmod 600 it"
        return 1
    fi
    inst_simple "$1"
    chmod 600 "$initdir$1"
}

install() {
    inst_multiple lunboot blkid udevadm
    carry /etc/lunboot.conf && carry /etc/iscsi/iscsi.initramfs && carry /etc/iscsi/initiatorname.iscsi || return 1
    # Before those of other modules, which it takes back where lunboot acts.
    inst_hook cmdline 01 "$moddir/lunboot-cmdline.sh"
    inst_script "$moddir/lunboot-root.sh" /sbin/lunboot-root
}
