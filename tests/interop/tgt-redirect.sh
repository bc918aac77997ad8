#!/bin/bash
# Redirects by tgt: its first portal sends us on to a second tgtd, for now and for good, by IPv4 and by
# IPv6; a target that redirects to itself is a loop and ends as one explained error.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
serve_disk "$server_ip"
tgt_name=tgtd-2 start_tgt "$server_ip:3261"
tgt_name=tgtd-2 tgt_target 1 "$iqn"
tgt_name=tgtd-2 tgt_lun 1 1 "$scratch/disk.img"
tgt_name=tgtd-3 start_tgt "[2001:db8:77::1]:3262"
tgt_name=tgtd-3 tgt_target 1 "$iqn"
tgt_name=tgtd-3 tgt_lun 1 1 "$scratch/disk.img"
give_client_address

# redirect ADDRESS PORT Temporary|Permanent
redirect() {
    tgt --mode target --op update --tid 1 --name RedirectAddress --value "$1"
    tgt --mode target --op update --tid 1 --name RedirectPort --value "$2"
    tgt --mode target --op update --tid 1 --name RedirectReason --value "$3"
}
redirect 192.0.2.1 3261 Temporary
reads_the_disk "a temporary redirect to another port"
redirect 192.0.2.1 3261 Permanent
reads_the_disk "a permanent redirect to another port"
redirect '[2001:db8:77::1]' 3262 Temporary
reads_the_disk "a redirect to an IPv6 address"
redirect 192.0.2.1 3999 Temporary
probe
fails_with connect-refused "a redirect to where nothing listens" 3999
redirect 192.0.2.1 3260 Temporary
probe
fails_with redirect-loop "a target that redirects to itself" "$iqn"
pass
