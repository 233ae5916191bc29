#!/bin/sh
# Runs the Python examples on a clip: examples.sh SOURCE-ROOT MAKE-COLOUR-BUNDLE PYTHON
set -eu
root=$1 make_bundle=$2 python=$3
"$python" -c 'import gi; gi.require_version ("Gst", "1.0"); from gi.repository import Gst' ||
  exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail () {
  echo "$1"
  cat "$folder/out"
  exit 1
}

bundle=$("$make_bundle" "$folder")
gst-launch-1.0 -q videotestsrc num-buffers=30 pattern=red ! \
  video/x-raw, width=64, height=48, framerate=25/1 ! jpegenc ! avimux ! \
  filesink location="$folder/clip.avi"

"$python" "$root/examples/python/read-tags.py" "$folder/clip.avi" "$bundle" > "$folder/out"
[ "$(wc -l < "$folder/out")" -eq 30 ] || fail "read-tags.py: expected a line per frame"
grep -q "'red': 0.9" "$folder/out" || fail "read-tags.py: expected red frames"
if "$python" "$root/examples/python/read-tags.py" "$folder/clip.avi" "$folder/none" 2> "$folder/out"; then
  fail "read-tags.py: expected an error"
fi
grep -q "$folder/none" "$folder/out" || fail "read-tags.py: expected the error to name the bundle"

"$python" "$root/tests/gst/measure-lateness.py" "$folder/clip.avi" "$bundle" > "$folder/out"
grep -q "^late after it  *5 " "$folder/out" ||
  fail "measure-lateness.py: expected the five frames after the first second"
