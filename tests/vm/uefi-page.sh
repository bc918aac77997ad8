#!/bin/bash
# A person steps in: DHCP names no disk; a key opens the page, on which the server, the target, the LUN
# and a CHAP name and secret are typed, and Enter boots with them. The secret is not echoed. The
# same with IPv6.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_loader_ok
tgt_account boot boot-secret-0123 1
rootpath="nfs:somebody:else"
offer_disk </dev/null
make_stick <<EOF
enable = yes
page-wait = 60s
chap-algorithms = md5
EOF
boot_stick
person_types d server "$server_ip" f target "$iqn" g lun 1 i chap-name boot j chap-secret boot-secret-0123
wait_console 'METER LOADER-OK' 200 "a person's values boot the machine"
console_has "server +$server_ip +.typed in" "the page shows what was typed, and that it was typed"
console_has 'chap-secret +.set.' "of a secret it says only that there is one"
! grep -q 'boot-secret-0123' "$scratch/console.log" || fail "the secret was echoed"
ok "and it was not echoed"
end qemu KILL
end person
end dnsmasq
end tgtd KILL

make_bridge6
serve_image
make_stick <<EOF
enable = yes
page-wait = 60s
EOF
boot_stick
person_types a address 2001:db8:77::50/64 d server "$server_ip" f target "$iqn" g lun 1
wait_console 'METER LOADER-OK' 200 "IPv6 without DHCP and routers: an address and a server are typed"
console_has "address +2001:db8:77::50/64 +.typed in" "the page shows the IPv6 address"
pass
