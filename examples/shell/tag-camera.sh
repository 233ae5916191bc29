#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints a line of JSON whenever the classes before a camera change, and one every ten seconds.
#
#   tag-camera.sh rtsp://USER:PASSWORD@CAMERA/STREAM NAME.ensemble
set -eu
[ $# -eq 2 ] || { sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 2; }

# Twice a second. Many cameras send sound too, which the caps leave out.
exec gst-launch-1.0 -q rtspsrc location="$1" latency=200 ! application/x-rtp,media=video ! \
  decodebin ! videoconvert ! ensembleclassify model="$2" inference-period=500000000 ! \
  ensemblepublish location=- only-present=true form=compact send=changes heartbeat=10000000000 ! \
  fakesink sync=false
