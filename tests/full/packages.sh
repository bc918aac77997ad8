#!/bin/bash
# The Debian packages: built of a clean checkout, lintian has no error, and in a clean Debian in a folder they are
# installed, upgraded, removed and purged, and leave nothing behind. In between the server there is given an image, and
# a machine boots that from a stick, to its login prompt. LUNBOOT_DEBS names a folder that has the packages already.
set -euo pipefail
. "$(dirname "$0")/../interop/lib.sh"
. "$interop/lunbootd.sh"
. "$top/tests/vm/firmware.sh"
. "$top/tests/vm/debian.sh"
[ "$(id -u)" = 0 ] || skip "a Debian in a folder needs root"
begin mmdebstrap dpkg-buildpackage dh lintian unshare
find_debian_disk

debs=${LUNBOOT_DEBS:-}
if [ -z "$debs" ]; then
    debs=$scratch/debs
    "$top/packaging/build-debs" "$debs" >"$scratch/build.log" 2>&1 ||
        fail "the packages are not built" "$scratch/build.log"
fi
names=(lunboot lunboot-initramfs lunboot-dracut lunboot-efi lunbootd liblunboot-dev)
for name in "${names[@]}"; do
    ls "$debs/${name}"_*.deb >/dev/null 2>&1 || fail "there is no package $name"
done
ok "the packages are built: ${names[*]}"
lintian --allow-root --fail-on error --suppress-tags no-changelog "$debs"/*.deb >"$scratch/lintian.log" 2>&1 ||
    fail "lintian has errors" "$scratch/lintian.log"
ok "lintian has no error"

# A newer version of them, for an upgrade.
mkdir "$scratch/newer"
for deb in "$debs"/*.deb; do
    [[ $deb != *-dbgsym_* ]] || continue
    rm -rf "$scratch/deb"
    dpkg-deb -R "$deb" "$scratch/deb"
    sed -i 's/^Version: .*/&+next/' "$scratch/deb/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$scratch/deb" "$scratch/newer" >"$scratch/dpkg-deb.log"
done

debian=$scratch/debian
mmdebstrap --quiet --aptopt='Acquire::Retries "4"' --variant=apt --skip=cleanup/apt/lists \
    --include=systemd,adduser,initramfs-tools,libmicrohttpd12,libsqlite3-0,libcap-ng0,libseccomp2 bookworm "$debian" \
    >"$scratch/mmdebstrap.log" 2>&1 || skip "no Debian: $(tail -n 1 "$scratch/mmdebstrap.log")"
printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d"
chmod 755 "$debian/usr/sbin/policy-rc.d"
mkdir "$debian/debs" "$debian/newer"
cp "$debs"/*.deb "$debian/debs"
cp "$scratch"/newer/*.deb "$debian/newer"
files() {
    (cd "$debian" && find etc usr var/lib/lunbootd ! -path '*/__pycache__*' 2>/dev/null | LC_ALL=C sort) || true
}
files >"$scratch/before"
# in_debian WHAT COMMAND...
in_debian() {
    local what=$1
    shift
    unshare --mount --pid --fork --mount-proc="$debian/proc" chroot "$debian" \
        env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" \
        >"$scratch/dpkg.log" 2>&1 || fail "$what" "$scratch/dpkg.log"
}
wanted=()
for name in lunboot lunboot-initramfs lunboot-efi lunbootd liblunboot-dev; do
    wanted+=("$(cd "$debs" && ls "${name}"_*.deb)")
done
in_debian "they are not installed" dpkg -i "${wanted[@]/#//debs/}"
ok "they are installed"
in_debian "the programs do not run" \
    sh -c 'lunboot --version && lunbootd --version && lunbootctl --help && getent passwd lunbootd'
[ "$(stat -c '%a' "$debian/var/lib/lunbootd")" = 700 ] || fail "/var/lib/lunbootd is open to others"
in_debian "what lunbootd says" sh -c 'lunbootd --interface=none --user=root x 2>&1 | grep "there is no interface none"'
ok "the programs run, and lunbootd has a user and a folder"
# shellcheck disable=SC2016  # the shell inside reads them
in_debian "they are not upgraded" sh -c 'for name in lunboot lunboot-initramfs lunboot-efi lunbootd liblunboot-dev; do
    echo /newer/${name}_*.deb; done | xargs dpkg -i'
# shellcheck disable=SC2016
in_debian "the version" sh -c 'dpkg-query -W -f "\${Version}" lunbootd | grep next'
ok "they are upgraded"

# The server as its package has it: its user, its folder, its configuration, and the loaders of lunboot-efi.
printf '%s\n' 'interface = tap0' 'image = debian' 'writes = drop' >"$debian/etc/lunbootd.conf"
# installed NAME COMMAND...: it runs there, in the server's network.
installed() {
    # shellcheck disable=SC2016  # that shell expands them
    spawn "$1" ip netns exec "$server_ns" sh -c 'mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec \
        chroot "$@"' sh "$debian" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
}
installed lunbootd lunbootd --config=/etc/lunbootd.conf
wait_log lunbootd 'gives addresses .*on tap0'
lunbootd_says 'runs as user lunbootd' "the packaged server runs, and not as root"
cp --sparse=always "$debian_image" "$debian/root/debian.img"
installed add lunbootctl image add /root/debian.img
wait_log add '^debian@1$' 60
rm "$debian/root/debian.img"
ok "it is given an image"
"$top/tools/make-stick" --efi="$debian/usr/lib/lunboot" "$scratch/stick.img" >"$scratch/stick.log"
start_vm -m 768 "${card[@]}" -drive "file=$scratch/stick.img,format=raw,if=none,id=stick" -device qemu-xhci \
    -device "usb-storage,drive=stick,bootindex=0"
wait_console 'login:' 420 "a machine boots that image from a stick, to its login prompt"
wait_log lunbootd 'logged in as iqn.2026-11.org.lunboot:'
end qemu KILL
cmp "$debian_image" "$debian/var/lib/lunbootd/images/debian@1" || fail "the machine has changed the image"
ok "the image is what it was, byte for byte"
end lunbootd
grep -q ' ends$' "$scratch/lunbootd.log" || fail "lunbootd did not end"

in_debian "they are not removed" dpkg -r lunboot-initramfs lunboot-efi lunbootd liblunboot-dev lunboot
in_debian "they are not purged" dpkg -P lunboot-initramfs lunboot-efi lunbootd liblunboot-dev lunboot
files >"$scratch/after"
diff "$scratch/before" "$scratch/after" | grep '^[<>]' | grep -vE '(passwd|group|shadow|gshadow)-$|/subuid-|/subgid-' \
    >"$scratch/left.log" || true
! grep -i lunboot "$scratch/left.log" || fail "they leave something behind" "$scratch/left.log"
in_debian "the user" sh -c '! getent passwd lunbootd'
ok "they are removed and purged, and nothing of them is left"
pass
