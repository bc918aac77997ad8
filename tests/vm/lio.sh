#!/bin/bash
# LIO, the Linux kernel's own target (Debian's kernel in a QEMU guest): plain, CHAP with SHA-256 and
# SHA3-256 (and MD5, SHA-1), mutual CHAP, digests, and discovery by SendTargets. One boot of the guest
# carries all the targets.
. "$(dirname "$0")/../interop/lib.sh"
. "$(dirname "$0")/kernel.sh"
need_lunboot
need tshark qemu-system-x86_64 busybox
find_kernel
make_bridged_net
in_server ip tuntap add tap0 mode tap
bridge_port tap0
make_gpt_disk "$scratch/disk.img"
make_bytes "$scratch/scratch.img" $((16 << 20)) 9
start_lio_guest tap0

# serves NAME: the target that the next commands are about.
read_bytes=$((8 << 20)) # emulation is slow
serves() {
    iqn=iqn.2026-11.test:lio-$1
    rootpath="iscsi:192.0.2.1:::0:$iqn"
}
serves plain
server_interface=br0 start_dnsmasq <<CONF
port=0
dhcp-range=192.0.2.100,192.0.2.200,1h
dhcp-option=option:root-path,"$rootpath"
CONF
boot_then_read
succeeds "a bare interface boots from LIO"
read_the_loader
ip -n "$client_ns" addr flush dev vc0
give_client_address

reads_the_disk "LIO, plain"
start_capture "$client_ns" vc0 tcp port 3260
read_disk 0 512 "$scratch/block"
stop_capture
round_trips=$(count_round_trips 192.0.2.1)
# LIO opens a window of one command at first: the questions to the disk take a second round trip.
[ "${round_trips:-99}" -le 5 ] || fail "LIO: $round_trips round trips to the first block" "$scratch/packets"
ok "LIO: from SYN to the first block: $round_trips round trips"
serves digests
reads_the_disk "LIO, digests that it insists on" --header-digest=prefer --data-digest=prefer
serves plain
reads_the_disk "LIO, digests that we require" --require=header-digest,data-digest
chap=(--chap-name=boot --chap-secret=boot-secret-0123)
serves chap
reads_the_disk "LIO, CHAP with the algorithms as they come" "${chap[@]}" --require=chap
for algorithm in sha3-256 sha256 sha1 md5; do
    reads_the_disk "LIO, CHAP with $algorithm" "${chap[@]}" --chap-algorithms=$algorithm
done
serves mutual
mutual=(--chap-target-name=disk --chap-target-secret=disk-secret-4567)
reads_the_disk "LIO, mutual CHAP" "${chap[@]}" "${mutual[@]}" --require=mutual-chap
reads_the_disk "LIO, mutual CHAP with SHA3-256" "${chap[@]}" "${mutual[@]}" \
    --chap-algorithms=sha3-256
probe "${chap[@]}" "${mutual[0]}" --chap-target-secret=wrong-secret-4567
fails_with auth-target "LIO with a wrong secret of the target" "$iqn"
serves chap
probe "${chap[0]}" --chap-secret=wrong-secret-0123
fails_with auth-failed "LIO with a wrong secret of ours" "$iqn"
probe
fails_with auth-needed "LIO wants CHAP and none is configured" "$iqn"
serves closed
probe
fails_with not-authorised "LIO with an access list that lacks us" "$iqn"
serves plain
rootpath="iscsi:192.0.2.1:::5:$iqn"
probe
fails_with lun-missing "LIO without that LUN" "$iqn"

run_lunboot probe --server=192.0.2.1
succeeds "LIO is asked for its targets"
says 'iqn\.2026-11\.test:lio-plain' "SendTargets lists the first target"
says 'iqn\.2026-11\.test:lio-mutual' "SendTargets lists the others"

if [ -x "$exercise" ]; then
    lunboot=$exercise
    for name in plain digests; do
        run_lunboot --rootpath="iscsi:192.0.2.1:::1:iqn.2026-11.test:lio-$name" --write-verify=8M \
            --header-digest=prefer --data-digest=prefer
        succeeds "LIO, $name: what is written reads back"
    done
fi
pass
