#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Tags a camera and tells Home Assistant, through its MQTT broker. NAME is what the camera is called
# there. A broker that asks who we are gets what the variables MQTT_USER and MQTT_PASSWORD say.
#
#   camera-to-home-assistant.sh rtsp://CAMERA/STREAM NAME.ensemble mqtt://BROKER NAME
set -eu
[ $# -eq 4 ] || { sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 2; }

exec gst-launch-1.0 -q rtspsrc location="$1" latency=200 ! application/x-rtp,media=video ! \
  decodebin ! videoconvert ! ensembleclassify model="$2" inference-period=500000000 ! \
  ensemblepublish location="$3" source="$4" home-assistant=true send=changes \
    ${MQTT_USER:+user="$MQTT_USER" secret=env:MQTT_PASSWORD} ! fakesink sync=false
