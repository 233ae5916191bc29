#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the elements log of a stream: log.sh MAKE-COLOUR-BUNDLE
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bundle=$("$1" "$folder")
failed=0

export GST_DEBUG_FILE="$folder/log" GST_DEBUG_NO_COLOR=1
export GST_DEBUG=ensembleclassify:7,ensemblepublish:7,GST_TRACER:7 GST_TRACERS=ensemblelatency
# The first frame is analysed, the second is passed on with its result.
gst-launch-1.0 -q videotestsrc num-buffers=2 pattern=red ! video/x-raw,width=64,height=48 ! \
  ensembleclassify model="$bundle" inference-interval=2 ! \
  ensemblepublish location="$folder/results.jsonl" ! fakesink

while read -r n category text; do
  found=$(grep -c " $category .*> *$text" "$folder/log" || true)
  [ "$found" -eq "$n" ] || {
    echo "expected $n lines of $category with '$text', found $found"
    failed=1
  }
done << ROWS
1 ensembleclassify NULL->READY
1 ensembleclassify opened $bundle on cpu
1 ensembleclassify caps are video/x-raw
1 ensembleclassify upstream is not live: sync
1 ensembleclassify the frame at 0:00:00.000000000 is analysed
1 ensembleclassify the frame at 0:00:00.033333333 is passed on
1 ensembleclassify submitting the frame at 0:00:00.000000000 as #1
1 ensembleclassify A frame of 64x48 takes .* no cpu-budget bounds that
1 ensembleclassify frame #1 is analysed after
2 ensembleclassify attaching the result of 0:00:00.000000000
1 ensembleclassify closing the bundle
1 ensemblepublish writing to $folder/results.jsonl
1 ensemblepublish publishing {"schema"
1 ensemblepublish closing $folder/results.jsonl
ROWS
grep -q 'GST_TRACER .* ensemble-latency, element=(string)ensembleclassify0, .* cpu=(gint64)[1-9]' \
  "$folder/log" || {
  echo "expected a line of the tracer ensemblelatency"
  failed=1
}
[ $failed -eq 0 ] || cat "$folder/log"
exit $failed
