#!/bin/bash
# Error: a limit of the program. It is given the memory it needs to start and half of what the copy needs.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk
give_client_address
kib=1024
until (ulimit -v "$kib" && "$lunboot" --version) >/dev/null 2>&1; do
    kib=$((kib + 256))
    [ "$kib" -lt 65536 ] || skip "lunboot does not start in 64 MiB (a sanitizer's build)"
done
real=$lunboot
lunboot=$scratch/lunboot-with-little-memory
printf '#!/bin/bash\nulimit -v %u && exec %q "$@"\n' $((kib + 2048)) "$real" >"$lunboot"
chmod +x "$lunboot"
read_disk 0 0 "$scratch/copy.img"
fails_with internal "a copy without the memory for it" "out of memory"
pass
