#!/bin/bash
# Error: nothing listens on the port.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
give_client_address
rootpath="iscsi:$server_ip::3999:1:$iqn"
probe
fails_with connect-refused "a refused connection" '192\.0\.2\.1' 3999
pass
