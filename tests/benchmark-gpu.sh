#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measures the ensemble on a GPU, beside PyTorch where that is, in one run of under ten minutes.
#
#   sh tests/benchmark-gpu.sh [--small] [--all-paths] [--device DEVICE] [BUILD_FOLDER]
#
# BUILD_FOLDER (build) has the tool and the plug-in. DEVICE (vulkan) is a name as --device of the tool
# takes it, without +float16. --small: sizes that a software device can do in a minute or two.
# --all-paths: networks by each way of multiplying matrices that the device has, not by the best alone.
#
# The parts, each of which stands alone and may be missing (a line says so): what devices there are;
# the self-test; images/s of whole networks; large matrix products; a frame from the plug-in's input
# to its tags. The networks are exported by PyTorch, with random weights.
set -u
cd "$(dirname "$0")/.." || exit 1

small="" paths=""
device=vulkan
build=build
while [ $# -gt 0 ]; do
  case $1 in
    --small) small=--small ;;
    --all-paths) paths=--all-paths ;;
    --device) device=$2; shift ;;
    -*) sed -n '3,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) build=$1 ;;
  esac
  shift
done
tool=$build/gst/tool/gst-ensemble-1.0
[ -x "$tool" ] || { echo "$tool is missing: meson setup $build && ninja -C $build" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0

part () {
  echo
  echo "== $1"
  shift
  "$@" || { status=1; echo "-- failed: $*"; }
}

# A frame of 1920×1080, two networks, three scales, 100 windows: what a frame takes on the average,
# from the difference between a long and a short run, so that starting does not count.
frame () {
  command -v gst-launch-1.0 >/dev/null || { echo "no gst-launch-1.0 here"; return 0; }
  frames=60 width=1920 height=1080 windows=100
  [ -z "$small" ] || { frames=3 width=640 height=360 windows=10; }
  "$build/tests/scenes/draw-scenes" boxes "$folder/scenes" --train=60 --validation=40 --test=8 \
    >"$folder/log" 2>&1 &&
    "$tool" train "$folder/scenes" -o "$folder/scenes.ensemble" \
      --networks examples/networks/networks.json --cache "$folder/features" -d cpu \
      >"$folder/log" 2>&1 || { cat "$folder/log"; return 1; }
  for place in "$device" "$device+float16" cpu; do
    short=$(seconds_of 1 "$place") && long=$(seconds_of $((1 + frames)) "$place") || return 1
    echo "$place $short $long" | awk -v n=$frames -v w=$width -v h=$height -v k=$windows '{
      printf "%-20s %8.2f ms a frame of %dx%d with %d windows\n", $1, ($3 - $2) / n * 1000, w, h, k }'
  done
}

# seconds_of FRAMES DEVICE
seconds_of () {
  start=$(date +%s.%N)
  GST_PLUGIN_PATH=$build/gst gst-launch-1.0 -q videotestsrc pattern=snow num-buffers="$1" ! \
    "video/x-raw,format=NV12,width=$width,height=$height" ! \
    ensembleclassify model="$folder/scenes.ensemble" device="$2" mode=sync windows=$windows \
    scales='<256, 384, 512>' sub-images=off qos=false ! fakesink >"$folder/log" 2>&1 ||
    { cat "$folder/log" >&2; return 1; }
  echo "$start $(date +%s.%N)" | awk '{ print $2 - $1 }'
}

# A way to multiply matrices that the device does not have is replaced by another.
has_matrices () {
  [ "$1" = none ] || ENSEMBLE_VULKAN_MATRICES=$1 "$tool" devices | grep -q "$1 cooperative matrices"
}

part "Devices" "$tool" devices
part "Self-test in 32 bits" "$tool" selftest --device "$device"
for matrices in none subgroup workgroup; do
  has_matrices $matrices || continue
  part "Self-test with float16 storage, matrices: $matrices" \
    env ENSEMBLE_VULKAN_MATRICES=$matrices "$tool" selftest --device "$device+float16"
done
if python3 -c 'import torch, torchvision' 2>/dev/null; then
  part "Networks and matrix products" \
    python3 tests/peers/gpu.py $small $paths --device "$device" "$tool" "$folder"
else
  echo "No PyTorch with torchvision here: no networks to measure, and nothing to compare with."
fi
part "A frame, end to end" frame
exit $status
