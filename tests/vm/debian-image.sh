#!/bin/bash
# The disk that the debian-*.sh of this folder boot. tests/run begins with it, so that nobody waits for it later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/debian.sh"

[ "$(id -u)" = 0 ] || skip "a Debian in a folder needs root"
find_debian_disk
MTOOLS_SKIP_CHECK=1 mdir -b -i "$debian_image@@1M" ::/ >"$scratch/esp.log"
for kind in ${debian_kinds//,/ }; do
    grep -qx "::/initrd-$kind.img" "$scratch/esp.log" || fail "there is no initramfs of $kind" "$scratch/esp.log"
done
ok "a disk with Debian is made, with an initramfs of ${debian_kinds//,/ and one of }"
pass
