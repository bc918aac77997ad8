#!/bin/bash
# Errors of authentication: none configured, a wrong name or secret of ours, of the target's, none where we
# require it, and an impostor that reflects our own answer.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
tgt_account boot boot-secret-0123 1
give_client_address
name=--chap-name=boot
secret=--chap-secret=boot-secret-0123

probe
fails_with 'auth-needed' "no CHAP where tgt wants it" "$iqn"
probe $name --chap-secret=wrong-secret-012
fails_with auth-failed "a wrong secret" boot "$iqn"
if grep -q wrong-secret "$scratch"/{out,err}.log; then fail "the secret was printed"; fi
ok "the secret is not printed"
probe --chap-name=toob $secret
fails_with auth-failed "a wrong name" toob "$iqn"

mutual=(--chap-target-name=disk --chap-target-secret=disk-secret-4567)
probe $name $secret "${mutual[@]}"
fails_with 'auth-failed|auth-target' "a target that has no proof of its own" "$iqn" 'mutual CHAP'
tgt_account disk disk-secret-9999 1 outgoing
probe $name $secret "${mutual[@]}"
fails_with auth-target "a target with a wrong secret" "$iqn"
probe $name $secret --chap-target-name=ksid --chap-target-secret=disk-secret-9999
fails_with auth-target "a target with another name" "$iqn" disk
end tgtd KILL

start_fake_target reflect
probe $name $secret "${mutual[@]}"
fails_with 'auth-reflected|auth-target' "a target that reflects our answer" '192\.0\.2\.1'
end fake-target
serve_disk
probe $name $secret --require=chap
fails_with 'require-not-met|auth-method' "a target without CHAP where we require it" "$iqn"
pass
