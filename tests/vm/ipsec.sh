# Sourced by ipsec-*.sh after lib.sh and takeover.sh: LIO behind strongSwan, both in a guest with the kernel's ESP.
# shellcheck shell=bash disable=SC2154,SC2034

charon=/usr/lib/ipsec/charon
psk='a secret of 16 bytes or more'
esp_modules=(esp4 esp6 xfrm_user gcm ctr seqiv ghash-generic sha512_generic drbg)

# add_libraries FILE...: what these programs and libraries need, into the next guest's initramfs.
add_libraries() {
    local extra=$scratch/initramfs-extra library
    ldd "$@" 2>/dev/null | grep -o '/[^ :]*' | sort -u | while read -r library; do
        mkdir -p "$extra$(dirname "$library")"
        [ -e "$extra$library" ] || cp -L "$library" "$extra$library"
    done
}

# add_block: for the next guest, `block ADDRESS ANY`: what the ports of iSCSI at ADDRESS say and hear is dropped
# where no policy of an IKE daemon stands above (docs/ipsec.md).
add_block() {
    local extra=$scratch/initramfs-extra
    mkdir -p "$extra/iproute2"
    cp "$(command -v ip)" "$extra/iproute2/"
    add_libraries "$(command -v ip)"
    cat >>"$extra/lio-steps" <<'STEPS'
block() {
    /iproute2/ip xfrm policy add src "$1" dst "$2" proto 6 sport 3260 dir out action block priority 4000000000 ||
        die "block"
    /iproute2/ip xfrm policy add src "$2" dst "$1" proto 6 dport 3260 dir in action block priority 4000000000 ||
        die "block"
}
block 192.0.2.1 0.0.0.0/0
STEPS
}

