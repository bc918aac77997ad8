#!/bin/bash
# A machine with UEFI firmware and no disk boots Debian from the network disk: lunboot.efi, then Debian's own open-iscsi
# in the initramfs. Nothing of ours is on the disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

boot_stock_debian open-iscsi "its own open-iscsi"
pass
