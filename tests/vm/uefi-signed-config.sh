#!/bin/bash
# Configurations that are signed, under Secure Boot with OVMF's test keys: that of the program's section .lunconf,
# and a lunboot.conf with a signature. With one byte changed neither counts, and what nobody signed is passed over.
# With swtpm the TPM has measured them.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
need_uefi
need sbsign openssl python3
use_secure_boot
openssl ecparam -name prime256v1 -genkey -noout -out "$scratch/conf.key"
openssl pkey -in "$scratch/conf.key" -pubout -out "$scratch/conf.pem"
program=$efi

# sign_program OUT [ARGUMENTS...] <<EOF: lunboot.efi with this configuration, signed.
sign_program() {
    local out=$1
    shift
    cat >"$scratch/section.conf"
    "$top/tools/sign-config" program --config="$scratch/section.conf" --key="$scratch/db.key" --cert="$keys.pem" \
        "$@" "$program" "$out" || fail "sign-config"
}

# add_signature: of the stick's lunboot.conf, beside it.
add_signature() {
    "$top/tools/sign-config" file --key="$scratch/conf.key" "$scratch/lunboot.conf"
    put_on_stick "$scratch/lunboot.conf.sig" ::/lunboot.conf.sig
}
put_on_stick() { MTOOLS_SKIP_CHECK=1 mcopy -o -i "$scratch/stick.img@@1M" "$1" "$2"; }

# With a TPM where there is a program that plays one.
tpm=()
start_tpm() {
    command -v swtpm >/dev/null || return 0
    end swtpm KILL
    rm -rf "$scratch/tpm"
    mkdir "$scratch/tpm"
    spawn swtpm swtpm socket --tpm2 --tpmstate "dir=$scratch/tpm" --ctrl "type=unixio,path=$scratch/tpm/sock"
    wait_for 10 "the TPM" test -S "$scratch/tpm/sock"
    tpm=(-chardev "socket,id=tpm,path=$scratch/tpm/sock" -tpmdev "emulator,id=tpm0,chardev=tpm"
        -device "tpm-tis,tpmdev=tpm0")
}

# power_on: with Secure Boot, the card, the stick and a TPM.
power_on() {
    start_tpm
    boot_stick "${secure[@]}" "${tpm[@]}"
}

# predicted FILE...: PCR 12 after these were measured.
predicted() {
    python3 - "$@" <<'PYTHON'
import hashlib, sys
pcr = bytes(32)
for name in sys.argv[1:]:
    pcr = hashlib.sha256(pcr + hashlib.sha256(open(name, "rb").read()).digest()).digest()
print(pcr.hex())
PYTHON
}

make_vm_net
sign "$meter" "$scratch/meter-signed.efi"
loader=$scratch/meter-signed.efi
serve_meter <<<$'pcr 12\nsay LOADER-OK\noff'
offer_disk </dev/null

# ---- what is signed counts

sign_program "$scratch/signer.efi" --signer="$scratch/conf.pem" <<'CONF'
enable = yes
allow-server = 192.0.2.1
require = signed-config
CONF
efi=$scratch/signer.efi
make_stick <<'CONF'
initiator = iqn.2026-11.test:signed
allow-server = 203.0.113.9
CONF
add_signature
start_capture "$server_ns" tap0
power_on
wait_console 'METER LOADER-OK' 120 "a signed configuration boots"
stop_capture
console_has 'configuration in the program, Secure Boot is on' "the program's own was verified with it"
console_has '\\lunboot\.conf has a valid signature' "and the file by its signature"
in_server tcpdump -nr "$scratch/capture.pcap" -A 'tcp port 3260' >"$scratch/login.log" 2>/dev/null
grep -q 'InitiatorName=iqn.2026-11.test:signed' "$scratch/login.log" || fail "the file's initiator was not used"
ok "the signed file counts, and does not overrule the program's list of servers"
if [ ${#tpm[@]} -gt 0 ]; then
    "$top/tools/sign-config" show "$efi" >"$scratch/section"
    console_has "METER pcr 12 $(predicted "$scratch/section" "$scratch/lunboot.conf")" \
        "PCR 12 of the TPM is that of both, in this order"
fi
end qemu KILL

# ---- one byte is changed

sed 's/signed/singed/' "$scratch/lunboot.conf" >"$scratch/changed"
put_on_stick "$scratch/changed" ::/lunboot.conf
power_on
wait_console 'config-signature' 90 "with another byte in the file nothing boots"
console_has 'lunboot\.conf\.sig is not its signature' "and the error says why"
end qemu KILL

python3 - "$efi" "$scratch/changed.efi" <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read()
assert data.count(b"192.0.2.1\n") == 1
open(sys.argv[2], "wb").write(data.replace(b"192.0.2.1\n", b"192.0.2.7\n"))
PYTHON
put_on_stick "$scratch/changed.efi" ::/EFI/BOOT/BOOTX64.EFI
power_on
wait_console 'Access Denied|Security Violation' 90 "with another byte in its section the firmware does not start it"
! console_shows 'lunboot 0' || fail "it ran all the same"
ok "and it has not run"
end qemu KILL

# ---- what nobody signed

make_stick <<<"initiator = iqn.2026-11.test:unsigned"
power_on
wait_console 'lunboot\.conf is passed over: it has no signature' 90 "a file without a signature is passed over"
console_has 'signed-config, and no signed lunboot.conf was read' "and nothing boots where one is required"
end qemu KILL

sign_program "$scratch/locked.efi" <<'CONF'
lock = yes
enable = yes
allow-server = 192.0.2.1
CONF
efi=$scratch/locked.efi
make_stick <<'CONF'
enable = no
server = 192.0.2.66
page-wait = 10s
CONF
power_on
wait_console 'METER LOADER-OK' 120 "with lock, a file that nobody signed changes nothing"
console_has '\\lunboot\.conf is passed over: lock is yes' "and that is said"
! console_shows 'opens a page for values' || fail "the page is offered"
ok "the page is off"
pass
