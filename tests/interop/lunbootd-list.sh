#!/bin/bash
# lunbootctl list where there are many machines: lunbootd knows 4,000 of an earlier run, by what they have written, and
# says a line for each; as JSON, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunbootd
need python3
count=4000
make_net
truncate -s 32M "$scratch/disk.img"
python3 - "$scratch" "$count" <<'PY'
import os
import sys

folder, count = sys.argv[1], int(sys.argv[2])
for i in range(count):
    path = "%s/overlays/02-00-00-00-%02x-%02x" % (folder, i >> 8, i & 255)
    os.makedirs(path)
    with open(path + "/head", "w") as file:
        file.write("# written by a test\nbase = %s/disk.img\nbase-bytes = %d\nbase-changed-ns = 1\n"
                   "mac = 02:00:00:00:%02x:%02x\ngeneration = 3\nused = 1\nend\n" %
                   (folder, 32 << 20, i >> 8, i & 255))
PY
start_lunbootd --dhcp=off --isns=off --slp=off --writes=drop --overlays="$scratch/overlays" "$scratch/disk.img"
ctl list
[ "$(grep -c '^02-00-00-00-' "$scratch/ctl.log")" = "$count" ] || fail "lines are missing: $(wc -l <"$scratch/ctl.log")"
ok "a line for each of $count machines"
ctl --json list
[ "$(grep -c '"machine":"02-00-00-00-' "$scratch/ctl.log")" = "$count" ] || fail "objects are missing"
ok "as JSON, an object for each"
ctl show 02-00-00-00-0f-9f
ctl_says '^mac +02:00:00:00:0f:9f' "the last one is shown"
end lunbootd
pass
