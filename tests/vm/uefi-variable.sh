#!/bin/bash
# The firmware variable LunbootConfig: it enables a stick that does not enable itself, load options stand
# above it, and it forbids what would otherwise be allowed.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
serve_meter <<EOF
say LOADER-OK
setvar enable = yes
getvar
off
EOF
offer_disk </dev/null
start_vm "${card[@]}" -kernel "$efi" -append "--enable=yes"
wait_console 'METER setvar success' 60 "load options enable it, and the variable is set"
console_has 'METER LunbootConfig 7' "as operating systems set it: for all to read"
machine_is_off() { ! is_alive qemu; }
wait_for 10 "power off" machine_is_off
printf 'getvar\nsetvar enable = no\nreturn\n' >"$scratch/meter.txt"
MTOOLS_SKIP_CHECK=1 mcopy -o -i "$scratch/disk.img@@$esp_offset" "$scratch/meter.txt" ::/meter.txt
make_stick <<<"# nothing is said here"
keep_vars=yes
boot_stick
wait_console 'METER setvar success' 60 "the variable enables a stick that says nothing"
console_has 'METER LunbootConfig 3, LunbootConfigNew 0' "and has been hidden from operating systems"
end qemu KILL
boot_stick
wait_console 'not-enabled' 60 "the variable forbids it"
console_has 'enable is no' "and the error says so"
end qemu KILL
start_vm "${card[@]}" -kernel "$efi" -append "enable=maybe"
wait_console 'config-value' 60 "a wrong load option is an error with a name"
console_has 'enable=maybe, expected yes or no' "which says what is wrong"
pass
