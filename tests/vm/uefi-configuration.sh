#!/bin/bash
# A configuration that cannot be read whole, or is not understood, forbids: files that are too long, directories,
# unknown keys, variables that cannot be read, load options in either coding. And what is all right boots. A loader
# on a stick starts lunboot.efi again and again: from folders with a lunboot.conf of their own, and with load options;
# it types too early, and plays a random number generator that fails.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok
offer_disk </dev/null

# long LENGTH: a file of so many bytes, with what forbids this boot in its last line.
long() {
    python3 -c '
import sys
last = "allow-server = 10.9.8.7\n"
text = ("#" * 63 + "\n") * 1000
print(text[:int(sys.argv[1]) - len(last) - 1] + "\n" + last, end="")' "$1"
}

program=$efi
efi=$meter
make_stick </dev/null
esp=$scratch/stick.img@@1M
export MTOOLS_SKIP_CHECK=1
mdel -i "$esp" ::/lunboot.conf
# folder NAME [<FILE]: lunboot.efi there, and a lunboot.conf beside it.
folder() {
    mmd -i "$esp" "::/$1"
    mcopy -i "$esp" "$program" "::/$1/lunboot.efi"
    mcopy -i "$esp" - "::/$1/lunboot.conf"
}
folder long < <(long 16385)
folder full < <(long 16384)
folder key <<<$'enable = yes\nallow-servers = 192.0.2.1'
folder half <<<$'enable = yes\nchap-target-secret = target-secret-1'
mmd -i "$esp" ::/dir ::/dir/lunboot.conf ::/none
mcopy -i "$esp" "$program" ::/dir/lunboot.efi
mcopy -i "$esp" "$program" ::/none/lunboot.efi
cat >"$scratch/meter.txt" <<'EOF'
say case-long
start \long\lunboot.efi ascii --enable=yes attempts=1
say case-full
start \full\lunboot.efi ascii --enable=yes attempts=1
say case-key
start \key\lunboot.efi
say case-half
start \half\lunboot.efi
say case-dir
start \dir\lunboot.efi ascii enable=yes
say case-nothing
start \none\lunboot.efi
say case-ascii
start \none\lunboot.efi ascii enable=yes attempts=1 allow-server=10.9.8.7
say case-wide
start \none\lunboot.efi wide lunboot.efi enable=yes attempts=1 allow-server=10.9.8.7
say case-word
start \none\lunboot.efi ascii lunboot.efi enabled
say case-value
start \none\lunboot.efi ascii enable=jes
say case-damaged
start \none\lunboot.efi hex 656e61626c653d796573ff
say case-guid
start \none\lunboot.efi hex 4eac0881119f594d850ee21a522c59b2
bigvar 16400 enable = yes
say case-bigvar
start \none\lunboot.efi ascii enable=yes
setvar enable = ja
say case-variable
start \none\lunboot.efi ascii enable=yes
setvar # nothing
say case-broken
breakvar
start \none\lunboot.efi ascii enable=yes
mendvar
say case-typed
stall 5000
start \none\lunboot.efi ascii enable=yes attempts=1 allow-server=10.9.8.7 page-wait=3s
say case-rng-error
rng error
start \none\lunboot.efi ascii enable=yes attempts=1 allow-server=10.9.8.7
say case-rng-zeros
rng zeros
start \none\lunboot.efi ascii enable=yes attempts=1 allow-server=10.9.8.7
say case-rng-good
rng good
start \none\lunboot.efi ascii enable=yes attempts=1 allow-server=10.9.8.7
say case-good
start \none\lunboot.efi ascii "enable=yes" --trace
EOF
mcopy -i "$esp" "$scratch/meter.txt" ::/meter.txt
typing=yes
boot_stick -cpu qemu64
wait_console 'METER case-typed' 200
serial_says '\x02\r' # before lunboot.efi runs
wait_console 'METER LOADER-OK' 100
machine_is_off() { ! is_alive qemu; }
wait_for 20 "power off" machine_is_off

# says NAME PATTERN WHAT: between that case and the next.
says() {
    console | sed -n "/METER case-$1\$/,/METER case-/p" >"$scratch/case"
    grep -qE -- "$2" "$scratch/case" || fail "$3" "$scratch/case"
    ! grep -q 'LOADER-OK' "$scratch/case" || fail "$3: it booted" "$scratch/case"
    ok "$3"
}
says long 'long.lunboot\.conf: it is longer than 16384 bytes' "a file of 16,385 bytes is not cut: nothing boots"
says full 'server-not-allowed' "of one of 16,384 bytes, the last line counts"
says key 'key.lunboot\.conf, line 2: ' "an unknown key: nothing boots, and the error names the file and the line"
says key 'config-key' "by its name"
says half 'chap-target-secret .*line 2' "half of a configuration of CHAP: nothing boots"
says dir 'dir.lunboot\.conf: unsupported' "a folder in the place of the file: nothing boots"
says nothing 'not-enabled' "without any configuration nothing boots"
says nothing 'no lunboot\.conf beside the program, in .EFI.lunboot or in' "and the error says where it was looked for"
says ascii 'server-not-allowed' "load options in ASCII, as efibootmgr makes them, are heeded"
says wide 'server-not-allowed' "in UCS-2 as well, behind the name of the program"
says word 'load options: the word enabled' "a word that is not understood: nothing boots"
says value 'load options: enable=jes' "nor with a wrong value"
says damaged 'load options: they are no text' "nor with load options that set a key and are no text"
says guid '16 bytes of load options are no text: passed over' "firmware's own mark in a boot entry is passed over"
says bigvar 'LunbootConfig: it is longer than 16384 bytes' "a variable that is too long: nothing boots"
says variable 'LunbootConfig, line 1: enable=ja' "a variable with a wrong value: nothing boots"
says broken 'LunbootConfigNew: device error' "a variable that cannot be read: nothing boots"
says typed 'server-not-allowed' "what was typed before the program ran is discarded"
! grep -q 'Enter boots' "$scratch/case" || fail "it opened the page" "$scratch/case"
ok "and opens no page"
says rng-error 'random numbers: from the clock alone' "a generator of the firmware that fails does not count"
says rng-zeros 'random numbers: from the clock alone' "nor one that gives nothing but zeros"
says rng-good 'random numbers: from the firmware .EFI_RNG.' "one that gives bytes does"
ok "what is all right boots"
pass
