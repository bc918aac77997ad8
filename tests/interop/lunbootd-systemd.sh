#!/bin/bash
# lunbootd as systemd starts it: with sockets that are open already (LISTEN_FDS), a user without rights, and a socket
# for its state (NOTIFY_SOCKET).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
need python3 setpriv
make_net
make_gpt_disk "$scratch/disk.img"
chmod 711 "$scratch"
mkdir "$scratch/state"
chown nobody "$scratch/state" "$scratch/disk.img"

twice() { [ "$(grep -c "^$1" "$scratch/lunbootd.log")" = 2 ]; }

# systemd's part: sockets from 3 on, LISTEN_PID of the process itself, the user nobody, one capability for frames.
cat >"$scratch/starter.py" <<'PYTHON'
import os, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
os.set_inheritable(notify.fileno(), False)
if os.fork():
    while True:
        for line in notify.recv(4096).decode().split("\n"):
            print("NOTIFY", line, flush=True)
            if line == "STOPPING=1":
                sys.exit(0)
held = []
udp, tcp = socket.SOCK_DGRAM, socket.SOCK_STREAM
for port, kind in ((67, udp), (69, udp), (80, tcp), (3260, tcp), (427, udp), (427, tcp)):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0" if kind == socket.SOCK_DGRAM else "192.0.2.1", port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    held.append(s)
copies = [os.dup(s.fileno()) for s in held]
copies = [os.dup2(fd, 40 + i) for i, fd in enumerate(copies)]
for i, fd in enumerate(copies):
    os.dup2(fd, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(held)), NOTIFY_SOCKET=sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
PYTHON
spawn lunbootd ip netns exec "$server_ns" python3 "$scratch/starter.py" "$scratch/notify" setpriv --reuid=nobody \
    --regid=nogroup --clear-groups --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw \
    "$lunbootd" --interface=vs0 --dhcp=server --state="$scratch/state" "$scratch/disk.img"
wait_log lunbootd 'NOTIFY READY=1'
ok "it says that it is ready"
wait_log lunbootd "NOTIFY STATUS=Serves 1 disk at $server_ip:3260 on vs0"
ok "and what it serves"
grep -q 'runs as user as started' "$scratch/lunbootd.log" || fail "it was not started as somebody else"
pid=$(pgrep -f -- "^$lunbootd .*--state=$scratch/state")
grep -qE '^CapEff:[[:space:]]0+$' "/proc/$pid/status" || fail "it kept a capability"
ok "it needs no right but that for frames, and gives that up, too"
[ "$(in_server ss -Hltn 'sport = :3260' | wc -l)" = 1 ] || fail "there is not one listener"
rootpath="iscsi:$server_ip::3260:0:iqn.2026-11.org.lunboot:disk"
boot_then_read
succeeds "a machine boots over the sockets that were handed over"
lunbootd_says "is given 192\.0\.2\.[0-9]+ by DHCP" "DHCP is answered over one of them"
give_client_address 192.0.2.99
in_client curl -sf -o "$scratch/conf" "http://$server_ip/lunboot.conf" || fail "HTTP does not answer"
ok "and HTTP over another"
kill -HUP "$pid"
wait_log lunbootd 'NOTIFY RELOADING=1' 10
wait_log lunbootd 'NOTIFY MONOTONIC_USEC=[0-9]+' 10
wait_for 10 "the end of the reload" twice 'NOTIFY READY=1'
ok "it says when it reads its configuration again, and when it has"
kill -TERM "$pid"
wait_log lunbootd 'NOTIFY STOPPING=1' 10
ok "it says that it ends"
pass
