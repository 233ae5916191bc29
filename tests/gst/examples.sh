#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the examples on a clip:
#   examples.sh SOURCE-ROOT MAKE-COLOUR-BUNDLE PYTHON READ-TAGS [TYPELIB-FOLDER]
set -eu
root=$1 make_bundle=$2 python=$3 read_tags=$4 typelibs=${5:-}
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

# check_error PROGRAM…: it must say which bundle can't be opened.
check_error () {
  if "$@" 2> "$folder/out"; then
    fail "$*: expected an error"
  fi
  grep -q "$folder/none" "$folder/out" || fail "$*: expected the error to name the bundle"
}

"$read_tags" "$folder/clip.avi" "$bundle" > "$folder/out"
[ "$(grep -c '  red [01]\.' "$folder/out")" -eq 30 ] || fail "read-tags: expected 30 red frames"
check_error "$read_tags" "$folder/clip.avi" "$folder/none"

"$python" -c 'import gi; gi.require_version ("Gst", "1.0"); from gi.repository import Gst' ||
  exit 77
examples=$root/examples/python
"$python" "$examples/read-tags.py" "$folder/clip.avi" "$bundle" > "$folder/out"
[ "$(wc -l < "$folder/out")" -eq 30 ] || fail "read-tags.py: expected a line per frame"
grep -q "'red': 0.9" "$folder/out" || fail "read-tags.py: expected red frames"
check_error "$python" "$examples/read-tags.py" "$folder/clip.avi" "$folder/none"
if "$python" "$examples/read-tags.py" "$folder/none.avi" "$bundle" 2> "$folder/out"; then
  fail "read-tags.py: expected an error of a video that is not there"
fi

# Frames that carry no result: of a live source whose analyses have not ended yet.
if [ -n "$typelibs" ]; then
  export GI_TYPELIB_PATH="$typelibs" LD_LIBRARY_PATH="$typelibs"
  "$python" "$examples/read-results.py" "$bundle" videotestsrc is-live=true num-buffers=10 \
    pattern=red ! video/x-raw,width=64,height=48,framerate=25/1 > "$folder/out"
  grep -Eq '^\+ red [01]\.[0-9]{2} at \(0\.' "$folder/out" || fail "read-results.py: expected that red appears"
  check_error "$python" "$examples/read-results.py" "$folder/none"
fi

"$python" "$root/tests/gst/measure-lateness.py" "$folder/clip.avi" "$bundle" > "$folder/out"
grep -q "^late after it  *5 " "$folder/out" ||
  fail "measure-lateness.py: expected the five frames after the first second"

"$python" "$root/tests/gst/measure-stop.py" "$bundle" 64x48 1 > "$folder/out"
grep -q "^stopping  *1 stops" "$folder/out" || fail "measure-stop.py: expected the time of one stop"
