# Sourced by scripts after takeover.sh and ipsec.sh: libreswan in the guest of LIO. Its packages cannot be installed
# beside strongSwan's: they are unpacked into the cache.
# shellcheck shell=bash disable=SC2154,SC2034

# unpack_libreswan: sets $swan_root.
unpack_libreswan() {
    swan_root=$vm_cache/libreswan
    mkdir -p "$vm_cache"
    exec 7>"$vm_cache/libreswan.lock"
    flock 7
    if [ ! -e "$swan_root/complete" ]; then
        rm -rf "$swan_root"
        mkdir -p "$swan_root/packages"
        (cd "$swan_root/packages" && apt-get -q download libreswan libnss3 libnss3-tools libnspr4 libldns3 \
            libunbound8 libcurl3-nss libevent-core-2.1-7 libevent-pthreads-2.1-7) >"$scratch/apt.log" 2>&1 ||
            skip "libreswan could not be downloaded: $(tail -n 1 "$scratch/apt.log")"
        for package in "$swan_root"/packages/*.deb; do
            dpkg -x "$package" "$swan_root"
        done
        touch "$swan_root/complete"
    fi
    flock -u 7
}

# add_libreswan: pluto for the next guest; connection `tunnel` is for tunnel.example, `transport` for
# transport.example.
add_libreswan() {
    local extra=$scratch/initramfs-extra lib=usr/lib/x86_64-linux-gnu
    export LD_LIBRARY_PATH=$swan_root/$lib
    mkdir -p "$extra"/{run/pluto,var/lib/ipsec/nss,etc,usr/libexec/ipsec,"$lib"}
    cp "$swan_root"/usr/libexec/ipsec/{pluto,addconn,whack} "$extra/usr/libexec/ipsec/"
    touch "$extra/etc/hosts" "$extra/etc/resolv.conf"
    cp -L "$swan_root/$lib"/*.so* "$extra/$lib/"
    LD_LIBRARY_PATH=$swan_root/$lib "$swan_root/usr/bin/certutil" -N -d "sql:$extra/var/lib/ipsec/nss" \
        --empty-password || fail "no database for libreswan's library"
    add_libraries "$extra"/usr/libexec/ipsec/* "$extra/$lib"/*.so*
    unset LD_LIBRARY_PATH
    cat >"$extra/etc/ipsec.conf" <<'CONF'
config setup
conn %default
    left=192.0.2.1
    leftid=@server.example
    right=%any
    authby=secret
    ikev2=insist
    ike=aes_gcm256-sha2_256;dh31,aes_gcm256-sha2_256;dh19
    esp=aes_gcm256
    leftupdown=%disabled
    auto=add
conn tunnel
    rightid=@tunnel.example
    type=tunnel
conn transport
    rightid=@transport.example
    type=transport
CONF
    cat >"$extra/etc/ipsec.secrets" <<'CONF'
@server.example @tunnel.example : PSK "the secret of tunnel.example"
@server.example @transport.example : PSK "the secret of transport.example"
CONF
    cat >>"$extra/lio-steps" <<'STEPS'
export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu
swan=/usr/libexec/ipsec
$swan/pluto --config /etc/ipsec.conf --nssdir /var/lib/ipsec/nss --secretsfile /etc/ipsec.secrets \
    --rundir /run/pluto --nofork --stderrlog 2>&1 | sed 's/^/pluto: /' &
for i in $(seq 100); do [ -S /run/pluto/pluto.ctl ] && break; sleep 0.2; done
$swan/whack --rundir /run/pluto --listen
for connection in tunnel transport; do
    $swan/addconn --config /etc/ipsec.conf --ctlsocket /run/pluto/pluto.ctl $connection || die "$connection"
done
STEPS
}
