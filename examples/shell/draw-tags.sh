#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws the tags of a video into its pictures, and writes them as WebM.
#
#   draw-tags.sh VIDEO NAME.ensemble TAGGED.webm
set -eu
[ $# -eq 3 ] || { sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 2; }

exec gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! \
  ensembleclassify model="$2" inference-period=200000000 mode=sync ! ensembleoverlay ! \
  videoconvert ! vp8enc deadline=1 cpu-used=4 ! webmmux ! filesink location="$3"