# add_strongswan [SECONDS]: charon for the next guest, by the recipe of integration/ipsec; where SECONDS are
# given it renews the child's keys after so long; they are good for longer, where nobody answers.
add_strongswan() {
    local extra=$scratch/initramfs-extra plugin plugins=/usr/lib/ipsec/plugins
    [ -x "$charon" ] || skip "strongSwan's charon is not installed (strongswan-charon)"
    need swanctl
    mkdir -p "$extra"/{run,var,lib,etc/swanctl,bin} "$extra$plugins"
    ln -s /run "$extra/var/run"
    for plugin in random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-netlink socket-default vici; do
        cp "$plugins/libstrongswan-$plugin.so" "$extra$plugins/"
    done
    cp "$charon" "$(command -v swanctl)" "$extra/bin/"
    add_libraries "$charon" "$(command -v swanctl)" "$extra$plugins"/*.so
    cp -L "$(ldconfig -p | sed -n 's/.*libgcc_s.so.1.*x86-64.* => //p')" "$extra/lib/" # for pthread_cancel
    cat >"$extra/etc/strongswan.conf" <<'CONF'
charon {
    load = random nonce openssl gcm hmac kdf sha1 sha2 aes kernel-netlink socket-default vici
    filelog { stderr { default = 1 } }
    plugins { vici { socket = unix:///run/vici } }
}
swanctl { socket = unix:///run/vici }
CONF
    sed -e "s/secret = .*\"/secret = \"$psk\"/" "$top/integration/ipsec/swanctl.conf" >"$extra/etc/swanctl/swanctl.conf"
    [ $# = 0 ] || sed -i \
        "s/esp_proposals/rekey_time = $1s\n        rand_time = 1s\n        life_time = 1h\n        esp_proposals/" \
        "$extra/etc/swanctl/swanctl.conf"
    cat >>"$extra/lio-steps" <<'STEPS'
mkdir -p /run
export STRONGSWAN_CONF=/etc/strongswan.conf SWANCTL_DIR=/etc/swanctl
start_charon() {
    rm -f /run/vici /run/charon.pid
    /bin/charon 2>&1 | sed 's/^/charon: /' &
    for i in $(seq 100); do [ -S /run/vici ] && break; sleep 0.2; done
    /bin/swanctl --load-all >/dev/null 2>&1 || die "swanctl"
}
start_charon
# Whoever connects to port 7 has charon killed and started again.
while nc -l -p 7 </dev/null >/dev/null; do
    killall -9 charon
    start_charon
    echo CHARON-RESTARTED
done &
STEPS
}

restart_strongswan() {
    in_server timeout 10 bash -c ': >/dev/tcp/192.0.2.1/7' || fail "the guest of strongSwan does not listen"
}

# start_ipsec_lio [SECONDS]: as start_lio, behind strongSwan.
start_ipsec_lio() {
    rm -rf "$scratch/initramfs-extra"
    add_block
    add_strongswan "$@"
    start_prepared_lio
}

# start_prepared_lio: as start_lio, with the kernel's ESP, and what lies in $scratch/initramfs-extra.
start_prepared_lio() {
    lio_modules=("${esp_modules[@]}")
    start_lio
    rm -rf "$scratch/initramfs-extra"
    guest_modules+=("${esp_modules[@]}")
}

# all_is_esp: no packet was in clear, and many were not.
all_is_esp() {
    none_in_clear
    [ "$(esp_packets)" -gt 500 ] || fail "few packets of ESP: $(esp_packets)"
    ok "$(esp_packets) packets of ESP"
}

esp_packets() {
    tcpdump -n -r "$scratch/capture.pcap" 'ip proto 50 or ip6 proto 50' 2>/dev/null | wc -l
}

# add_ipv6: LIO's plain target at 2001:db8:77::10 as well.
add_ipv6() {
    cat >>"$scratch/initramfs-extra/lio-steps" <<'STEPS'
/iproute2/ip addr add 2001:db8:77::10/64 dev eth0 nodad || die "IPv6"
mkdir "$fabric/$iqn-plain/tpgt_1/np/[2001:db8:77::10]:3260" || die "portal"
block 2001:db8:77::10 ::/0
STEPS
}

# boots_through NAME SERVER ID PSK LINES...: a guest reads and writes the plain target's disk at SERVER through the
# kernel's ESP; LINES are of its lunboot.conf.
boots_through() {
    local name=$1 server=$2 id=$3 key=$4
    shift 4
    rm -rf "$scratch/initramfs" "$scratch/initramfs-extra"
    mkdir -p "$scratch/initramfs-extra/etc"
    {
        printf '%s\n' "require = ipsec" "ipsec-psk = $key" "ipsec-id = $id" "ipsec-peer-id = server.example"
        printf '%s\n' "rootpath = iscsi:$server:::0:iqn.2026-11.test:lio-plain" "$@"
    } >"$scratch/initramfs-extra/etc/lunboot.conf"
    chmod 600 "$scratch/initramfs-extra/etc/lunboot.conf"
    start_capture "$server_ns" br0 -s 96 -B 32768
    start_client <<'STEPS'
boot --config=/etc/lunboot.conf
echo "GUEST-SHA: $(sha256sum <$device)"
dd if=$device of=/tmp/part bs=64k count=16 2>/dev/null
dd if=/tmp/part of=$device bs=64k conv=fsync 2>/dev/null || die write
echo "GUEST-STATE: $(session state)"
STEPS
    finish_client
    stop_capture
    make_bytes "$scratch/expected.img" $((8 << 20))
    told "GUEST-SHA: $(sha256 "$scratch/expected.img")" "$name: the disk is read"
    told "GUEST-STATE: LOGGED_IN" "$name: and written"
    none_in_clear "$name"
}

# give_client_keys [PSK]: in the next guest's /etc/lunboot.conf.
give_client_keys() {
    mkdir -p "$scratch/initramfs-extra/etc"
    cat >"$scratch/initramfs-extra/etc/lunboot.conf" <<CONF
require = ipsec
ipsec-psk = ${1:-$psk}
ipsec-id = client.example
ipsec-peer-id = server.example
CONF
    chmod 600 "$scratch/initramfs-extra/etc/lunboot.conf"
}

# swanctl_connection ID MODE [REMOTE_TS]: strongSwan's for one machine, with a key of its own.
swanctl_connection() {
    cat <<CONF
connections { ${1%%.*} {
    version = 2
    local_addrs = 192.0.2.1,2001:db8:77::10
    remote_addrs = %any
    proposals = aes256gcm16-prfsha256-x25519-ecp256
    local { auth = psk
        id = server.example }
    remote { auth = psk
        id = $1 }
    children { disk {
        mode = $2
        local_ts = dynamic
        remote_ts = ${3:-dynamic}
        esp_proposals = aes256gcm16-x25519-ecp256 } } } }
secrets { ike-${1%%.*} { id-1 = $1
    id-2 = server.example
    secret = "the secret of $1" } }
CONF
}

# start_lio_for_peers: as start_ipsec_lio, over both families, where strongSwan knows no address of its machines: it
# finds each one's own key by its identity. tunnel.example, transport.example; nat.example comes from 198.51.100.0/24.
start_lio_for_peers() {
    local swanctl_conf=$scratch/initramfs-extra/etc/swanctl/swanctl.conf neighbours
    add_block
    add_strongswan
    neighbours=$(sed -n '/^connections { neighbours/,/ } } } }$/p' "$swanctl_conf")
    {
        echo "$neighbours"
        swanctl_connection tunnel.example tunnel
        swanctl_connection transport.example transport
        swanctl_connection nat.example tunnel 198.51.100.0/24
    } >"$swanctl_conf"
    add_ipv6
    start_prepared_lio
}

# put_behind_nat: the machine at tap0 moves to br1, 198.51.100.0/24, behind a NAT that changes addresses and ports.
put_behind_nat() {
    in_server ip link add br1 type bridge
    in_server ip addr add 198.51.100.1/24 dev br1
    in_server ip link set br1 up
    in_server ip link set tap0 master br1
    in_server sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    in_server nft -f - <<'NFT'
table ip nat {
    chain post {
        type nat hook postrouting priority 100
        oifname "br0" masquerade random
    }
}
NFT
}

# esp_in_udp: packets of ESP and IKE behind a NAT.
esp_in_udp() {
    tcpdump -n -r "$scratch/capture.pcap" 'udp port 4500' 2>/dev/null | wc -l
}
