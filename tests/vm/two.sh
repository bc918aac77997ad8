# Sourced by full/ipsec-two-*.sh after ipsec.sh: the client of takeover/two, and what it has to tell.
# shellcheck shell=bash disable=SC2154

# start_two [QEMU ARGUMENTS...] <<STEPS: the client with the key $psk of $id (client.example) in lunboot.conf, and
# with another identity in other.conf; STEPS set what takeover/two wants to know.
start_two() {
    local extra=$scratch/initramfs-extra
    give_client_keys
    sed -i "s/^ipsec-id = .*/ipsec-id = ${id:-client.example}/" "$extra/etc/lunboot.conf"
    sed 's/^ipsec-id = .*/ipsec-id = other.example/' "$extra/etc/lunboot.conf" >"$extra/etc/other.conf"
    chmod 600 "$extra/etc/other.conf"
    cp "$top/tests/vm/takeover/two" "$extra/two"
    start_capture "$server_ns" br0 -s 96 -B 32768
    { cat && echo '. /two'; } | start_client -m 384 "$@"
}

# told_two WITH_TWO WITH_THREE: it has ended, and all is well; so many processes have the keys of two disks, of three.
told_two() {
    local sum
    finish_client 300
    stop_capture
    make_bytes "$scratch/expected.img" $((8 << 20))
    sum=$(sha256 "$scratch/expected.img")
    told "GUEST-READ: $sum" "lunboot read reads the disk that the system runs from"
    told "GUEST-READ-OTHER: $sum" "and another disk"
    told 'GUEST-STRANGE: ipsec-auth' "but none with another identity"
    told 'GUEST-FIRST: 0 errors, 1 process, good' "the first disk's session does not notice"
    told "GUEST-SECOND: $1, good" "a second disk is there; processes that keep keys: $1"
    told "GUEST-THIRD: $2, good good good" "and a third; processes that keep keys: $2"
    told 'GUEST-QUIET: 0 errors, 0 lost' "and none ends another's"
    all_is_esp
}
