#!/bin/bash
# DHCPv6 from dibbler.
. "$(dirname "$0")/lib.sh"
need_lunboot
need unshare
make_net6
serve_disk6

# dibbler has its folders built in: it gets a mount namespace with our own in their place.
start_dibbler() {
    local program
    program=$(private_copy dibbler-server)
    mkdir -p "$scratch/etc-dibbler" "$scratch/lib-dibbler" "$scratch/log-dibbler"
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
start_dibbler <<CONF
log-level 7
log-mode short
iface "vs0" {
    class { pool 2001:db8:77::100-2001:db8:77::1ff }
    option dns-server 2001:db8:77::53
    option domain boot.example
    option 59 string "$rootpath"
}
CONF

boot_then_read
succeeds "a bare interface boots from dibbler and tgt without IPv4"
saw 'inet6 2001:db8:77::1[0-9a-f][0-9a-f]/128' "the address is dibbler's"
saw 'nameserver 2001:db8:77::53' "the DNS server stands in resolv.conf"
read_the_loader
pass
