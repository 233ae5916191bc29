#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a fresh Debian 12 to a tagged video: installs what is missing, builds, draws a labelled set
# of pictures and a clip, trains an ensemble of two networks on the set, measures it and writes a
# report, tags the clip in a pipeline and prints the tags beside the truth. The last line is the path
# of an annotated picture.
#
#   sh examples/shell/quickstart.sh [FOLDER]      FOLDER for what is made: build/quickstart
set -eu
cd "$(dirname "$0")/../.."
. examples/shell/packages.sh
out=${1:-build/quickstart}

# Tables have characters that a bare system's locale lacks.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
  *UTF-8 | *utf8) ;;
  *) LC_ALL=C.UTF-8; export LC_ALL ;;
esac

say () {
  printf '\n== %s\n' "$*"
}

say "Packages"
# shellcheck disable=SC2086
install_packages $build_packages

say "Build"
[ -f build/build.ninja ] || meson setup build
ninja -C build
GST_PLUGIN_PATH=$PWD/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
export GST_PLUGIN_PATH
ensemble=build/gst/tool/gst-ensemble-1.0

say "Drawing a labelled set and a clip"
mkdir -p "$out"
rm -rf "$out/set"
build/tests/scenes/draw-scenes boxes "$out/set" --train=600 --validation=240 --test=120
build/tests/scenes/draw-scenes clip "$out/clip.webm" "$out/truth.csv"
echo "$out/set: 960 pictures of 8 classes; $out/clip.webm: 12 seconds"

say "Training an ensemble on the set"
$ensemble train --networks=examples/networks/networks.json --cache="$out/features" \
  --output="$out/quickstart.ensemble" "$out/set"

say "Measuring it on pictures that it has not seen"
$ensemble evaluate --model="$out/quickstart.ensemble" --report="$out/report.html" "$out/set"

say "Tagging the clip"
gst-launch-1.0 -q filesrc location="$out/clip.webm" ! decodebin ! videoconvert \
  ! ensembleclassify model="$out/quickstart.ensemble" mode=sync inference-interval=5 \
  ! ensemblepublish location="$out/tags.jsonl" ! fakesink

say "Tags"
build/examples/show-tags "$out/tags.jsonl" "$out/truth.csv" \
  --clip="$out/clip.webm" --picture="$out/tags.png"
printf '\n%s\n' "$(realpath "$out/tags.png")"
