#!/bin/bash
# lunbootd as iSNS server and as SLP agent: machines find their own disks there, and no other's. isnsadm and tgt
# register in it where it is open; nobody takes what is lunbootd's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need isnsadm
make_net
make_gpt_disk "$scratch/disk.img"
cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
dhcp = off
state = $scratch/state
disk = $scratch/disk.img
writes = keep
overlays = $scratch/overlays
unknown = ignore

[machine anna]
mac = 02:00:00:00:00:0a

[machine bert]
mac = 02:00:00:00:00:0b
initiator = iqn.2026-11.test:bert
CONF
base=iqn.2026-11.org.lunboot:disk
anna=iqn.2026-11.org.lunboot:mac:02000000000a
start_lunbootd --config="$scratch/lunbootd.conf"
ip -n "$client_ns" link set vc0 address 02:00:00:00:00:0a
give_client_address

# asks INITIATOR HOW [ARGUMENTS...]: the targets that this initiator finds, in $scratch/out.log.
asks() {
    run_lunboot discover --interface=vc0 --discovery="$2" --initiator="$1" "${@:3}"
}
asks "$anna" isns --isns-server="$server_ip"
succeeds "a machine asks iSNS for its boot list"
says "$base:anna" "it finds its own target there"
! grep -q "$base:bert" "$scratch/out.log" || fail "it is shown another machine's"
ok "and not another machine's"
asks iqn.2026-11.test:bert isns --isns-server="$server_ip"
says "$base:bert" "a machine with its own initiator name finds its own"
asks "$anna" slp --trust-open-slp=yes --discovery-timeout=8s
says "$base:anna" "SLP finds the target by multicast"
asks iqn.2026-11.test:nobody isns --isns-server="$server_ip"
! grep -q "$base:" "$scratch/out.log" || fail "a stranger finds a target in iSNS"
ok "a stranger finds nothing in iSNS"
asks "$anna" isns --target="$base:anna" --isns-server="$server_ip" --isns-register=never
says "$server_ip:3260" "a target is found by its name"

# isns_at NAME ARGUMENTS...: isnsadm under this iSCSI name; its answer is in $scratch/isnsadm.log.
isns_at() {
    printf 'SourceName = %s\nServerAddress = %s\nSecurity = 0\nControlSocket = %s\n' "$1" "$server_ip" \
        "$scratch/isnsd.socket" >"$scratch/isnsadm.conf"
    in_client timeout 20 isnsadm -c "$scratch/isnsadm.conf" "${@:2}" >"$scratch/isnsadm.log" 2>&1
}
isns_at "$anna" --query "iscsi-name=$base:anna" || fail "isnsadm cannot ask"
grep -q "$base:anna" "$scratch/isnsadm.log" || fail "isnsadm finds nothing" "$scratch/isnsadm.log"
ok "isnsadm finds the target"
isns_at iqn.2026-11.test:array --register entity=array target=iqn.2026-11.test:more \
    portal=192.0.2.9:3260/tcp || true
grep -qi 'unauthori[sz]ed' "$scratch/isnsadm.log" || fail "a registration is not refused" "$scratch/isnsadm.log"
ok "others register nothing: source unauthorized"
end lunbootd

# Open: others may register, and change nothing of lunbootd's.
start_lunbootd --config="$scratch/lunbootd.conf" --isns=open
isns_at iqn.2026-11.test:array --register entity=array target=iqn.2026-11.test:more portal=192.0.2.9:3260/tcp ||
    fail "isnsadm cannot register" "$scratch/isnsadm.log"
isns_at iqn.2026-11.test:array --query iscsi-name=iqn.2026-11.test:more || fail "isnsadm cannot ask"
grep -q 'iqn.2026-11.test:more' "$scratch/isnsadm.log" || fail "what was registered is not there"
ok "isnsadm registers a target where it is open"
isns_at iqn.2026-11.test:array --register entity=array target="$base:anna" portal=192.0.2.9:3260/tcp &&
    fail "somebody took lunbootd's target"
isns_at "$base:anna" --register entity=lunbootd portal=192.0.2.9:3260/tcp && fail "somebody moved lunbootd's target"
isns_at "$base:anna" --deregister "iscsi-name=$base:anna" || true
asks "$anna" isns --target="$base:anna" --isns-server="$server_ip" --isns-register=never
says "$server_ip:3260" "lunbootd's own targets stay as they are"
! grep -q '192\.0\.2\.9' "$scratch/out.log" || fail "another portal was put to it"
ok "and where they are"

if command -v tgtd >/dev/null; then
    make_namespace "$relay_ns"
    join "$server_ns" vs1 "$relay_ns" vr0
    ip -n "$server_ns" addr add 198.51.100.1/24 dev vs1
    ip -n "$server_ns" link set vs1 up
    ip -n "$relay_ns" addr add 198.51.100.2/24 dev vr0
    ip -n "$relay_ns" link set vr0 up
    ip -n "$relay_ns" route add default via 198.51.100.1
    tgt_namespace=$relay_ns serve_disk
    tgt --mode sys --op update --name iSNSServerIP -v "$server_ip"
    tgt --mode sys --op update --name iSNSServerPort -v 3205
    tgt --mode sys --op update --name iSNSAccessControl -v Off
    tgt --mode sys --op update --name iSNS -v On
    has_tgt() { isns_at iqn.2026-11.test:array --query "iscsi-name=$iqn" && grep -q "$iqn" "$scratch/isnsadm.log"; }
    wait_for 20 "tgt's registration" has_tgt
    ok "tgt registers its target in lunbootd's iSNS"
else
    ok "tgt # SKIP it is not installed"
fi
end lunbootd

# A disk for all is shown to all, and shows nobody the machines that have their own.
truncate -s 8M "$scratch/all.img"
start_lunbootd --config="$scratch/lunbootd.conf" --writes=direct --unknown=serve --read-only "$scratch/all.img"
isns_at iqn.2026-11.test:nobody --query iscsi-node-type=target || fail "isnsadm cannot ask" "$scratch/isnsadm.log"
grep -q 'iqn.2026-11.org.lunboot:all"\?$' "$scratch/isnsadm.log" || fail "it is not shown" "$scratch/isnsadm.log"
ok "a stranger finds the disk of all"
! grep -q ':anna\|:bert' "$scratch/isnsadm.log" || fail "a stranger is shown the machines beside it"
ok "and no machine's own target"
asks iqn.2026-11.test:bert isns --isns-server="$server_ip"
says "iqn.2026-11.org.lunboot:all:bert" "a machine finds its own beside it"
end lunbootd

start_lunbootd --config="$scratch/lunbootd.conf" --isns=off --slp=off
if has_listener "$server_ns" 3205 || has_listener "$server_ns" 427; then fail "a port is open"; fi
ok "each can be switched off"
pass
