#!/bin/bash
# tests/interop/ike-renewed.sh for five minutes each way.
LUNBOOT_SOAK_S=300 exec "$(dirname "$0")/../interop/ike-renewed.sh"
