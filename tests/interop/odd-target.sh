#!/bin/bash
# Targets and disks that behave as they do in the field: all cases of odd-target.py, each at an address of its own,
# many at once. The disk is read to its last byte, or the error is the one that helps.
#
# `odd-target.sh NAME...` runs these alone.
. "$(dirname "$0")/lib.sh"
need_lunboot
[ -x "$exercise" ] || skip "$exercise has not been built"
need python3 sgdisk dnsmasq
make_net
give_client_address
at_once=40
odd=$scratch/odd
mkdir "$odd" "$odd/target"

# Case number N has 10.78.N/200+1.N%200+1, the same with 10.79 for a second portal, and an address of IPv6.
part_of() { echo "$(($1 / 200 + 1)).$(($1 % 200 + 1))"; }
python3 "$interop/odd-target.py" --list | awk '{ print NR, $1 }' >"$odd/cases"
{
    echo "address add 10.78.0.1/15 dev vs0"
    while read -r number name; do
        echo "address add 10.78.$(part_of "$number")/15 dev vs0"
        echo "address add 10.79.$(part_of "$number")/15 dev vs0"
        echo "address add 2001:db8:77::$((number + 1000))/64 dev vs0 nodad"
    done <"$odd/cases"
} >"$odd/addresses"
ip -n "$server_ns" -batch "$odd/addresses"
ip -n "$client_ns" addr add 10.78.255.1/15 dev vc0

make_bytes "$scratch/disk.img" $((8 << 20)) 7
sgdisk -n 1:1M:+4M -t 1:ef00 "$scratch/disk.img" >"$scratch/sgdisk.log"
while read -r number name; do
    echo "--case=$name --listen=10.78.$(part_of "$number"):3260 --listen=10.79.$(part_of "$number"):3260" \
        "--listen=[2001:db8:77::$((number + 1000))]:3260 --address6=2001:db8:77::$((number + 1000))" \
        "--other=10.79.$(part_of "$number"):3260 --dead=10.78.200.200"
done <"$odd/cases" >"$odd/target/options"
spawn fleet in_server python3 "$interop/odd-target.py" --disk="$scratch/disk.img" --fleet="$odd/target"
wait_log fleet ready 60

redirect_host=$(awk '$2 == "redirect-host" { print $1 }' "$odd/cases")
cat >"$scratch/dns.conf" <<CONF
interface=vs0
bind-interfaces
no-hosts
no-resolv
address=/storage.test/10.78.$(part_of "$redirect_host")
CONF
spawn dnsmasq in_server dnsmasq -d -C "$scratch/dns.conf"

