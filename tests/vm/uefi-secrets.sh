#!/bin/bash
# A CHAP secret in firmware. The commands of docs/firmware.md set the variable from Linux; the next start of
# lunboot.efi stores it, and no user of the operating system can read it then.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
secret=xyzzy-4173-plugh
{
    cat <<'INIT'
#!/bin/sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /etc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
for module in /modules/*; do /bin/busybox insmod "$module"; done
exec >/dev/ttyS0 2>&1
/bin/busybox mount -t efivarfs none /sys/firmware/efi/efivars
/bin/busybox --install -s /bin
export PATH=/bin
cd /tmp
first=$(echo xyzzy-4173)
echo "VARIABLES $(ls /sys/firmware/efi/efivars | grep -c Lunboot)"
echo "FOUND $(grep -l "$first" /sys/firmware/efi/efivars/* | wc -l)"
INIT
    echo "cat >lunboot.conf <<CONF"
    printf '%s\n' 'enable = yes' 'chap-name = boot' "chap-secret = \$first-plugh" 'chap-algorithms = md5'
    echo CONF
    echo "(set -e"
    sed -n '/^    umask 077/,/^$/s/^    //p' "$top/docs/firmware.md"
    cat <<'INIT'
) && echo COMMANDS-OK
ls -l /sys/firmware/efi/efivars/LunbootConfigNew*
cat /sys/firmware/efi/efivars/LunbootConfigNew* | grep -c "$first" | sed 's/^/AS-ROOT /'
printf '%s\n' root:x:0:0::/:/bin/sh nobody:x:65534:65534::/:/bin/sh >/etc/passwd
su nobody -s /bin/sh -c 'id; cat /sys/firmware/efi/efivars/LunbootConfigNew*; echo USER-ENDED'
rm -f lunboot.conf
echo KERNEL-OK
sleep 1000
INIT
} >"$scratch/init"
make_debian_disk "$scratch/disk.img" "$scratch/init" efivarfs
serve_image
tgt_account boot "$secret" 1
offer_disk </dev/null

make_stick <<EOF
enable = yes
chap-name = boot
chap-secret = $secret
chap-algorithms = md5
EOF
boot_stick
wait_console 'KERNEL-OK' 150
console_has 'COMMANDS-OK' "the documented commands work"
console_has 'AS-ROOT 1' "the variable is there"
console_has 'uid=65534' "there is another user"
console_has 'USER-ENDED' "who tries to read it"
! console_shows "chap-secret = $secret" || fail "and can"
ok "and cannot, even before the next start"
end qemu KILL

make_stick <<<"# nothing is said here"
keep_vars=yes
boot_stick
wait_console 'LunbootConfig is stored, and the operating system cannot read it' 60 "the next start stores it"
wait_console 'KERNEL-OK|not-enabled' 150
console_has 'KERNEL-OK' "and boots with it"
console_has 'VARIABLES 0' "the operating system does not see it any more"
console_has 'FOUND 0' "nor the secret in any variable"

pass
