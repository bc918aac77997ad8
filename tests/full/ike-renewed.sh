#!/bin/bash
# tests/interop/ike-renewed.sh for two minutes each way.
LUNBOOT_SOAK_S=120 exec "$(dirname "$0")/../interop/ike-renewed.sh"
