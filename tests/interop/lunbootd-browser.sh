#!/bin/bash
# The web page in a browser: a boot is seen live, what a machine says of itself stays text, and an unknown token sees
# nothing. SCREENSHOTS=FOLDER renews the pictures of the documents (docs).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lunbootd.sh"
need_lunboot
need_lunbootd
[ -x "$exercise" ] || skip "$exercise has not been built"
command -v chromium-headless-shell >/dev/null || need chromium
need curl python3 qemu-io
make_net
make_gpt_disk "$scratch/debian.img"
mkdir "$scratch/files"
echo 'a loader' >"$scratch/files/lunbootx64.efi"

# serve: with these machines.
serve() {
    cat >"$scratch/lunbootd.conf"
    start_lunbootd --config="$scratch/lunbootd.conf" --disk="$scratch/debian.img" --writes=drop --files="$scratch/files"
    ctl page
    url=$(cat "$scratch/ctl.log")
}

# browser COMMAND: carried out by browser.py; its answer is in $answer.
commands=0
browser() {
    commands=$((commands + 1))
    echo "$*" >&9
    wait_log browser "^$commands (ok|no)" 30
    answer=$(sed -n "s/^$commands //p" "$scratch/browser.log")
    [[ $answer == ok* ]] || fail "the browser: $*" "$scratch/browser.log"
    answer=${answer#ok }
}

mkfifo "$scratch/commands"
spawn browser ip netns exec "$server_ns" "$interop/browser.py" "$scratch/commands"
exec 9>"$scratch/commands"
wait_log browser '^0 ok' 60

# asks_as MAC: a firmware of this card gets an address and its loader; sets $rootpath.
asks_as() {
    ip -n "$client_ns" link set vc0 down
    ip -n "$client_ns" link set vc0 address "$1"
    run_lunboot boot --interface=vc0 --enable=yes --then=env --root="$scratch/root" --attempts=1 \
        --vendor-class=PXEClient:Arch:00007:UNDI:003016 --client-arch=7 "${@:2}"
    rootpath=$(sed -n 's/^LUNBOOT_ROOTPATH=//p' "$scratch/out.log")
    address=$(sed -n 's/^LUNBOOT_ADDRESS=//p' "$scratch/out.log")
    ip -n "$client_ns" addr replace "$address" dev vc0
    ip -n "$client_ns" link set vc0 up
    ip -n "$client_ns" route replace 192.0.2.0/24 dev vc0 src "${address%/*}" # earlier sessions keep theirs
}
# reads_as NAME COMMANDS...: its system reads and writes, and stays.
reads_as() {
    local words=()
    for word in "${@:2}"; do words+=(-c "$word"); done
    spawn "$1" ip netns exec "$client_ns" qemu-io -f raw "${words[@]}" -c 'sleep 60000' \
        "iscsi://$server_ip/${rootpath##*:0:}/0"
}

serve </dev/null
browser open "$url"
browser is "document.getElementById('line').textContent === 'live'"
browser is "!document.getElementById('empty').hidden && document.body.innerText.includes('Switch a machine on')"
ok "without machines the page says what to do next"

# Every state that the page shows is noted; a reload would forget them.
browser run "states = []; note = () => { for (const b of document.querySelectorAll('.state b'))" \
    "if (states.at(-1) !== b.textContent) states.push(b.textContent); };" \
    "new MutationObserver(note).observe(document.getElementById('list'), {childList: true}); 1"
asks_as 02:00:00:00:00:0a
browser is "document.querySelectorAll('li').length === 1 && document.getElementById('empty').hidden"
browser is "states.includes('◔ has an address') || states.includes('◕ logs in')"
in_client curl -s -o "$scratch/fetched" "tftp://$server_ip/lunboot.conf"
browser is "document.querySelector('.state b').textContent === '◑ fetches lunboot.conf'"
browser is "document.querySelector('progress').value === 100"
reads_as system 'read 0 8M' 'write 16M 256k' 'flush'
browser is "document.querySelector('.state b').textContent === '◕ reads its disk'"
browser is "/its first boot here, begun/.test(document.querySelector('.state').innerText)"
browser is "/read 8\\.0 MiB, wrote 256\\.0 KiB/.test(document.querySelector('li').innerText)"
browser is "/debian\\.img\\s+overlay 256\\.0 KiB/.test(document.querySelector('li').innerText)"
ok "a machine that boots is seen live, stage by stage, without a reload"
browser is "document.querySelector('.state b').textContent === '● runs' && !document.querySelector('progress')"
browser is "document.getElementById('summary').textContent === '1 machine: 1 running'"
browser run "JSON.stringify(states)"
echo "# the states were $answer"
ok "once it reads little, it runs"

# What a machine says of itself.
in_client "$interop/dhcp-says.py" vc0 02:00:00:00:00:66 '<script>states = 0</script><img src=x onerror="states = 0">' \
    >"$scratch/says.log" 2>&1 || fail "a hostile machine gets no address"
browser is "document.body.innerText.includes('<script>states = 0</script><img src=x')"
browser is "states !== 0 && !document.querySelector('li script, li img')"
ok "a host name with markup is shown as text, and does nothing"

# A restart of lunbootd, without a reload of the page.
end system KILL
end lunbootd
browser is "document.getElementById('line').className === 'lost'"
ok "while lunbootd is away, the page says that it is old"
rm -rf "$scratch/state/overlays" "$scratch"/state/lunbootd.db*
serve <<CONF
overlay-limit = 1
[machine anna]
mac = 02:00:00:00:00:0a
[machine bert]
mac = 02:00:00:00:00:0b
[machine carla]
mac = 02:00:00:00:00:0c
[machine dora]
mac = 02:00:00:00:00:0d
CONF
names="[...document.querySelectorAll('li')].map((item) => item.dataset.name).join()"
browser is "document.getElementById('line').textContent === 'live' && $names === 'anna,bert,carla,dora'"
browser is "states !== 0 && states.length > 0 && !document.body.innerText.includes('<script>')"
ok "when it is back, the page has what is served now, and nothing of before"

# Pictures of four machines: one runs, one boots, one has trouble, one was never seen.
asks_as 02:00:00:00:00:0a --hostname=anna-desk
reads_as anna 'read 0 20M' 'write 0 300k'
browser is "document.querySelector('li[data-name=anna]').dataset.state === 'running'"
asks_as 02:00:00:00:00:0c
reads_as carla 'read 0 4M' 'write 0 2M'
browser is "/no room for what it writes[^]*Try: lunbootctl reset/.test(document.querySelector('li.trouble').innerText)"
browser is "document.title.startsWith('▲ 1 ')"
ok "trouble is shown with what to try"
asks_as 02:00:00:00:00:0b
reads_as bert 'read 0 12M'
browser is "document.querySelector('li[data-name=bert] progress').value > 600"
browser is "/about 6[0-9]% of its boot/.test(document.querySelector('li[data-name=bert]').innerText)"
ok "the bar says how far a boot is, by the boot before"
browser shot 1100 light "$scratch/page.png"
[ "$answer" = 1100 ] || fail "the page is $answer wide in a window of 1100"
browser shot 390 dark "$scratch/page-narrow.png"
[ "$answer" = 390 ] || fail "the page is $answer wide in a window of 390"
for picture in page page-narrow; do
    [ "$(stat -c %s "$scratch/$picture.png")" -gt 8000 ] || fail "$picture.png is empty"
done
ok "it fits a wide window and a phone, light and dark"
[ -z "${SCREENSHOTS:-}" ] || cp "$scratch/page.png" "$scratch/page-narrow.png" "$SCREENSHOTS"
browser run "document.getElementById('trouble').click()"
browser is "[...document.querySelectorAll('li:not([hidden])')].map((item) => item.dataset.name).join() === 'carla'"
ok "those with trouble can be shown alone"

browser open "${url/lunbootd:*@/lunbootd:${url:17:60}0000@}"
browser is "document.body.innerText.includes('A token opens this page') && !document.querySelector('li, script')"
ok "an unknown token sees nothing"

# A disk that is sanitized; 31 passes take longer than the page takes to show it.
end anna KILL
end bert KILL
end carla KILL
end lunbootd
rm -rf "$scratch/state/overlays" "$scratch"/state/lunbootd.db*
truncate -s 256M "$scratch/wide.img"
serve <<CONF
[machine anna]
mac = 02:00:00:00:00:0a
disk = $scratch/wide.img
writes = keep
CONF
browser open "$url"
ip -n "$client_ns" addr replace 192.0.2.50/24 dev vc0
in_client "$interop/sanitize.py" "$server_ip" iqn.2026-11.org.lunboot:wide:anna begin 1f00000177 ||
    fail "the disk cannot be sanitized"
machine="document.querySelector('li[data-name=anna]')"
browser is "$machine.dataset.state === 'sanitizing' && $machine.querySelector('progress').value > 0"
browser is "/its disk is being sanitized\\s+[0-9]+%; other commands wait/.test($machine.innerText)"
browser is "!/booting/.test(document.getElementById('summary').textContent)"
ctl show anna
ctl_says '^ *stage +sanitizing [0-9]+%' "how far a SANITIZE is, the page and lunbootctl show"
exec 9>&-
pass
