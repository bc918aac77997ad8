#!/bin/sh
# Runs on dracut's hook for the command line, before the scripts of other modules.

# The interface is lunboot's. Modules for the network, which others may have brought (clevis, nfs), act on the same
# words and would configure it a second time.
lunboot_stands_alone() {
    for hook in "$hookdir"/cmdline/*-parse-ip-opts.sh "$hookdir"/cmdline/*-parse-ibft.sh \
        "$hookdir"/cmdline/*-parse-ifname.sh "$hookdir"/cmdline/*-dhcp-root.sh "$hookdir"/cmdline/*-nm-config.sh \
        "$hookdir"/pre-udev/*-net-genrules.sh "$hookdir"/initqueue/settled/*-nm-run.sh; do
        [ ! -e "$hook" ] || rm -f "$hook"
    done
    for unit in systemd-network-generator.service systemd-networkd.socket systemd-networkd.service \
        nm-initrd.service; do
        [ ! -e "/usr/lib/systemd/system/$unit" ] || systemctl --quiet --runtime --now mask "$unit"
    done
}

# Where only the disk is named (netroot=iscsi:..., root=iscsi:..., root=dhcp) and not which file system of it is the
# root, lunboot-root makes the link /dev/root.
lunboot_finds_root() {
    case $root in
    '') case $(getarg netroot=) in iscsi* | dhcp | dhcp6) return 0 ;; *) return 1 ;; esac ;;
    iscsi | iscsi:* | dhcp | dhcp6) return 0 ;;
    *) return 1 ;;
    esac
}

if lunboot initramfs --is-asked; then
    lunboot_stands_alone
    if lunboot_finds_root; then
        # shellcheck disable=SC2034 # for dracut
        root=block:/dev/root rootok=1
    fi
fi
/sbin/initqueue --onetime --unique --name lunboot /sbin/lunboot-root
