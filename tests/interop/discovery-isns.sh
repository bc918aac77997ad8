#!/bin/bash
# Discovery through open-isns, with tgt as the target: by the target's name, by the boot list with no Root
# Path at all, with a first portal that is dead; and what a person who looks is told.
. "$(dirname "$0")/lib.sh"
need_lunboot
need isnsd isnsadm
initiator=iqn.2026-11.test:client1

start_isns() {
    cat >"$scratch/isnsd.conf" <<CONF
Database = $scratch/isns-db
SourceName = iqn.2026-11.test:isnsd
Security = 0
RegistrationPeriod = 10m
DefaultDiscoveryDomain = 0
SLPRegister = 0
PIDFile = $scratch/isnsd.pid
ControlSocket = $scratch/isns-control
CONF
    spawn isnsd ip netns exec "$server_ns" isnsd -f -4 -c "$scratch/isnsd.conf"
    wait_for 15 "isnsd listening" has_listener "$server_ns" 3205
}

# isns NAME ARGUMENTS...: isnsadm as the node of this name.
isns() {
    cat >"$scratch/isnsadm.conf" <<CONF
SourceName = $1
ServerAddress = 127.0.0.1
Security = 0
CONF
    shift
    in_server isnsadm -c "$scratch/isnsadm.conf" "$@" >>"$scratch/isnsadm.log" 2>&1 ||
        echo "isnsadm $*: exit code $?" >>"$scratch/isnsadm.log"
}

dhcp() { # dhcp [ROOT_PATH]
    end dnsmasq
    start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=83,00:01:00:00:00:00:00:00:00:00:c0:00:02:01
${1:+dhcp-option=option:root-path,"$1"}
CONF
}

make_net
serve_disk
start_isns
isns iqn.2026-11.test:admin --register entity=srv1 "target=$iqn,alias=boot" \
    "portal=192.0.2.1:3260" pg,pgt=1 "control"
isns "$initiator" --register "initiator=$initiator"
isns iqn.2026-11.test:admin --dd-register dd-name=boot "dd-member-name=$iqn" \
    "dd-member-name=$initiator" 'dd-features=Boot list enabled'

dhcp "iscsi::::1:$iqn"
boot --initiator="$initiator"
succeeds "a Root Path without a server boots through iSNS"
says 'iSNS server 192\.0\.2\.1' "the report names who knew the target"
says 'DHCP option 83' "and who named the iSNS server"

dhcp
boot --initiator="$initiator" --lun=1
succeeds "without any Root Path the boot list is booted"
says 'iSNS: boot list|boot list' "the report says so"

boot --initiator=iqn.2026-11.test:unknown --lun=1
fails_with discovery-empty "a machine in no domain" 'iSNS server 192\.0\.2\.1:3205'

give_client_address
run_lunboot discover --isns-server=192.0.2.1 --initiator="$initiator" --discovery=isns --json
succeeds "a person who looks sees the target"
says "\"targetname\":\"$iqn\",\"server\":\"192.0.2.1\",\"port\":3260" "with its portal"
says '"boot_list":true,"refused":null' "named for booting"
says '"first":0' "and that it would be booted"
run_lunboot discover --interface=vc0 --initiator="$initiator" --discovery=isns
succeeds "an interface is named: DHCP is asked for offers"
says 'DHCP option 83' "and knows the iSNS server"
says "a boot would try first" "which knows the disk"
run_lunboot discover --isns-server=192.0.2.1 --initiator="$initiator" --discovery=isns \
    --allow-server=198.51.100.0/24
says 'server-not-allowed' "what the policy refuses is shown as refused"
says 'would try none of them'

isns iqn.2026-11.test:admin --register entity=srv1 "target=$iqn,alias=boot" \
    "portal=192.0.2.77:3260" pg,pgt=1 "portal=192.0.2.1:3260" pg,pgt=1 "control"
run_lunboot probe --target="$iqn" --lun=1 --isns-server=192.0.2.1 --initiator="$initiator" --discovery=isns
succeeds "with a dead portal beside it the disk is reached"
pass
