#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints a line of JSON for every second of a video: the classes that are present.
#
#   tag-video.sh VIDEO NAME.ensemble
set -eu
[ $# -eq 2 ] || { sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 2; }

exec gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! \
  ensembleclassify model="$2" inference-period=1000000000 mode=sync ! \
  ensemblepublish location=- only-present=true form=compact ! fakesink sync=false
