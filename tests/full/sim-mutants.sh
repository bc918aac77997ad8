#!/bin/bash
# Does the simulator find the faults that are planted for it? See tests/mutate-sim.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec tests/mutate-sim "$@"
