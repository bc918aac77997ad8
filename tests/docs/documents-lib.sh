# Sourced after interop/lib.sh by the tests of the documents: takes blocks out of them, runs them, and
# compares what they show.
# shellcheck shell=bash disable=SC2154

documents=("$top/README.md" "$top"/docs/*.md)
folder=$scratch/here # where the commands run
mkdir -p "$folder"
export PATH=$top/build:$PATH

blocks() { "$top/tests/docs/blocks.py" "$1" "${documents[@]}"; }

# take_blocks KIND...: into the folder $blocks, in the order of the documents.
take_blocks() {
    local kind
    blocks=$scratch/blocks
    rm -rf "$blocks"
    mkdir "$blocks"
    "$top/tests/docs/blocks.py" write "$blocks" "$(IFS=,; echo "$*")" "${documents[@]}"
}

# Numbers, and what depends on them, may be others: 1.5 ms, 3600 s; addresses of hardware; a bar.
same_but_numbers() { sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g; s/ $//'; }

# each_block WHERE COMMAND...: runs each of $blocks by that command, to which its file is added.
each_block() {
    local where=$1 block name kind
    shift
    for block in "$blocks"/[0-9][0-9][0-9]; do
        [ -e "$block" ] || fail "no document has a block for $where"
        read -r name kind _ <"$block.name"
        case $kind in
        run)
            (cd "$folder" && "$@" "$block" </dev/null) >"$scratch/block.out" 2>&1 ||
                fail "$name" "$block" "$scratch/block.out"
            ok "$name: runs ($(sed -n 1p "$block" | cut -c1-60))"
            ;;
        output)
            [ "$(same_but_numbers <"$block" | python3 -c 'import sys
print(sys.stdin.read().strip() in open(sys.argv[1]).read())' <(same_but_numbers <"$scratch/block.out"))" = True ] ||
                fail "$name: the output is another one" "$block" "$scratch/block.out"
            ok "$name: and shows this"
            ;;
        shows)
            shown "$block" "$@"
            ok "$name: shows this, to the byte ($(sed -n 1p "$block" | cut -c1-60))"
            ;;
        esac
    done
}

# shown BLOCK COMMAND...: each line that begins with `$ ` is run, and what it prints is what stands below it.
shown() {
    local block=$1
    shift
    sed -n 's/^\$ //p' "$block" >"$scratch/block.sh"
    (cd "$folder" && "$@" "$scratch/block.sh" </dev/null) >"$scratch/block.out" 2>&1 || true # an error is shown as well
    grep -v '^\$ ' "$block" | cmp -s - "$scratch/block.out" ||
        fail "$(cut -d' ' -f1 "$block.name"): the output is another one" "$block" "$scratch/block.out"
}

# ---- Debians in folders --------------------------------------------------------------------------

# make_debian FOLDER PACKAGE,...: a Debian with the sources in /usr/src/lunboot.
make_debian() {
    mmdebstrap --quiet --variant=apt --skip=cleanup/apt/lists --include="$2" bookworm "$1" \
        >"$scratch/mmdebstrap.log" 2>&1 || skip "no Debian: $(tail -n 1 "$scratch/mmdebstrap.log")"
    mkdir -p "$1/usr/src/lunboot"
    (cd "$top" && git ls-files -z | tar -c --null -T - && tar -c deps) | tar -x -i -C "$1/usr/src/lunboot"
}

# in_debian FOLDER COMMAND...: in it, in mount and process namespaces of its own.
in_debian() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork bash -c 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
        mount -t sysfs sysfs "$1/sys" && mount -t tmpfs tmpfs "$1/run" &&
        exec chroot "$1" sh -c "cd /usr/src/lunboot && exec \"\$@\"" sh "${@:2}"' bash "$@"
}

# block_in FOLDER BLOCK: runs it there; a question for a password is answered.
block_in() {
    local name
    read -r name _ <"$2.name"
    cp "$2" "$1/tmp/block"
    echo a-password | in_debian "$1" bash -exo pipefail /tmp/block >"$scratch/block.log" 2>&1 ||
        fail "$name" "$2" "$scratch/block.log"
    ok "$name: runs ($(sed -n 1p "$2" | cut -c1-60))"
}
