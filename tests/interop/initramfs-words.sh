#!/bin/bash
# Kernel command lines as people have them, of dracut.cmdline(7), open-iscsi's README.Debian, MAAS, guides for the
# Raspberry Pi, Oracle Cloud, and open-iscsi's files, given to `lunboot initramfs` with a DHCP server and a target.
# (There is no kernel's initiator in a namespace: a boot that gets so far ends with hand-over, behind the disk.)
. "$(dirname "$0")/lib.sh"
need_lunboot
need tcpdump
make_net
serve_disk
mac=$(ip -n "$client_ns" -o link show vc0 | sed 's/.*ether \([0-9a-f:]*\).*/\1/')
dashes=${mac//:/-}
start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF
# A network behind a router, which DHCP does not name.
in_server sysctl -qw net.ipv4.ip_forward=1
ip -n "$server_ns" addr add 192.0.2.254/24 dev vs0
ip -n "$server_ns" addr add 198.51.100.1/32 dev lo
tgt_name=tgtd-behind start_tgt 198.51.100.1:3261
tgt_name=tgtd-behind tgt_target 1 "$iqn"
tgt_name=tgtd-behind tgt_lun 1 1 "$scratch/disk.img"
mkdir -p "$scratch/sys/class/net" "$scratch/root/etc/iscsi"

# words LINE: lunboot with this kernel command line. $scratch/shown.log has what it said.
words() {
    echo "$1" >"$scratch/cmdline"
    run_lunboot initramfs --kernel-cmdline="$scratch/cmdline" --sysfs="$scratch" --run="$scratch/run" \
        --root="$scratch/root"
    tr '\r' '\n' <"$scratch/err.log" | grep -v '\.\.\.' >"$scratch/shown.log" || true
}

# boots WHAT LINE [PATTERN]: to the disk.
boots() {
    words "$2"
    grep -q '(hand-over)' "$scratch/err.log" || fail "$1: $2" "$scratch/shown.log"
    grep -qE '^ .* disk  *VIRTUAL-DISK' "$scratch/shown.log" || fail "$1: no disk: $2" "$scratch/shown.log"
    [ -z "${3:-}" ] || grep -qE -- "$3" "$scratch/shown.log" || fail "$1: no $3" "$scratch/shown.log"
    ok "$1"
}

# is_silent LINE
is_silent() {
    words "$1"
    if [ "$status" != 0 ] || [ -s "$scratch/err.log" ] || [ -s "$scratch/out.log" ]; then
        fail "exit $status: $1" "$scratch/err.log" "$scratch/out.log"
    fi
}

# ends_soon SECONDS: since $before.
ends_soon() {
    local took=$(($(date +%s%N) / 1000000 - before))
    [ "$took" -lt $(($1 * 1000)) ] || fail "that took $took ms"
}

# ---- words ---------------------------------------------------------------------------------------

boots "a guide's line for the Raspberry Pi, words in upper case" "console=serial0,115200 console=tty1 ip=dhcp \
ISCSI_INITIATOR=iqn.2026-11.test:pi ISCSI_TARGET_NAME=$iqn ISCSI_TARGET_IP=192.0.2.1 ISCSI_TARGET_PORT=3260 \
ISCSI_TARGET_GROUP=1 rw root=UUID=0000 rootfstype=ext4 elevator=deadline fsck.repair=yes rootwait"
boots "the same in lower case" "ip=::::rpi4:vc0:dhcp root=UUID=0000 iscsi_initiator=iqn.2026-11.test:pi \
iscsi_target_name=$iqn iscsi_target_ip=192.0.2.1 iscsi_target_port=3260 rw"
boots "MAAS's line" "nomodeset iscsi_target_name=$iqn iscsi_target_ip=192.0.2.1 iscsi_target_port=3260 \
iscsi_initiator=maas-enlist ip=::::maas-enlist:BOOTIF ip6=off ro \
root=/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-$iqn-lun-1 overlayroot=tmpfs cc:{'datasource_list': ['MAAS']}end_cc \
cloud-config-url=http://192.0.2.1/x apparmor=0 log_host=192.0.2.1 BOOTIF=01-$dashes"
boots "Oracle Cloud's line" "root=UUID=0000 ro crashkernel=auto LANG=en_US.UTF-8 console=tty0 console=ttyS0,9600 \
netroot=iscsi:@192.0.2.1::::$iqn rd.luks=0 rd.md=0 rd.dm=0 rd.lvm=0 ip=dhcp rd.net.timeout.carrier=5 \
iscsi_initiator=iqn.2015-02.example.boot:instance netroot=iscsi:@192.0.2.1::::$iqn"
boots "Fedora's line for a diskless machine" "ro ip=dhcp rd.peerdns=0 nameserver=192.0.2.1 \
root=/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-$iqn-lun-1 netroot=iscsi:192.0.2.1::::$iqn rhgb quiet"
boots "a name that is none, of a person" "ip=dhcp netroot=iscsi:192.0.2.1:::1:$iqn rd.iscsi.initiator=initiator"
ip -n "$server_ns" addr add 2001:db8:77::2/64 dev vs0 nodad
tgt_name=tgtd-v6 start_tgt '[2001:db8:77::2]:3260'
tgt_name=tgtd-v6 tgt_target 1 "$iqn"
tgt_name=tgtd-v6 tgt_lun 1 1 "$scratch/disk.img"
boots "IPv6, with a fixed address" "ip=[2001:db8:77::50]::[2001:db8:77::1]:64::vc0:none \
netroot=iscsi:[2001:db8:77::2]::::$iqn" 'disk .*2001:db8:77::2'
boots "PXELINUX's ip= of four fields" "ip=192.0.2.60:192.0.2.1:192.0.2.254:255.255.255.0 BOOTIF=01-$dashes \
netroot=iscsi:192.0.2.1::::$iqn"
boots "the words of dracut, of which some have no use here" "rd.iscsi.target.name=$iqn rd.iscsi.target.ip=192.0.2.1 \
rd.iscsi.target.lun=1 rd.iscsi.target.group=1 rd.iscsi.login_retry_max=2 rd.iscsi.waitnet=1 rd.iscsi.testroute=1 \
rd.iscsi.transport=tcp rd.neednet=1 rd.peerdns=0 rd.unknown=1 iscsi_unknown=1"
boots "words that are wrong, and that a boot can do without" "ip=192.0.2.60::192.0.2.254:255.255.255.0:-h:vc0:none \
nameserver=bad rd.route=bad netroot=iscsi:192.0.2.1::::$iqn" 'nameserver=bad is no IP address'
boots "of two ip= the one whose card is there" "ip=eth7:dhcp ip=vc0:dhcp netroot=iscsi:192.0.2.1::::$iqn"
boots "the table is asked for, there is none, and the words name a disk" "iscsi_auto iscsi_target_name=$iqn \
iscsi_target_ip=192.0.2.1 ip=dhcp"
boots "RHCOS's method of ip=" "rd.neednet=1 ip=vc0:dhcp,dhcp6 netroot=iscsi:192.0.2.1:::1:$iqn"
boots "a card that is named by ifname=" "ifname=san0:$mac ip=san0:dhcp netroot=iscsi:192.0.2.1:::1:$iqn"
boots "a card that is named by its address" "ip=$dashes:dhcp netroot=iscsi:192.0.2.1:::1:$iqn"
boots "with colons, too" "ip=$mac:dhcp netroot=iscsi:192.0.2.1:::1:$iqn"
boots "a card of BOOTIF= that is not there: another one" \
    "BOOTIF=01-52-54-00-00-00-01 ip=dhcp netroot=iscsi:192.0.2.1:::1:$iqn" 'any card'
boots "root=dhcp" "root=dhcp ip=dhcp"
boots "netroot=dhcp" "root=UUID=0000 netroot=dhcp ip=dhcp"
boots "a route" "ip=192.0.2.60:::255.255.255.0::vc0:none rd.route=198.51.100.0/24:192.0.2.254:vc0 \
netroot=iscsi:198.51.100.1::3261:1:$iqn" 'connect .*198\.51\.100\.1:3261'

# Others, as people have them.
while IFS='|' read -r what line; do
    line=${line//ROOT/netroot=iscsi:192.0.2.1}
    boots "$what" "${line//TARGET/$iqn}"
done <<LINES
a port behind the address|ip=dhcp iscsi_target_name=TARGET iscsi_target_ip=192.0.2.1:3260 root=UUID=0000
ISCSI: in capitals|ip=dhcp netroot=ISCSI:192.0.2.1::::TARGET
quotes around a value|ip=dhcp netroot="iscsi:192.0.2.1:::1:TARGET"
root=iscsi: with an empty account|ip=dhcp root="iscsi:@192.0.2.1::3260:1:TARGET"
a protocol in words|ip=dhcp ROOT:TCP:3260:1:TARGET
a length for the netmask, and a resolver|ip=192.0.2.60::192.0.2.254:24:host:vc0:off:192.0.2.1 ROOT::::TARGET
ten fields of ip=|ip=192.0.2.60::192.0.2.254:255.255.255.0:host.a.example:vc0:none:192.0.2.1:192.0.2.2:192.0.2.3 \
ROOT::::TARGET
the card by its address in ip=|ip=192.0.2.60::192.0.2.254:255.255.255.0::$dashes:none ROOT::::TARGET
an MTU and an address behind it|ip=vc0:dhcp:1500:$mac ROOT::::TARGET
a name of udev's|ip=enx${mac//:/}:dhcp ROOT::::TARGET
BOOTIF= with colons and capitals|BOOTIF=01:${mac^^} ip=dhcp ROOT::::TARGET
bootdev= of ifname=|ifname=bootnet:$dashes bootdev=bootnet ip=bootnet:dhcp ROOT::::TARGET
the kernel's form with the method alone|ip=::::::dhcp ROOT::::TARGET
no ip= at all|ROOT::::TARGET
an interface of open-iscsi and a card|ip=dhcp ROOT::3260:default:vc0:1:TARGET
a by-path of a PCI card|ip=dhcp root=/dev/disk/by-path/pci-0000:00:03.0-ip-192.0.2.1:3260-iscsi-TARGET-lun-1-part1 \
ROOT::::TARGET
words behind three dashes|ip=dhcp --- ROOT::::TARGET quiet
an installer's words|ip=192.0.2.60 netmask=255.255.255.0 gateway=192.0.2.254 nameserver=192.0.2.1 ksdevice=bootif \
BOOTIF=01-$dashes ROOT::::TARGET
an empty initiator's name and empty accounts|ip=dhcp iscsi_initiator= iscsi_username= iscsi_password= \
iscsi_target_name=TARGET iscsi_target_ip=192.0.2.1
a route to one address|ip=192.0.2.60:::255.255.255.0::vc0:none rd.route=198.51.100.1:192.0.2.254:vc0 \
netroot=iscsi:198.51.100.1::3261:1:TARGET
a route for all the rest|ip=192.0.2.60:::255.255.255.0::vc0:none rd.route=default:192.0.2.254 \
netroot=iscsi:198.51.100.1::3261:1:TARGET
the first of two portals has no way|ip=192.0.2.60::192.0.2.254:24::vc0:none netroot=iscsi:[2001:db8:77::2]::::TARGET \
ROOT::::TARGET
a table that is not there, beside a disk that is named|rd.iscsi.firmware=1 ip=ibft ROOT::::TARGET
LINES
printf 'ip=dhcp\tnetroot=iscsi:192.0.2.1::::%s\r\n' "$iqn" >"$scratch/cmdline"
boots "tabs, and the line ends of another system" "$(cat "$scratch/cmdline")"
before=$(($(date +%s%N) / 1000000))
boots "a fixed address of IPv6 without a router" "ip=[2001:db8:77::50/64]::::host:vc0:none \
netroot=iscsi:[2001:db8:77::2]::::$iqn" 'disk .*2001:db8:77::2'
ends_soon 3
ok "and nobody waits for a router where the disk is on the link"

mkdir -p "$scratch/root/etc/cmdline.d"
printf '# of dracut.conf\nrd.iscsi.initiator=iqn.2026-11.test:of-a-file\n' \
    >"$scratch/root/etc/cmdline.d/01-default.conf"
printf 'netroot=iscsi:192.0.2.1::::%s\nip=dhcp' "$iqn" >"$scratch/root/etc/cmdline.d/95iscsi.conf"
echo "netroot=iscsi:192.0.2.99::::$iqn" >"$scratch/root/etc/cmdline.d/not-this.one"
boots "what dracut.conf's kernel_cmdline= left in /etc/cmdline.d" "root=UUID=0000 ro quiet"
rm -r "$scratch/root/etc/cmdline.d"
echo "netroot=iscsi:192.0.2.1::::$iqn ip=dhcp" >"$scratch/root/etc/cmdline"
boots "and in /etc/cmdline" "root=UUID=0000 ro quiet"
rm "$scratch/root/etc/cmdline"

# ---- several disks -------------------------------------------------------------------------------

boots "of two netroot= the first, where the second is down" "root=/dev/mapper/root \
netroot=iscsi:@192.0.2.1::3260:1:$iqn rd.iscsi.initiator=iqn.2026-11.test:h netroot=iscsi:@192.0.2.77::3260:1:$iqn \
ip=dhcp" '192\.0\.2\.1:3260'
boots "and the second, where the first is down" "root=/dev/mapper/root netroot=iscsi:@192.0.2.77::3260:1:$iqn \
netroot=iscsi:@192.0.2.1::3260:1:$iqn ip=dhcp" 'disk .*192\.0\.2\.1:3260'
boots "the second where the first refuses" "netroot=iscsi:192.0.2.1::3999:1:$iqn netroot=iscsi:192.0.2.1:::1:$iqn"
truncate -s 8M "$scratch/second.img"
tgt_lun 1 2 "$scratch/second.img"
words "netroot=iscsi:192.0.2.1::::$iqn ip=dhcp"
fails_with lun-ambiguous "two LUNs that are disks, and nothing says which" 'LUN 1 .*, LUN 2'
boots "of two LUNs the one of root=" \
    "netroot=iscsi:192.0.2.1::::$iqn root=/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-$iqn-lun-1-part2"
boots "of two LUNs the first, where root= names a file system" "netroot=iscsi:192.0.2.1::::$iqn root=UUID=0000"
tgt --mode logicalunit --op delete --tid 1 --lun 2

# Three disks, and root= says which by what it holds: a GPT's partition, a file system within one, one on a bare disk.
truncate -s 24M "$scratch/gpt.img" "$scratch/bare.img"
sgdisk -n 1:2048:10239 -c 1:efi -n 2:10240:0 -c 2:system -u 2:8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f8 \
    "$scratch/gpt.img" >"$scratch/sgdisk.log"
mke2fs -q -F -t ext4 -L host-root -U 11111111-2222-3333-4444-555555555555 -E offset=$((10240 * 512)) \
    "$scratch/gpt.img" 18000k
mke2fs -q -F -t ext4 -L bare-root "$scratch/bare.img"
tgt_lun 1 2 "$scratch/bare.img"
tgt_lun 1 3 "$scratch/gpt.img"
variable=$scratch/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
mkdir -p "${variable%/*}"
# takes LUN WORDS
takes() {
    boots "of three LUNs, $2: LUN $1" "netroot=iscsi:192.0.2.1::::$iqn $2" "disk .*, LUN $1 "
}
takes 3 root=PARTUUID=8F0C1B6A-2D3E-4F50-8192-A3B4C5D6E7F8
takes 3 root=UUID=11111111-2222-3333-4444-555555555555
takes 3 root=LABEL=host-root
takes 3 root=/dev/disk/by-partlabel/system
takes 2 root=LABEL=bare-root
words "netroot=iscsi:192.0.2.1::::$iqn ip=dhcp"
fails_with lun-ambiguous "three LUNs, and nothing says which" 'LUN 1 .*, LUN 2'
{
    printf '\6\0\0\0'
    printf '8F0C1B6A-2D3E-4F50-8192-A3B4C5D6E7F8\0' | iconv -f ASCII -t UTF-16LE
} >"$variable"
takes 3 ip=dhcp
takes 2 root=LABEL=bare-root
rm "$variable"
tgt --mode logicalunit --op delete --tid 1 --lun 2
tgt --mode logicalunit --op delete --tid 1 --lun 3

# ---- nobody asks ---------------------------------------------------------------------------------

while read -r line; do is_silent "$line"; done <<'LINES'

BOOT_IMAGE=/live/vmlinuz boot=live ip=frommedia quiet
boot=casper netboot=nfs nfsroot=192.0.2.1:/srv ip=dhcp BOOTIF=01-52-54-00-12-34-56
root=UUID=0000 rd.neednet=1 ip=dhcp,dhcp6 ignition.platform.id=metal
root=UUID=0000 ip=vc0:static
root=UUID=0000 ip=192.0.2.34/24:192.0.2.254
root=UUID=0000 BOOTIF=${netX/mac}
root=/dev/sda1 iscsi_initiator=maas-enlist
root=nfs:192.0.2.1:/srv netroot=nbd:192.0.2.1:x
root=/dev/sda1 rd.iscsi.waitnet=0 rd.iscsi.testroute=0 rd.iscsi.login_retry_max=3 rd.iscsi.transport=x
root=/dev/sda1 vlan=vc0.100:vc0 bond=bond0:vc0 team bridge=br0:vc0 nameserver=x rd.route=y iscsi_lun=z
LINES
ok "where nobody asks for a disk, nothing is said, and the exit code is 0"

before=$(($(date +%s%N) / 1000000))
words "root=UUID=0000 ip=dhcp rd.iscsi.ibft=1 rd.iscsi.firmware=1"
fails_with no-ibft "the firmware's table is asked for, and there is none"
ends_soon 2
words "vlan=vc0.100:vc0 ip=vc0.100:dhcp netroot=iscsi:192.0.2.1:::1:$iqn"
fails_with interface-not-made "a VLAN that is not made here" 'vc0\.100, of vlan='
words "bond=bond0:vc0:mode=802.3ad ip=bond0:dhcp netroot=iscsi:192.0.2.1:::1:$iqn"
fails_with interface-not-made "nor is a bond" 'bond0, of bond='
ends_soon 4
ok "all of that is said within two seconds each"

while IFS='|' read -r code what line pattern; do
    words "ip=dhcp netroot=iscsi:${line//TARGET/$iqn}"
    fails_with "$code" "$what" "$pattern"
done <<'LINES'
rootpath-fields|a URL|//192.0.2.1/TARGET/1|iscsi:// URL
rootpath-fields|two colons too few|192.0.2.1:3260:TARGET|two colons are missing
rootpath-fields|a target alone|TARGET|in the server's place
rootpath-server|a portal as SendTargets writes it|192.0.2.1,3260:1:TARGET|a comma
config-value|a LUN with 0x|192.0.2.1::3260:0x1:TARGET|no decimal number
LINES

# ---- secrets -------------------------------------------------------------------------------------

words "ip=dhcp netroot=iscsi:boot:p@ssw0rd12345@192.0.2.1:::1:$iqn"
! grep -q ssw0rd "$scratch/err.log" "$scratch/out.log" || fail "a secret with an @ is shown"
grep -q '192\.0\.2\.1:3260' "$scratch/err.log" || fail "a secret with an @ is split wrongly" "$scratch/err.log"
ok "a secret with an @ is not shown, and is split where the server begins"
pass
