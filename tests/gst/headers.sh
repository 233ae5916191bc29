#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiles every installed header by itself as C++, then a program that links the library:
#   headers.sh APPLICATION.cpp LIBRARY INCLUDE-FOLDER …
set -eu
application=$1 library=$2
shift 2
command -v g++ >/dev/null || exit 77
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

folders=
for folder in "$@"; do
  folders="$folders -I$folder"
done
compile () {
  # shellcheck disable=SC2046,SC2086
  g++ -x c++ -Wall -Wextra -Wpedantic -Werror $folders \
    $(pkg-config --cflags gstreamer-1.0 gstreamer-video-1.0 | sed 's/-I/-isystem /g') "$@"
}

headers=$(find "$@" -name '*.h' -exec realpath {} +)
[ "$(echo "$headers" | wc -l)" -ge 7 ] || {
  echo "Expected seven headers or more, found: $headers"
  exit 1
}
for standard in c++11 c++17; do
  for header in $headers; do
    echo "#include \"$header\"" | compile -std=$standard -fsyntax-only -
  done
  # shellcheck disable=SC2046
  compile -std=$standard "$application" -o "$scratch/application" -x none "$library" \
    $(pkg-config --libs gstreamer-1.0)
  LD_LIBRARY_PATH=$(dirname "$library") "$scratch/application"
done
