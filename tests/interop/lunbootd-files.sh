#!/bin/bash
# Boot files of lunbootd, fetched by other people's programs: curl by HTTP and by TFTP. Those of a folder that a
# person named, and nothing outside of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need curl busybox
make_net
make_bytes "$scratch/disk.img" 1048576
mkdir -p "$scratch/boot/sub" "$scratch/boot/.hidden"
make_bytes "$scratch/boot/kernel" 3000001
make_bytes "$scratch/boot/sub/blocks" 51200 2 # of 512 bytes: the last packet is empty
: >"$scratch/boot/sub/empty"
cp "$scratch/boot/kernel" "$scratch/boot/.hidden/kernel"
cp "$scratch/boot/kernel" "$scratch/outside"
start_lunbootd --files="$scratch/boot" "$scratch/disk.img"
give_client_address

# fetch URL FILE [ARGUMENTS...]: leaves HTTP's status (TFTP: 0) in $code.
fetch() {
    rm -f "$2"
    code=$(in_client timeout 30 curl -sS -g --path-as-is -o "$2" -w '%{http_code}' "${@:3}" "$1" \
        2>"$scratch/curl.log") || code=failed
}

# By HTTP.
if grep -q 'has been built without HTTP' "$scratch/lunbootd.log"; then
    ok "this build has no HTTP # SKIP libmicrohttpd"
else
    base=http://$server_ip
    fetch "$base/kernel" "$scratch/got"
    [ "$code" = 200 ] || fail "GET gave $code"
    same "$scratch/boot/kernel" "$scratch/got" "a file by HTTP"
    ok "HTTP: a file comes whole"
    fetch "$base/kernel" "$scratch/got" -r 1000000-1999999
    [ "$code" = 206 ] || fail "a range gave $code"
    dd if="$scratch/boot/kernel" of="$scratch/part" bs=1000000 skip=1 count=1 status=none
    same "$scratch/part" "$scratch/got" "a range"
    ok "HTTP: a range is a part"
    fetch "$base/kernel" "$scratch/got" -r -1000
    cmp "$scratch/got" <(tail -c 1000 "$scratch/boot/kernel") || fail "the last bytes are others"
    ok "HTTP: the last 1000 bytes"
    fetch "$base/kernel" "$scratch/got" -r 3000001-
    [ "$code" = 416 ] || fail "a range behind the end gave $code"
    ok "HTTP: a range behind the end is refused"
    in_client curl -sS -I "$base/kernel" >"$scratch/head.log"
    grep -qi '^Content-Length: 3000001' "$scratch/head.log" || fail "HEAD has no length" "$scratch/head.log"
    ok "HTTP: HEAD has the length"
    for path in none sub .hidden/kernel ../outside sub/../../outside '..%2foutside' '%2e%2e/outside'; do
        fetch "$base/$path" "$scratch/got"
        [ "$code" = 404 ] || fail "/$path gave $code"
    done
    ok "HTTP: nothing that is missing, hidden, a folder or outside"
    fetch "$base/kernel" "$scratch/got" -X POST -d x
    [ "$code" = 405 ] || fail "POST gave $code"
    ok "HTTP: POST is not allowed"
    fetch "$base/sub/empty" "$scratch/got"
    [ "$code" = 200 ] || fail "an empty file gave $code"
    [ ! -s "$scratch/got" ] || fail "an empty file is not empty"
    ok "HTTP: an empty file"
fi

# By TFTP.
base=tftp://$server_ip
for size in 512 1024 1468 8; do
    file=sub/blocks
    [ "$size" = 8 ] || file=kernel
    fetch "$base/$file" "$scratch/got" --tftp-blksize "$size"
    same "$scratch/boot/$file" "$scratch/got" "$file by TFTP with blocks of $size bytes"
done
ok "TFTP: files come whole, with blocks of 8 to 1468 bytes"
fetch "$base/sub/blocks" "$scratch/got" --tftp-no-options
same "$scratch/boot/sub/blocks" "$scratch/got" "a file by plain TFTP"
ok "TFTP: a client without options gets a file of whole blocks"
rm -f "$scratch/got" # curl fails at empty files by itself
in_client timeout 20 busybox tftp -g -r sub/empty -l "$scratch/got" "$server_ip" || fail "an empty file failed"
[ -e "$scratch/got" ] || fail "an empty file did not come"
[ ! -s "$scratch/got" ] || fail "an empty file is not empty"
in_client timeout 20 busybox tftp -b 1400 -g -r kernel -l "$scratch/got" "$server_ip"
same "$scratch/boot/kernel" "$scratch/got" "a file by busybox's TFTP"
ok "TFTP: an empty file and a long one for busybox"
for path in none .hidden/kernel ../outside sub/../../outside 'sub\..\..\outside'; do
    fetch "$base/$path" "$scratch/got"
    [ "$code" = failed ] || fail "TFTP gave $path"
done
ok "TFTP: nothing that is missing, hidden or outside"
in_client timeout 20 curl -sS -T "$scratch/outside" "$base/new" >"$scratch/put.log" 2>&1 && fail "TFTP took a file"
[ ! -e "$scratch/boot/new" ] || fail "TFTP wrote a file"
ok "TFTP: nothing is written"
fetch "$base/lunboot.conf" "$scratch/got"
grep -q '^enable = yes' "$scratch/got" || fail "lunboot.conf is not made"
ok "lunboot.conf is made where the folder has none"
lunbootd_says "192\.0\.2\.50 +fetched kernel by TFTP: 2\.8 MiB in [0-9]" "a transfer is told"
lunbootd_says "192\.0\.2\.50 +asked for none by TFTP: there is no such file" "a file that is missing is told"

# Without a folder: the loaders that are installed, and nothing else beside the program.
end lunbootd
start_lunbootd "$scratch/disk.img"
fetch "$base/lunbootd" "$scratch/got"
[ "$code" = failed ] || fail "the program itself was given"
ok "without --files nothing but the loaders is served"
pass
