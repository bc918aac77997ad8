#!/bin/bash
# What the documents say of installing Lunboot, done in Debians in folders: on a system (run: system NAME), and in
# another one's folder ROOT (run: root).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../docs/documents-lib.sh"

[ "$(id -u)" = 0 ] || skip "a Debian in a folder needs root"
need mmdebstrap git unshare

has_lunboot() {
    in_debian "$1" "$2" "$3" >"$scratch/list.out" 2>"$scratch/list.log" || fail "$2 $3" "$scratch/list.log"
    grep -q sbin/lunboot "$scratch/list.out" || fail "the initramfs has no lunboot" "$scratch/list.out"
}

# ---- a system ------------------------------------------------------------------------------------

need_lunboot
for kind in initramfs-tools dracut; do
    system=$scratch/$kind
    packages=$kind,linux-image-cloud-amd64,open-iscsi
    [ $kind = initramfs-tools ] || packages=dracut-core,dracut-network,linux-image-cloud-amd64,open-iscsi
    make_debian "$system" "$packages"
    install -D -m 755 "$lunboot" "$system/usr/src/lunboot/build/lunboot"
    # dracut asks for the version of the running kernel: in a folder that is another one.
    version=$(basename "$system"/lib/modules/*)
    # shellcheck disable=SC2016 # for the script
    printf '#!/bin/sh\n[ "$1" = -r ] && echo %s || exec /bin/uname.real "$@"\n' "$version" >"$scratch/uname"
    mv "$system/bin/uname" "$system/bin/uname.real"
    install -m 755 "$scratch/uname" "$system/bin/uname"
    [ $kind = dracut ] || cp -a "$system" "$scratch/ROOT" # before anything of ours is in it
    echo ISCSI_AUTO=true >"$system/etc/iscsi/iscsi.initramfs"
    chmod 600 "$system/etc/iscsi/iscsi.initramfs"
    take_blocks "run system $kind"
    for block in "$blocks"/[0-9][0-9][0-9]; do block_in "$system" "$block"; done
    case $kind in
    dracut) has_lunboot "$system" lsinitrd "/boot/initrd.img-$version" ;;
    *) has_lunboot "$system" lsinitramfs "/boot/initrd.img-$version" ;;
    esac
    ok "$kind: the initramfs has lunboot"
    for file in iscsi.initramfs initiatorname.iscsi; do
        grep -q "etc/iscsi/$file\$" "$scratch/list.out" || fail "the initramfs has no $file" "$scratch/list.out"
    done
    ok "$kind: and open-iscsi's files"
    [ $kind = dracut ] || root_version=$version
done

# ---- a folder ------------------------------------------------------------------------------------

tree=$scratch/tree
make_debian "$tree" ca-certificates
mv "$scratch/ROOT" "$tree/usr/src/lunboot/ROOT"
install -D -m 755 "$lunboot" "$tree/usr/src/lunboot/build/lunboot"
take_blocks "run root"
for block in "$blocks"/[0-9][0-9][0-9]; do block_in "$tree" "$block"; done
in_debian "$tree" chroot ROOT lsinitramfs "/boot/initrd.img-$root_version" >"$scratch/list.out" 2>"$scratch/list.log" ||
    fail "lsinitramfs in ROOT" "$scratch/list.log"
grep -q sbin/lunboot "$scratch/list.out" || fail "the initramfs in ROOT has no lunboot" "$scratch/list.out"
ok "ROOT: the initramfs has lunboot"
pass
