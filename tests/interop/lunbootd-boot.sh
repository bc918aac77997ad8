#!/bin/bash
# lunbootd alone serves a machine that has nothing but a cable: address, Root Path and disk.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
make_net
make_gpt_disk "$scratch/disk.img"
start_lunbootd "$scratch/disk.img"
name=iqn.2026-11.org.lunboot:disk
rootpath="iscsi:$server_ip::3260:0:$name"

boot_then_read
succeeds "a bare interface boots from lunbootd alone"
saw "inet 192\.0\.2\.[0-9]+/24" "the address and the mask are lunbootd's"
saw "LUNBOOT_.*$name" "the disk is the one that lunbootd names"
read_the_loader
lunbootd_says "[0-9a-f:]{17}  is given 192\.0\.2\.[0-9]+ by DHCP, disk $name" "the address is told"
lunbootd_says "192\.0\.2\.[0-9]+ +logged in as iqn\.2026-11\.org\.lunboot:" "the login is told"
lunbootd_says "192\.0\.2\.[0-9]+ +reads its disk" "reading is told"
lunbootd_says "logged? ?out.*it read [0-9.]+ MiB and wrote 0 bytes" "the end is told, with what was read"

give_client_address
probe
succeeds "a probe of the disk succeeds"
says "$name" "the probe names the target"
says 'BOOTX64\.EFI' "the probe finds the loader"
reads_the_disk "the whole disk is read"
run_lunboot probe --server="$server_ip"
succeeds "lunbootd is asked for its targets"
says "$name" "SendTargets lists the target"

# What it says when it cannot start.
lunbootd_refuses "no interface" 'there is no interface vs7; there are .*vs0' 'interface=NAME' \
    --interface=vs7 "$scratch/disk.img"
lunbootd_refuses "no disk" "the disk $scratch/none.img cannot be opened: No such file" 'truncate' \
    --interface=vs0 "$scratch/none.img"
: >"$scratch/empty.img"
lunbootd_refuses "an empty disk" 'empty.img is empty' 'larger' --interface=vs0 "$scratch/empty.img"
lunbootd_refuses "a folder" 'neither a file nor a block device' 'raw image' --interface=vs0 --read-only \
    "$scratch"
mkfifo "$scratch/fifo"
lunbootd_refuses "a FIFO" 'neither a file nor a block device' 'raw image' --interface=vs0 "$scratch/fifo"
lunbootd_refuses "a terminal" 'neither a file nor a block device' 'raw image' --interface=vs0 /dev/tty
lunbootd_refuses "a disk in use" "another program is using the disk $scratch/disk.img" 'fuser' \
    --interface=vs0 "$scratch/disk.img"
make_bytes "$scratch/other.img" 1048576
lunbootd_refuses "a port in use" 'DHCP: another program has port 67' 'ss -lnp sport = :67' \
    --interface=vs0 "$scratch/other.img"
lunbootd_refuses "iSCSI's port in use" 'iSCSI: another program has port 3260' 'another port' \
    --interface=vs0 --dhcp=off --tftp=no --http=no "$scratch/other.img"
lunbootd_refuses "an interface without an address" 'lo has no IPv4 address|dhcp-range is not within' '.' \
    --interface=lo --dhcp-range=192.0.2.5-192.0.2.9 "$scratch/other.img"
lunbootd_refuses "a network's own address to give" 'has 192\.0\.2\.0, which no machine of 192\.0\.2\.0/24' 'leave out' \
    --interface=vs0 --tftp=no --http=no --dhcp=server --dhcp-range=192.0.2.0-192.0.2.9 "$scratch/other.img"
lunbootd_refuses "a broadcast address to give" 'has 192\.0\.2\.255, which no machine of 192\.0\.2\.0/24' 'leave out' \
    --interface=vs0 --tftp=no --http=no --dhcp=server --dhcp-range=192.0.2.90-192.0.2.255 "$scratch/other.img"
lunbootd_refuses "an unknown key" 'the command line: there is no key "disc"' 'help' --disc=x
lunbootd_refuses "a wrong value" 'port cannot be "70000"' 'a number from 1 to 65535' --port=70000 x
lunbootd_refuses "no interface named" 'which network interface' 'interface=NAME' "$scratch/disk.img"
lunbootd_refuses "no disk named" 'which disk' 'DISK' --interface=vs0

end lunbootd
grep -q ' ends$' "$scratch/lunbootd.log" || fail "lunbootd did not end in order"
ok "SIGTERM ends it in order"

make_gpt_disk "$scratch/disk.img" 4096
start_lunbootd "$scratch/disk.img"
probe
succeeds "a disk with blocks of 4096 bytes is served with them"
says 'blocks of 4096 bytes' "the probe sees its blocks"
says 'BOOTX64\.EFI' "and finds the loader"
end lunbootd
pass
