#!/bin/bash
# lunboot's module in dracut of Debian, with the kernel of real machines: it brings the drivers of wired cards alone,
# and changes no initramfs but the one it is in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"

[ "$(id -u)" = 0 ] || skip "a Debian in a folder needs root"
need mmdebstrap
need_lunboot
root=$scratch/debian
packages=dracut-core,dracut-network,open-iscsi,linux-image-amd64
packages+=,kmod,udev,systemd-sysv,dbus,iproute2,zstd,procps,e2fsprogs
mmdebstrap --quiet --variant=apt --include=$packages bookworm "$root" >"$scratch/mmdebstrap.log" 2>&1 ||
    skip "no Debian: $(tail -n 1 "$scratch/mmdebstrap.log")"
version=$(basename "$root"/boot/vmlinuz-*)
version=${version#vmlinuz-}
install -m 755 "$lunboot" "$root/usr/sbin/lunboot"
"$top/integration/dracut/install" "$root"
# A module that needs the network, as clevis does, and kdump's.
for name in 60needs-network 99kdumpbase; do
    mkdir "$root/usr/lib/dracut/modules.d/$name"
    printf 'check() { return 255; }\ndepends() { %s; }\n' \
        "$([ $name = 99kdumpbase ] && echo 'echo -n' || echo 'echo network')" \
        >"$root/usr/lib/dracut/modules.d/$name/module-setup.sh"
done

# make NAME ARGUMENTS...: an initramfs; sets $files and $modules, what is in it.
make() {
    local name=$1
    shift
    chroot "$root" dracut --force --no-hostonly "$@" "/boot/$name.img" "$version" >"$scratch/dracut-$name.log" 2>&1 ||
        fail "dracut $*" "$scratch/dracut-$name.log"
    files=$scratch/$name.files modules=$scratch/$name.modules
    chroot "$root" lsinitrd "/boot/$name.img" >"$files"
    chroot "$root" lsinitrd --mod "/boot/$name.img" >"$modules"
}
has() { grep -qE -- "$1" "$files" || fail "$2: no $1"; }
# What lunboot's module has brought: dracut itself has a wireless driver (libertas_sdio) among those of SD cards.
has_no_more() {
    ! grep -E -- "$1" "$files" | grep -vFf <(grep -oE '[^ /]+\.ko' "$scratch/bare.files") >"$scratch/found.log" ||
        fail "$2" "$scratch/found.log"
}
includes() { grep -qx "$1" "$modules" || fail "$2: no module $1" "$modules"; }
includes_no() { ! grep -qx "$1" "$modules" || fail "$2: the module $1" "$modules"; }

# Its files alone are looked at, and gzip takes a minute.
make bare --no-compress --omit lunboot
make plain
includes lunboot "the usual initramfs"
for driver in e1000 e1000e igb igc ixgbe i40e ice r8169 8139too tg3 bnx2 bnx2x bnxt_en mlx4_en mlx5_core sfc atlantic \
    virtio_net vmxnet3 pcnet32 forcedeth sky2 alx ena nfp qede be2net cxgb4 r8152 ax88179_178a asix realtek \
    iscsi_tcp iscsi_ibft sd_mod; do
    has "/$driver\.ko" "the drivers"
done
ok "the drivers of wired cards are in it"
unwanted='/(wireless|wan|wwan|can|hamradio|ieee802154|isdn)/.*\.ko'
unwanted+='|/(iwlwifi|ath9k|brcmfmac|mt76|rtw88|mlxsw_core|prestera)\.ko'
has_no_more "$unwanted" "a driver that no wired card needs"
has_no_more 'firmware/(iwlwifi|ath|brcm/|mediatek|rtlwifi|rtw88|mellanox)' "firmware that no wired card needs"
ok "and no wireless ones, with their firmware"
includes_no iscsi "dracut's own module beside lunboot"
includes_no network "nobody asked for it"
ok "dracut's modules that act on the same words are not"
bytes=$(stat -c %s "$root/boot/plain.img")
[ "$bytes" -lt 80000000 ] || fail "the initramfs has $bytes bytes"
ok "it has $((bytes >> 20)) MiB"

# Which modules of dracut's are in it is seen without the kernel's.
make clevis --no-kernel --add needs-network
includes lunboot "beside a module that needs the network"
includes network "what another module needs"
ok "a module that needs the network gets it"
make kdump --no-kernel --add kdumpbase --add network
includes_no lunboot "kdump's initramfs"
includes network "kdump's initramfs"
ok "kdump's initramfs is as it would be without lunboot"
make without --no-kernel --omit lunboot --add iscsi
includes iscsi "an initramfs without lunboot"
ok "an initramfs without lunboot may have dracut's iscsi module"
pass
