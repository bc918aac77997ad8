#!/bin/bash
# DHCPv6 from dibbler, which also proves its answers (RFC 3315 21.4, delayed authentication).
. "$(dirname "$0")/lib.sh"
need_lunboot
need unshare
make_net6
serve_disk6

secret=0123456789abcdef
client_duid=00:03:00:01:02:00:00:00:00:01

# dibbler has its folders built in: it gets a mount namespace with our own in their place. Which client has which key,
# and the key, are files in one of them.
start_dibbler() {
    local program
    program=$(private_copy dibbler-server)
    rm -rf "$scratch/lib-dibbler"
    mkdir -p "$scratch/etc-dibbler" "$scratch/lib-dibbler/AAA" "$scratch/log-dibbler"
    echo "$client_duid 1" >"$scratch/lib-dibbler/AAA/keys-mapping"
    printf %s "$secret" >"$scratch/lib-dibbler/AAA/AAA-key-00000001"
    cat >"$scratch/etc-dibbler/server.conf"
    if [ ! -d /etc/dibbler ] || [ ! -d /var/lib/dibbler ]; then skip "dibbler's folders are not there"; fi
    spawn dibbler ip netns exec "$server_ns" unshare --mount sh -c "
        mount --bind '$scratch/etc-dibbler' /etc/dibbler
        mount --bind '$scratch/lib-dibbler' /var/lib/dibbler
        [ ! -d /var/log/dibbler ] || mount --bind '$scratch/log-dibbler' /var/log/dibbler
        exec '$program' run"
    wait_log dibbler 'Accepting connections|Server begins operation|Configured to use'
}
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvManagedFlag on;
  prefix 2001:db8:77::/64 { AdvAutonomous off; };
CONF
# A server that speaks wants its interface up: the client's end of the cable is raised first.
in_client ip link set vc0 up
# serve_dibbler LINES...: above all else in its configuration.
serve_dibbler() {
    start_dibbler <<CONF
log-level 8
log-mode short
$(printf '%s\n' "$@")
iface "vs0" {
    class { pool 2001:db8:77::100-2001:db8:77::1ff }
    option dns-server 2001:db8:77::53
    option domain boot.example
    option 59 string "$rootpath"
}
CONF
}
serve_dibbler
boot_then_read
succeeds "a bare interface boots from dibbler and tgt without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "the address is dibbler's"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
read_the_loader
end dibbler
serve_dibbler 'auth-protocol delayed' 'auth-replay monotonic' 'auth-realm "boot.example"'
keyed_boot() { # KEYS ARGUMENTS...
    local keys=$1
    shift
    boot --family=6 --client-id="ff00000001${client_duid//:/}" --rootpath="$rootpath" --rapid-commit=no \
        --dhcp-keys="$keys" --dhcp-timeout=5s --retry-time=0s "$@"
}
keyed_boot "7:$secret,1@boot.example:$secret" --require=dhcp-auth
succeeds "with a key, the client takes dibbler's authenticated lease"
says 'authenticated +by key 1 of boot\.example' "the report says by which key and realm"
received=$(sed -n 's/.*Auth:received digest: //p' "$scratch/dibbler.log" | tail -n 1)
[ -n "$received" ] || fail "dibbler saw no proof of the client" "$scratch/dibbler.log"
grep -q "proper digest: $received" "$scratch/dibbler.log" || fail "dibbler has another digest" "$scratch/dibbler.log"
ok "and dibbler the client's proof"
keyed_boot 1@boot.example:another-secret
fails_with dhcp6-auth "a wrong key is named as such" 'proof of its authentication is wrong'
keyed_boot "2@boot.example:$secret"
fails_with dhcp6-auth "and so is a key that dibbler does not use" \
    'authenticated by a key that this machine does not have'
pass
