#!/bin/bash
# A machine with UEFI firmware and no disk boots Debian from the network disk: lunboot.efi, then dracut's own
# iscsi module in the initramfs. Nothing of ours is on the disk.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../interop/lib.sh"
. "$here/../vm/firmware.sh"
. "$here/../vm/debian.sh"

boot_stock_debian dracut-iscsi "dracut's own iscsi module"
pass
