#!/bin/sh
# Attaches the network disk, if the kernel command line or the firmware's table says so. lunboot waits
# for the kernel's events; nothing here sleeps.
type info >/dev/null 2>&1 || . /lib/dracut-lib.sh

# The first partition with a file system for a root, or the whole disk.
link_root() {
    for part in "$1"?* "$1"; do
        case $(blkid -o value -s TYPE "$part" 2>/dev/null) in
        ext[234] | xfs | btrfs | f2fs | erofs | squashfs)
            ln -sf "$part" /dev/root
            return
            ;;
        esac
    done
    warn "lunboot: no root file system on $1: name one with root="
}

if device=$(lunboot initramfs) && [ -n "$device" ]; then
    info "lunboot: network disk $device"
    udevadm settle --timeout=10 # for the names of its partitions
    case $(getarg root=) in
    '' | iscsi | iscsi:* | dhcp | dhcp6) link_root "$device" ;;
    esac
fi
