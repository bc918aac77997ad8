#!/bin/sh
# Runs on dracut's hook for the command line, before the scripts of other modules.

# Whether somebody may have asked for a network disk; what is to be done is decided by lunboot.
lunboot_is_asked() {
    case " $(getcmdline) " in
    *" lunboot.enable"[\ =]* | *" netroot=iscsi"* | *" root=iscsi:"* | *" rd.iscsi."* | *" iscsi_"*) return 0 ;;
    esac
    [ -e /etc/lunboot.conf ] || [ -e /sys/firmware/acpi/tables/iBFT ] || [ -e /sys/firmware/ibft ]
}

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

if lunboot_is_asked; then
    lunboot_stands_alone
    # Where only the disk is named (netroot=iscsi:... or root=iscsi:...) and not which file system of it is the
    # root, lunboot-root makes the link /dev/root.
    if [ -z "$root" ] || [ "${root%%:*}" = iscsi ]; then
        case $(getarg netroot=)$root in
        iscsi*)
            # shellcheck disable=SC2034 # for dracut
            root=block:/dev/root rootok=1
            ;;
        esac
    fi
fi
/sbin/initqueue --onetime --unique --name lunboot /sbin/lunboot-root
