#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Times selective search on drawn pictures, and counts the objects that its windows cover:
#   benchmark.sh DRAW-SCENES TOOL
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" boxes "$folder" --train=1 --validation=1 --test=60
for preset in fast balanced quality; do
  printf '\n%s: ' "$preset"
  "$2" windows "$folder" --preset=$preset --threads=1 2>/dev/null
done
