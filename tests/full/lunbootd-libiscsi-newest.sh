#!/bin/bash
# libiscsi's newest test suite against lunbootd: built from its source, and run as interop/lunbootd-libiscsi.sh runs
# Debian's. LUNBOOT_LIBISCSI: a folder with that source (default: deps/libiscsi), which stays as it is.
. "$(dirname "$0")/../interop/lib.sh"
. "$interop/lunbootd.sh"
need_lunbootd
source=${LUNBOOT_LIBISCSI:-$top/deps/libiscsi}
[ -f "$source/test-tool/iscsi-test-cu.c" ] ||
    skip "no source of libiscsi: clone github.com/sahlberg/libiscsi, and name the folder by LUNBOOT_LIBISCSI"
need autoreconf libtoolize make gcc
[ -f /usr/include/CUnit/CUnit.h ] || skip "libcunit1-dev is missing"
cp -r "$source" "$scratch/libiscsi"
cd "$scratch/libiscsi" || exit 1
{ ./autogen.sh && ./configure --enable-test-tool --disable-werror --disable-examples --disable-shared &&
    make -j2; } >"$scratch/build.log" 2>&1 || fail "libiscsi cannot be built" "$scratch/build.log"
ok "libiscsi's suite is built"
status=0
LUNBOOT_ISCSI_TEST_CU=$scratch/libiscsi/test-tool/iscsi-test-cu LUNBOOT_SUITE_MISSES=10 LUNBOOT_SUITE_SLOW=yes \
    "$interop/lunbootd-libiscsi.sh" >"$scratch/suites.log" 2>&1 || status=$?
grep '^#' "$scratch/suites.log"
[ "$status" = 0 ] || fail "the suite fails" "$scratch/suites.log"
sed -n 's/^ok [0-9]* - //p' "$scratch/suites.log" >"$scratch/points"
while read -r line; do ok "$line"; done <"$scratch/points"
pass
