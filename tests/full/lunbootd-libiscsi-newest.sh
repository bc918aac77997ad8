#!/bin/bash
# libiscsi's newest test suite against lunbootd: built from its source, and run as interop/lunbootd-libiscsi.sh runs
# Debian's. The source is a folder that LUNBOOT_LIBISCSI names (it stays as it is), or deps/libiscsi, or what
# Debian's newest suite has.
. "$(dirname "$0")/../interop/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
need autoreconf automake libtoolize make gcc tar
[ -f /usr/include/CUnit/CUnit.h ] || skip "libcunit1-dev is missing"

# apt WORDS...: apt-get with lists and settings of its own; those of the machine stay as they are.
apt() {
    (cd "$scratch/apt" && apt-get -q -o Dir::State="$scratch/apt/state" -o Dir::Cache="$scratch/apt/cache" \
        -o Dir::Etc::SourceList="$scratch/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o APT::Sandbox::User=root "$@") >>"$scratch/apt.log" 2>&1
}

# debian_source: what upstream wrote, as Debian has it, is in $source. apt-get compares it with the signed list.
debian_source() {
    local mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
    need apt-get
    # shellcheck disable=SC2016 # it is apt-get that fills it in
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | sed -n 1p)
    if [ -z "$mirror" ] || [ ! -f "$keys" ]; then
        skip "no source of libiscsi: no mirror of Debian is known here; name a folder by LUNBOOT_LIBISCSI"
    fi
    mkdir -p "$scratch/apt/state" "$scratch/apt/cache" "$source"
    echo "deb-src [signed-by=$keys] $mirror sid main" >"$scratch/apt/sources.list"
    if ! apt update || ! apt source --tar-only libiscsi; then
        skip "no source of libiscsi: $(grep -m1 '^E:' "$scratch/apt.log" || echo apt-get has none)"
    fi
    tar -x --strip-components=1 -C "$source" -f "$(find "$scratch/apt" -name 'libiscsi_*.orig.tar.*')"
}

source=${LUNBOOT_LIBISCSI:-$top/deps/libiscsi}
if [ ! -f "$source/test-tool/iscsi-test-cu.c" ]; then
    [ -z "${LUNBOOT_LIBISCSI:-}" ] || fail "LUNBOOT_LIBISCSI: $source is no source of libiscsi"
    source=$scratch/source
    debian_source
fi
cp -r "$source" "$scratch/libiscsi"
cd "$scratch/libiscsi" || exit 1
# Tests after which the suite waits for ever are left out; they count as ones that do not pass.
# iSCSIDataSnInvalid: iscsi_timeout_scan has a lock that iscsi_pdu_data_out_inprocess takes again (lib/pdu.c).
# AbortTaskSimpleAsync, LUNResetSimpleAsync: they want a write to be in libiscsi's queue still. It has been sent:
#   libiscsi writes each PDU when it is queued (iscsi_add_to_outqueue in lib/socket.c), whatever the target does.
# Simple and Invalid of iSCSISendTargets: they want an answer to SendTargets=All in a normal session, where RFC 7143,
#   appendix C, has "MUST NOT be supported"; after our Reject libiscsi connects anew and does not log in.
sed -i -E '/test_(iscsi_datasn_invalid|async_(abort|lu_reset)_simple|iscsi_sendtargets_(simple|invalid)) *\}/d' \
    test-tool/iscsi-test-cu.c
{ ./autogen.sh && ./configure --enable-test-tool --disable-werror --disable-examples && make -j2; } \
    >"$scratch/build.log" 2>&1 || fail "libiscsi cannot be built" "$scratch/build.log"
ok "libiscsi's suite is built"
# InvalidDataOutSize of CompareAndWrite: it would send another count of blocks than its data has, but what comes has the
# right one, and the blocks are compared (0E/1D/00). Debian's version sends the wrong one, and that is refused.
status=0
LUNBOOT_SUITE_MISTAKES=CompareAndWrite/InvalidDataOutSize \
    LUNBOOT_ISCSI_TEST_CU=$scratch/libiscsi/test-tool/iscsi-test-cu LUNBOOT_SUITE_MISSES=5 LUNBOOT_SUITE_SLOW=yes \
    "$interop/lunbootd-libiscsi.sh" >"$scratch/suites.log" 2>&1 || status=$?
grep '^#' "$scratch/suites.log"
[ "$status" = 0 ] || fail "$(grep -m1 '^not ok' "$scratch/suites.log")" "$scratch/suites.log"
sed -n 's/^ok [0-9]* - //p' "$scratch/suites.log" >"$scratch/points"
while read -r line; do ok "$line"; done <"$scratch/points"
pass
