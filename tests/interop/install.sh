#!/bin/bash
# `meson install` puts everything where it belongs, and a program can be built of what it installed.
. "$(dirname "$0")/lib.sh"
need meson ninja pkg-config cc
[ -e "$top/build/build.ninja" ] || skip "$top/build has not been built"

root=$scratch/root
DESTDIR=$root meson install -C "$top/build" --no-rebuild --quiet >"$scratch/install.log" 2>&1 ||
    fail "meson install ends with an error" "$scratch/install.log"
prefix=$(python3 -c 'import json, sys
print([o["value"] for o in json.load(open(sys.argv[1])) if o["name"] == "prefix"][0])' \
    "$top/build/meson-info/intro-buildoptions.json")
(cd "$root$prefix" && find . ! -type d -printf '%m %P\n' | sed -E 's|lib/[a-z0-9_]+-linux-gnu[a-z0-9]*/|lib/|' |
    LC_ALL=C sort -k 2) >"$scratch/installed"
(cd "$top" && printf '644 include/lunboot/%s\n' core/*/*.h core/base/*.def | grep -v /test_) >"$scratch/expected"
cat >>"$scratch/expected" <<'LIST'
644 lib/dracut/dracut.conf.d/lunboot.conf
755 lib/dracut/modules.d/90lunboot/lunboot-cmdline.sh
755 lib/dracut/modules.d/90lunboot/lunboot-root.sh
755 lib/dracut/modules.d/90lunboot/module-setup.sh
644 lib/liblunboot.a
644 lib/pkgconfig/lunboot.pc
755 sbin/lunboot
644 share/bash-completion/completions/lunboot
644 share/initramfs-tools/conf-hooks.d/lunboot
755 share/initramfs-tools/hooks/lunboot
755 share/initramfs-tools/scripts/local-top/lunboot
644 share/man/man5/lunboot.conf.5
644 share/man/man8/lunboot.8
LIST
[ ! -e "$top/build/lunbootx64.efi" ] || cat >>"$scratch/expected" <<'LIST'
644 lib/lunboot/lunbootaa64.efi
644 lib/lunboot/lunbootx64.efi
LIST
[ ! -e "$top/build/lunbootd" ] || cat >>"$scratch/expected" <<'LIST'
644 lib/systemd/system/lunbootd.service
644 lib/systemd/system/lunbootd.socket
644 lib/sysusers.d/lunbootd.conf
755 sbin/lunbootctl
755 sbin/lunbootd
644 share/bash-completion/completions/lunbootctl
644 share/bash-completion/completions/lunbootd
644 share/doc/lunbootd/examples/lunbootd.conf
644 share/man/man5/lunbootd.conf.5
644 share/man/man8/lunbootctl.8
644 share/man/man8/lunbootd.8
LIST
LC_ALL=C sort -k 2 "$scratch/expected" | diff - "$scratch/installed" >"$scratch/diff.log" ||
    fail "what is installed (>) is not what should be (<)" "$scratch/diff.log"
ok "$(wc -l <"$scratch/installed") files are where they belong"

cat >"$scratch/use.c" <<'C'
#include <core/names/rootpath.h>
#include <core/initiator/initiator.h>
#include <core/crypto/crypto.h>
#include <stdio.h>
#include <stdlib.h>
_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    (void)file, (void)line, (void)what;
    abort();
}
int main(void) {
    struct lb_bytes text = lb_bytes_of_text("iscsi:192.0.2.1:::1:iqn.2026-11.org.example:disk1");
    struct lb_error error = {0};
    struct lb_rootpath path;
    struct lb_rootpath_where where;
    struct lb_hash hash;
    uint8_t digest[LB_HASH_MAX_BYTES];
    lb_hash_init(&hash, LB_HASH_SHA256);
    lb_hash_update(&hash, text);
    printf("%d %zu\n", lb_rootpath_parse(text, 0, &path, &where, &error), lb_hash_finish(&hash, digest));
    return 0;
}
C
pc=$(dirname "$(find "$root" -name lunboot.pc)")
flags=$(PKG_CONFIG_LIBDIR=$pc PKG_CONFIG_SYSROOT_DIR=$root pkg-config --cflags --libs --static lunboot)
# shellcheck disable=SC2086
cc -std=c11 -Wall -Werror -o "$scratch/use" "$scratch/use.c" $flags >"$scratch/cc.log" 2>&1 ||
    fail "a program cannot be built of it with $flags" "$scratch/cc.log"
[ "$("$scratch/use")" = "1 32" ] || fail "it does not parse a Root Path, or has no hash"
ok "a program is built of the headers, the library and lunboot.pc"
[[ $("$root$prefix/sbin/lunboot" --version) == "lunboot "[0-9]* ]] || fail "the installed lunboot does not run"
[ ! -e "$root$prefix/sbin/lunbootd" ] || [[ $("$root$prefix/sbin/lunbootd" --version) == "lunbootd "[0-9]* ]] ||
    fail "the installed lunbootd does not run"
ok "the installed programs run"
pass
