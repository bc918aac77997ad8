#!/bin/bash
# Bash completes the commands, keys and values of lunboot, lunbootd and lunbootctl, as integration/ says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot

# completes PROGRAM WORD...: what is offered for the last word, on one line; words as bash splits them, at =.
completes() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    "_$(basename "$1")" "$1" 2>/dev/null
    echo "${COMPREPLY[*]}"
}
# offers WANTED PROGRAM WORD...: WANTED is a pattern.
offers() {
    local wanted=$1 got
    shift
    got=$(completes "$@")
    # shellcheck disable=SC2053
    [[ " $got " == $wanted ]] || fail "for '$*' it offers '$got', not '$wanted'"
    ok "for '$(basename "$1") ${*:2}': $got"
}
compopt() { :; } # there is no completion under way
. "$top/integration/bash-completion/lunbootd"
. "$top/integration/bash-completion/lunboot"
offers ' --writes= ' lunbootd --wr
offers ' direct keep drop ' lunbootd --writes =
offers ' drop ' lunbootd --writes = dr
offers '* lo *' lunbootd --interface = ''
: >"$scratch/disk.img"
offers " $scratch/disk.img " lunbootd --disk = "$scratch/di"
offers " $scratch/disk.img " lunbootd "$scratch/di"
offers ' probe ' "$lunboot" pro
offers '* --output= *' "$lunboot" read --
offers ' --offset= ' "$lunboot" read --offs
offers ' --allow-initiator= --allow-server= --allow-target= ' "$lunboot" boot --allow
offers ' yes no ' "$lunboot" boot --enable =
. "$top/integration/bash-completion/lunbootctl"
offers ' list ' lunbootctl lis
offers '* image *' lunbootctl ''
offers ' add update list remove commit ' lunbootctl image ''
offers ' remove ' lunbootctl image rem
offers " $scratch/disk.img " lunbootctl image add "$scratch/di"
offers ' --state= --json --help --version ' lunbootctl --
offers ' mac= ' lunbootctl add bert ma
lunbootctl() { # its answers, for names
    case $* in
    '--state=/x --json list') printf '{"machine":"%s"}\n' anna bert ;;
    '--json image list') printf '{"image":"debian","version":%d}\n' 1 2 ;;
    esac
}
offers ' anna bert ' lunbootctl --state = /x show ''
offers ' bert ' lunbootctl --state = /x image commit be
offers '* debian *' lunbootctl image remove deb
unset -f lunbootctl
for command in $("$lunboot" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    [[ " $(completes "$lunboot" '') " == *" $command "* ]] || fail "it does not offer the command $command"
done
ok "all commands are offered"

# Each key of --help is in the man pages and the table.
if [ -x "$lunbootd" ]; then
    "$lunbootd" --help | sed -n 's/^  \(--\)\{0,1\}\([a-z-]*\)\(=\| = \).*/\2/p' >"$scratch/keys"
    [ "$(wc -l <"$scratch/keys")" -ge 20 ] || fail "--help has no keys"
    while read -r key; do
        grep -qF "| \`$key\` |" "$top/docs/server.md" || fail "docs/server.md has no $key"
        grep -qxF ".B ${key//-/\\-} = $(sed -n "s/^  \(--\)\{0,1\}$key\(=\| = \)//p" <("$lunbootd" --help) |
            head -n 1 | sed 's/-/\\-/g')" "$top/docs/lunbootd.conf.5" || fail "lunbootd.conf(5) has no $key"
    done <"$scratch/keys"
    ok "the $(wc -l <"$scratch/keys") keys of lunbootd --help are in lunbootd.conf(5) and docs/server.md"
fi
if command -v groff >/dev/null; then
    for page in "$top"/docs/*.[58]; do
        groff -man -mdoc -Tutf8 -z -ww "$page" >"$scratch/groff.log" 2>&1 || true
        [[ $page != *lunbootd* ]] || [ ! -s "$scratch/groff.log" ] || fail "groff warns of $page" "$scratch/groff.log"
    done
    ok "groff has no warning of lunbootd's man pages"
fi
pass
