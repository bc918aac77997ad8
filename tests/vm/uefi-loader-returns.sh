#!/bin/bash
# Error: the loader on the network disk gives up and comes back to lunboot.efi, which says so and goes back
# to the firmware.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin
serve_meter <<EOF
say LOADER-OK
return
EOF
offer_disk </dev/null
make_stick <<<"enable = yes"
boot_stick
wait_console 'METER LOADER-OK' 60 "the loader on the network disk ran"
wait_console '\(loader-returned\)' 30 "its return is an error with a name"
console_has 'BOOTX64\.EFI: ' "which says which loader it was"
console_has 'try: see what the loader said above' "and what to try"
pass
