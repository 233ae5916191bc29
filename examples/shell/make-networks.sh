#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains the quickstart's two networks again, from the beginning, on drawn pictures:
#
#   original.onnx   knows other things than the quickstart's classes, as a network from a public
#                   collection would
#   retrained.onnx  knows the quickstart's classes
#
# and writes networks.json, which says what `train` has to know of them. It needs what
# examples/shell/quickstart.sh has built, and about ten minutes of one processor.
#
#   sh examples/shell/make-networks.sh [FOLDER]      FOLDER for the networks: examples/networks
set -eu
cd "$(dirname "$0")/../.."
networks=${1:-examples/networks}
work=build/make-networks
ensemble=build/gst/tool/gst-ensemble-1.0

# NAME KINDS SEED OPTION…
make_network () {
  rm -rf "${work:?}/$1"
  build/tests/scenes/draw-scenes boxes "$work/$1" --kinds="$2" --seed="$3" --size=160 \
    --train=2500 --validation=300 --test=0
  name=$1
  shift 3
  $ensemble train-network "$work/$name" -o "$work/$name.onnx" --device=cpu \
    --size=96 --depth=1,2,3 --initial=16,3,2 --augment=crop "$@"
  mv "$work/$name.onnx" "$networks/$name.onnx"
}

# The entry of one network, with its role.
describe () {
  sed -n '/^    {/,/^    }/p' "$work/$1.json" | sed "s/\"role\": \"[a-z]*\"/\"role\": \"$1\"/"
}

mkdir -p "$work" "$networks"
make_network original other 20001 --epochs=36
make_network retrained set 20000 --epochs=80 --batch-size=32 --learning-rate=0.004
{
  printf '{\n  "networks": [\n'
  describe original | sed '$s/$/,/'
  describe retrained
  printf '  ]\n}\n'
} > "$networks/networks.json"
