#!/bin/sh
# Where only the disk is named (netroot=iscsi:... or root=iscsi:...) and not which file system of it is
# the root, lunboot-root makes the link /dev/root. Whether there is anything to do is decided by lunboot.
if [ -z "$root" ] || [ "${root%%:*}" = iscsi ]; then
    case $(getarg netroot=)$root in
    iscsi*)
        # shellcheck disable=SC2034 # for dracut
        root=block:/dev/root rootok=1
        ;;
    esac
fi
/sbin/initqueue --onetime --unique --name lunboot /sbin/lunboot-root
