#!/bin/bash
# The kernel's settings cannot be written, as in a container: the kernel makes addresses of its own beside ours,
# and takes its time for duplicate address detection; the boot goes on, and says so.
. "$(dirname "$0")/lib.sh"
need_lunboot
need radvd
make_net6
ip -n "$client_ns" link set vc0 address 02:00:00:00:00:77
serve_disk6
start_radvd <<CONF
  MinRtrAdvInterval 3; MaxRtrAdvInterval 10;
  prefix 2001:db8:77::/64 { AdvValidLifetime 7200; AdvPreferredLifetime 3600; };
CONF

lock_settings
cat >"$scratch/then" <<THEN
#!/bin/bash
{ env; ip -o addr show dev vc0; ip -6 route show dev vc0; } >"$scratch/then.log"
THEN
chmod +x "$scratch/then"
boot --rootpath="$rootpath" --then="$scratch/then"
succeeds "a boot where the kernel's settings are read-only"
saw 'inet6 2001:db8:77::ff:fe00:77/64' "the address is there, whoever made it"
saw 'LUNBOOT_ADDRESS6=2001:db8:77::ff:fe00:77/64' "and is known"
[ "$(grep -c 'inet6 2001:' "$scratch/then.log")" = 1 ] || fail "there are two of it"
ok "once"
in_client ip link set vc0 down
boot --rootpath="$rootpath"
succeeds "the same with a report"
says 'warning.*autoconfiguration.*Read-only file system' "which says what could not be had"
pass