# CASE COMMAND EXPECTED [PATTERN]: a row for each case that is not read to its last byte at once. The command is
# `read`, `probe`, `write` (and read back), or `boot`: a read that is tried again as a boot is. EXPECTED is `whole` or
# the code of an error, PATTERN (an extended regular expression) is said besides.
cat >"$odd/expected" <<'CASES'
erl-own                     read login-protocol ErrorRecoveryLevel=2
order-no                    read login-protocol DataPDUInOrder=No
csg-lie                     read login-protocol another stage
chap-name-early             read login-protocol CHAP_N
chap-name-late              read login-protocol CHAP_N
chap-busy                   boot whole
digest-reject               read digest-refused header-digest
initial-r2t-no-immediate-no write whole
r2t-512                     write whole
r2t-zero-sn                 write whole
mb-512                      write whole
redirect-dead               read redirect-dead 3260 sent us on to 10.78.200.200
redirect-refused-once       boot whole
redirect-name               read target-not-found 10.79.* where 10.78.* sent us
redirect-zero               read redirect-invalid 0.0.0.0
redirect-0103               read login-rejected 0103
status-0300                 boot whole
status-0301                 boot whole
status-0302                 boot whole
status-0203-while-starting  boot whole
suspended-0203              boot whole
old-session-stays           boot whole
lun-while-starting          boot whole
power-cut                   boot whole
close-while-starting        boot whole
silent-while-starting       boot whole
status-0200-while-starting  boot login-rejected 0x0200
status-0202-while-starting  boot whole
status-0204-while-starting  boot target-removed 0x0204
lun-late                    boot whole
lun-pq1-while-starting      boot whole
internal-for-a-while        boot whole
lun-refused-for-a-while     boot whole
resources                   boot whole
status-0206                 read target-busy too many connections
close-at-once               read login-closed access list
rst-at-once                 read login-closed access list
close-after-login-request   read login-closed access list
close-after-login           read login-closed right after the login
silent                      read login-timeout
silent-after-login          read connection-lost ping was not answered
data-out-of-order           read iscsi-protocol Data-In 0 at offset
standby                     read standby the other controller
unavailable                 read standby the other controller
offline                     read not-ready 04/03
reserved                    read reserved RESERVATION CONFLICT
no-medium                   read no-medium
no-size                     read lun-empty READ CAPACITY.16. gives no data
bs-4096                     probe block-mismatch blocks of 512 bytes, the target says 4096
bs-520                      read block-size 520 bytes
cd                          read lun-not-disk CD or DVD
lun-10                      read lun-missing LUN 16 .Root Path: 10.; there are 0 10 .a.
lun-pq1                     read lun-missing nothing is mapped to this initiator
thin-full-soft              write whole
write-busy-quota            write whole
underflow                   read iscsi-protocol 65536 of 131072 bytes
residual-wrong              read iscsi-protocol
chap-alg-list               read auth-method CHAP_A=5,7
chap-alg-md5                read auth-method CHAP_A=MD5
chap-odd-digits             read login-protocol CHAP_C does not end with a whole byte
chap-sha1                   read auth-method
chap-mutual-wrong           read auth-target its answer is not made with chap-target-secret
chap-mutual-none            read auth-target no answer
chap-wrong                  read auth-failed CHAP name boot
chap-wrong-0200             read login-rejected 0x0200.*CHAP name boot
chap-wrong-0202             read not-authorised 0x0202.*CHAP name boot
chap-wrong-0300             read target-busy 0x0300.*CHAP name boot
chap-wrong-closes           read login-closed after 3 requests
chap-wanted-0201            read auth-needed 0x0201
digest-list                 read login-protocol None,CRC32C
mrdsl-minus                 read login-protocol MaxRecvDataSegmentLength=-1
text-without-equals         read login-protocol Hello
version-2                   read login-protocol version-active is not 0
status-0200                 read login-rejected 0x0200
status-0202                 read not-authorised 0x0202
status-0204                 read target-removed 0x0204
status-0205                 read login-version 0x0205
status-0207                 read login-rejected missing parameter
status-0208                 read login-rejected 0x0208
status-0209                 read login-rejected session type
status-020a                 read login-rejected 0x020a
status-020b                 read login-rejected 0x020b
status-0303                 read target-busy 0x0303
status-0401                 read login-rejected 0x0401
redirect-without-address    read redirect-invalid sent on to
redirect-garbage            read redirect-invalid the other one
redirect-port-0             read redirect-invalid :0,1
redirect-loop               read redirect-loop 5 times
redirect-two-addresses      boot whole
format-corrupt              read medium-error 31/00
hardware-for-ever           read medium-error 3e/03
not-supported-for-ever      read lun-missing 25/00
manual                      read not-ready needs somebody
start-unit-for-ever         read not-ready needs a start command
no-disk-type                read lun-missing listed, and not there yet
tape                        read lun-not-disk tape
cap-zero                    read lun-empty gives no blocks
cap-block-zero              read lun-empty gives no blocks
status-of-nobody            read scsi-error unknown status 0x7e
terminated                  read scsi-error unknown status 0x22
st-closed                   read login-closed right after the login
st-rejected                 read iscsi-protocol rejected our Text Request
st-empty                    read discovery-empty 0 found
remapped                    read disk-changed it was naa
shrunk                      read disk-changed it had 16384 blocks
additional-header           read iscsi-protocol additional header
data-in-beyond              read iscsi-protocol where 131072 were asked for
ping-during-login           read login-protocol NOP-In
reject-login                read login-rejected Reject, reason 0x04
rounds-for-ever             read login-protocol no agreement after 16 requests
type-controller             read lun-not-disk array controller
type-unknown                read lun-missing not there yet
CASES

