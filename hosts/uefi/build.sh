#!/bin/sh
# Called by meson in the build folder: build.sh MAKE ARCH=... BUILD=... OUT=... with paths from there.
set -eu
make=$1
here=$(pwd)
shift
for word in "$@"; do
    case $word in
    BUILD=* | OUT=*) word=${word%%=*}=$(realpath -m "$here/${word#*=}") ;;
    esac
    set -- "$@" "$word"
    shift
done
cd "$(dirname "$0")/../.."
exec "$make" --no-print-directory -s -f hosts/uefi/Makefile -j"$(nproc)" "$@"
