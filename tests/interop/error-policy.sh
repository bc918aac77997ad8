#!/bin/bash
# Errors of policy: only an administrator enables a network boot, and the lists of allowed servers and
# targets hold.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF
run_lunboot boot --interface=vc0 --then=report --root="$scratch/root" --attempts=1
fails_with not-enabled "a boot that nobody enabled"
boot --allow-server=198.51.100.0/24 --discovery=off
fails_with server-not-allowed "a server that is not on the list" '192\.0\.2\.1'
boot --allow-target=iqn.2026-11.test:other --discovery=off
fails_with target-not-allowed "a target that is not on the list" "$iqn"
boot --allow-server=192.0.2.0/24 --allow-target="$iqn"
succeeds "a server and a target on the lists"
pass