options_of() { # CASE ADDRESS
    local chap="--chap-name=boot --chap-secret=boot-secret-0123" rootpath="iscsi:$2:::1:iqn.2026-11.test:odd"
    case $1 in
    chap-wrong*) echo "--rootpath=$rootpath --chap-name=boot --chap-secret=another-secret-99" ;;
    chap-wanted*) echo "--rootpath=$rootpath" ;;
    chap-mutual*) echo "--rootpath=$rootpath $chap --chap-target-secret=disk-secret-4567" ;;
    chap-*) echo "--rootpath=$rootpath $chap" ;;
    redirect-host) echo "--rootpath=$rootpath --dns=10.78.0.1" ;;
    st-* | standby-first-portal | window-pure | tpgt-minus)
        echo "--server=$2 --discovery=sendtargets --allow-target=iqn.2026-11.test:odd --lun=1"
        ;;
    silent-after-login) echo "--rootpath=$rootpath --ping-interval=2s --recovery-time=10s" ;;
    lun-10 | lun-sub | lun-pq1) echo "--rootpath=${rootpath/:1:iqn/:${lun[$1]}:iqn}" ;;
    *) echo "--rootpath=$rootpath" ;;
    esac
}
declare -A lun=([lun-10]=10 [lun-sub]=00fe-e200-0000-0001 [lun-pq1]=0)

# run_case NUMBER CASE: a line "ok" or "not ok" in $odd/CASE.tap
run_case() {
    local name=$2 command code pattern status=0 options
    read -r command code pattern < <(awk -v name="$2" '$1 == name { $1 = ""; print }' "$odd/expected") || true
    command=${command:-read} code=${code:-whole}
    options=$(options_of "$name" "10.78.$(part_of "$1")")
    case $command in
    boot) options+=" --attempts=0 --retry-time=90s" ;;
    *) options+=" --attempts=1" ;;
    esac
    case $command in
    read | boot) set -- "$lunboot" read --output="$odd/$name.copy" ;;
    probe) set -- "$lunboot" probe ;;
    *) set -- "$exercise" --write-verify=4194304 ;;
    esac
    # shellcheck disable=SC2086  # options have no blanks
    in_client timeout --kill-after=5 200 "$@" $options >"$odd/$name.out" 2>&1 || status=$?
    judge "$name" "$command" "$status" "$code" "$pattern" >"$odd/$name.tap"
    rm -f "$odd/$name.copy"
}

# judge CASE COMMAND STATUS EXPECTED PATTERN
judge() {
    local why=
    if [ "$4" = whole ]; then
        [ "$3" = 0 ] || why="exit code $3"
        [ -n "$why" ] || [ "$2" = write ] || cmp -s "$scratch/disk.img" "$odd/$1.copy" || why="the bytes differ"
    else
        [ "$3" != 0 ] || why="it ended well"
        [ -n "$why" ] || grep -qF "($4)" "$odd/$1.out" || why="another error"
    fi
    [ -n "$why" ] || [ -z "$5" ] || grep -qE -- "$5" "$odd/$1.out" || why="nothing matches '$5'"
    if [ -n "$why" ]; then
        echo "not ok - $1, where $4 is expected: $why"
    else
        echo "ok - $1: ${4/whole/every byte is right}"
    fi
}

wanted=" $* "
while read -r number name; do
    [ $# = 0 ] || [[ $wanted == *" $name "* ]] || continue
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n || true; done
    run_case "$number" "$name" &
done <"$odd/cases"
wait
tell_cases "$odd"
pass
