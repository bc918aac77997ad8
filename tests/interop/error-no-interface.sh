#!/bin/bash
# Error: there is no such interface.
. "$(dirname "$0")/lib.sh"
need_lunboot
make_net
run_lunboot boot --interface=vc9 --enable=yes --then=report --attempts=1
fails_with no-interface "an interface that is not there" 'vc9; those that there are: vc0'
run_lunboot boot --enable=yes --then=report --attempts=1
fails_with no-interface "none that is named" 'none is named; those that there are: vc0'
pass
