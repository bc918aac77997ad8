#!/bin/bash
# lunbootd with boot files whose disk does not answer: who fetches one waits, and nobody else does. Neither a machine
# that runs, nor one that logs in, nor DHCP, nor lunbootctl; and once it answers, the files come whole.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3 curl busybox
make_net
give_client_address
truncate -s 32M "$scratch/disk.img" "$scratch/other.img" "$scratch/third.img"
mkdir "$scratch/boot" "$scratch/slow"
make_bytes "$scratch/boot/kernel" 3000001
: >"$scratch/boot/lunbootx64.efi"
mount_slow_files "$scratch/boot" "$scratch/slow"

cat >"$scratch/lunbootd.conf" <<CONF
interface = vs0
dhcp = server
dhcp-range = 192.0.2.100-192.0.2.110
isns = off
slp = off
state = $scratch/state
files = $scratch/slow
target = iqn.2026-11.test:t
unknown = ignore
threads = 2

[machine quick]
mac = 02:00:00:00:00:0b
disk = $scratch/disk.img
writes = direct

[machine next]
mac = 02:00:00:00:00:0c
disk = $scratch/other.img
writes = direct

[machine firmware]
mac = $(in_client cat /sys/class/net/vc0/address)
disk = $scratch/third.img
writes = direct
CONF
start_lunbootd --config="$scratch/lunbootd.conf"
rounds quick
wait_log quick 'done 3 '
ok "a machine writes and reads"

touch "$scratch/hold"
kinds=tftp
grep -q 'has been built without HTTP' "$scratch/lunbootd.log" || kinds="tftp http"
for kind in $kinds; do
    spawn "$kind" ip netns exec "$client_ns" curl -sS --max-time 60 -o "$scratch/$kind.got" "$kind://$server_ip/kernel"
done
sleep 1
quick_goes_on "boot files do not come; a machine that runs goes on"
rounds next
wait_log next 'done 3 '
ok "another one logs in"
in_client timeout 10 busybox udhcpc -i vc0 -n -q -t 3 -T 2 -s /bin/true >"$scratch/udhcpc.log" 2>&1 ||
    fail "DHCP waits" "$scratch/udhcpc.log"
ok "DHCP answers"
ctl list
ctl_says '^quick +192.0.2.50 ' "lunbootctl answers"
for kind in $kinds; do
    [ ! -s "$scratch/$kind.got" ] || fail "$kind: the disk is not slow"
done

rm "$scratch/hold"
for kind in $kinds; do
    for _ in $(seq 300); do
        cmp -s "$scratch/boot/kernel" "$scratch/$kind.got" && break
        sleep 0.1
    done
    same "$scratch/boot/kernel" "$scratch/$kind.got" "the file by $kind"
    ok "$kind: once the disk answers, the file comes whole"
done

# DHCP looks whether the loader is there: it waits for moments, and then what was seen last counts.
firmware() {
    in_client timeout 10 busybox udhcpc -i vc0 -n -q -t 1 -T 2 -V PXEClient:Arch:00007:UNDI:003016 \
        -s "$scratch/udhcpc.sh" >"$scratch/udhcpc.log" 2>&1 || fail "$1: DHCP does not answer" "$scratch/udhcpc.log"
    grep -q '^lunbootx64.efi$' "$scratch/udhcpc.log" || fail "$1: no loader is named" "$scratch/udhcpc.log"
    ok "$1"
}
cat >"$scratch/udhcpc.sh" <<'SCRIPT'
#!/bin/sh
echo "$bootfile"
echo "$boot_file"
SCRIPT
chmod +x "$scratch/udhcpc.sh"
firmware "firmware is told its loader"
touch "$scratch/hold.open"
for _ in 1 2 3; do firmware "and while the folder's disk does not answer"; done
quick_goes_on "a machine that runs goes on meanwhile"
rm "$scratch/hold.open"
firmware "and when it does again"
end quick
end next
end lunbootd
pass
