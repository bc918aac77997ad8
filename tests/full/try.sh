#!/bin/bash
# ./try, as README.md shows it: one server, lunbootd, boots both machines. It needs no dnsmasq and no tgt: both are
# out of its reach here.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
output=$(mktemp)
without=$(mktemp -d)
trap 'rm -rf "$output" "$without"' EXIT

fail() {
    sed 's/^/# /' "$output"
    echo "not ok 1 - $1"
    exit 1
}
[ "$(id -u)" = 0 ] || {
    echo "SKIP: network namespaces need root"
    exit 77
}
for program in dnsmasq tgtd tgtadm; do
    printf '#!/bin/sh\necho "started %s" >>%s/used\nexit 1\n' "$program" "$without" >"$without/$program"
    chmod 755 "$without/$program"
done
! tools=$("$top/tools/install-packages" --dry-run try 2>&1) || ! grep -qE 'tgt|dnsmasq' <<<"$tools" ||
    fail "./try would install another server: $tools"
PATH=$without:$PATH "$top/try" >"$output" 2>&1 </dev/null || fail "./try ends with an error"
[ ! -e "$without/used" ] || fail "$(cat "$without/used")"
for line in 'The loader that came over iSCSI is the one that was put on the disk' 'network-disk login:' \
    '/ +/dev/sda2 ext4' 'is given .*, UEFI x64, boot file lunbootx64.efi, disk' 'fetched lunbootx64.efi by TFTP' \
    'It saw 2 logins of that machine' "From power-on to Debian's login prompt" \
    'The disk is what it was, byte for byte' \
    'Left behind: the folders build and deps'; do
    grep -qE "$line" "$output" || fail "./try does not say '$line'"
done
echo "ok 1 - ./try boots both machines from lunbootd alone, one to its login prompt, and says what it leaves behind"
echo "1..1"
