#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compares the library with the interface that programs were built against, abi.xml:
#   abi.sh compare|renew LIBRARY-WITH-DEBUG-INFORMATION LIBRARY HEADERS abi.xml
set -eu
mode=$1 described=$2 built=$3 headers=$4 xml=$5
# Sizes are those of one architecture.
if ! command -v abidiff >/dev/null || [ "$(uname -m)" != x86_64 ]; then
  exit 77
fi

# The library with debug information must be a twin of the one that is installed.
list_symbols () {
  nm -D --defined-only "$1" | awk '{ print $3 }' | sort
}
[ "$(list_symbols "$described")" = "$(list_symbols "$built")" ] || {
  echo "$described and $built export different functions"
  exit 1
}

# Types that these headers don't define, such as GStreamer's, are left out.
if [ "$mode" = renew ]; then
  exec abidw --exported-interfaces-only --drop-private-types --headers-dir "$headers" \
    --no-write-default-sizes --no-corpus-path --no-comp-dir-path --no-show-locs \
    --out-file "$xml" "$described"
fi
abidiff --no-show-locs "$xml" "$described" || {
  echo "The interface of libgstensemble-1.0 has changed. If programs that were built against it still"
  echo "run, renew tests/gst/abi.xml: meson compile -C build renew-abi. If not, raise soversion too."
  exit 1
}
