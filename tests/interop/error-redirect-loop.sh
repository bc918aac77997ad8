#!/bin/bash
# Error: the target redirects to itself for ever, or to nowhere.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
start_fake_target redirect "$server_ip:3260"
probe
fails_with redirect-loop "a redirect loop" '192\.0\.2\.1' "$iqn"
logins=$(grep -c '^login' "$scratch/fake-target.log")
[ "$logins" -le 60 ] || fail "it followed the loop $logins times"
ok "it gave up after $logins logins"
end fake-target
for address in '' ':::' '192.0.2.300:3260' '[2001:db8::1:3260' '192.0.2.1:99999'; do
    start_fake_target redirect "$address"
    probe
    fails_with 'redirect-invalid|resolve' "a redirect to '$address'" '192\.0\.2\.1'
    end fake-target
done
pass
