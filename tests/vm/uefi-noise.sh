#!/bin/bash
# Nobody is at the keyboard: what comes by the serial line does not stop a machine. A single byte, garbage, an
# answer of a terminal, a key that is stuck; on the page, too, which goes on by itself and changes nothing. And a
# page that is locked.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
typing=yes
serve_loader_ok
offer_disk </dev/null
garbage='\xfe\x02\x80\x00\x1b\r\xff\x02de\xc3\r\r\x1b[A\x02\x7f\x00\xf0'
page_is_open() { console_shows 'Enter boots'; }

make_stick <<<$'enable = yes\npage-wait = 6s'
boot_stick
wait_console 'lunboot [0-9]' 60
serial_says 'x'
serial_says '\x1b[?1;2c'
serial_says "$garbage" 1 100
wait_console 'METER LOADER-OK' 60 "one byte, a terminal's answer and garbage while it works: it boots"
! page_is_open || fail "the page was opened"
ok "without opening the page"
end qemu KILL

make_stick <<<$'enable = yes\npage-wait = 20s'
boot_stick
wait_console 'Ctrl-B opens a page' 60 "the console names the key that opens the page"
sleep 1
serial_says '\x02'
wait_console 'Enter boots' 20 "and that key, alone, opens it"
opened=$SECONDS
serial_says "$garbage" 1 100
serial_says 'ddddddddddddddddddddddddddddddddddddddd' 95 3
serial_says 'login: \r\nPassword: ' 1 5
wait_console 'METER LOADER-OK' 150 "garbage, a stuck key and chatter on the page: it goes on by itself"
took=$((SECONDS - opened))
[ "$took" -ge 18 ] || fail "after $took s already: somebody pressed Enter"
ok "twenty seconds after the last key that a person may have pressed"
console_has 'nobody is there' "and says why"
! console_shows 'typed in' || fail "a value was changed"
ok "no value was changed"
end qemu KILL

end dnsmasq
make_stick <<<$'enable = yes\npage = no'
boot_stick
wait_console 'net0' 60
serial_says '\x02'
sleep 1
offer_disk </dev/null
wait_console 'METER LOADER-OK' 60 "a locked page: the key does nothing"
! page_is_open || fail "the page was opened"
! console_shows 'opens a page' || fail "the key was named"
ok "and is not named"
pass
