#!/bin/bash
# A loader that hangs: the firmware's watchdog, which lunboot.efi has set as a boot manager does, restarts the
# machine after five minutes.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/../vm/firmware.sh"
begin
serve_meter <<<$'say LOADER-OK\nhang'
offer_disk </dev/null
make_stick <<<"enable = yes"
boot_stick
wait_console 'METER LOADER-OK' 60 "the loader runs, and hangs"
machine_is_off() { ! is_alive qemu; }
wait_for 420 "a restart" machine_is_off
ok "the machine restarts by itself"
pass
