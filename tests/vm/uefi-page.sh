#!/bin/bash
# A person steps in: DHCP names no disk; Ctrl-B opens the page, on which the server, the target, the LUN
# and a CHAP name and secret are typed, and Enter boots with them. The secret is not echoed, and when the
# operating system takes over it is in the machine's memory once: in the iBFT. The same with IPv6.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/firmware.sh"
begin python3
serve_meter <<<$'say LOADER-OK\nos'
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
wait_console 'METER takes over' 30
sleep 3
monitor "pmemsave 0 536870912 \"$scratch/memory\"" # quoted: else the slash divides
memory_is_there() { [ "$(stat -c %s "$scratch/memory" 2>/dev/null)" = 536870912 ]; }
wait_for 60 "the machine's memory" memory_is_there
python3 - "$scratch/memory" boot-secret-0123 <<'PYTHON' || fail "the secret is in memory elsewhere, too"
import re, sys
memory = open(sys.argv[1], "rb").read()
tables = [match.start() for match in re.finditer(b"iBFT", memory)]
places = [match.start() for match in re.finditer(re.escape(sys.argv[2].encode()), memory)]
others = [at for at in places if not any(0 < at - table < 4096 for table in tables)]
for at in others:
    print("# %#x" % at, memory[max(0, at - 48):at + 24])
print("# %d times, %d of them outside of the iBFT" % (len(places), len(others)))
sys.exit(not places or bool(others))
PYTHON
ok "in the machine's memory it is in the iBFT alone"
rm "$scratch/memory"
end qemu KILL
end person
end dnsmasq
end tgtd KILL

make_bridge6
serve_meter <<<$'say LOADER-OK\noff'
make_stick <<EOF
enable = yes
page-wait = 60s
EOF
boot_stick
person_types a address 2001:db8:77::50/64 d server "$server_ip" f target "$iqn" g lun 1
wait_console 'METER LOADER-OK' 200 "IPv6 without DHCP and routers: an address and a server are typed"
console_has "address +2001:db8:77::50/64 +.typed in" "the page shows the IPv6 address"
pass
