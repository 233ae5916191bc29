#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks that sources begin with the line above, and by REUSE that each file has a licence. REUSE wants
# the text in a folder LICENSES, which a copy of the tree gets; here it is COPYING.
cd "$1" || exit 1
line='-License-Identifier: LGPL-2.1-or-later'
lacking=$(find .ci compute examples gst include shaders tests meson.build meson_options.txt -type f \
  -not -name '*.md' -not -name '*.json' -not -name '*.onnx' -not -name '*.xml' -not -name '*.css' \
  -not -name '*.toml.in' -not -path '*/__pycache__/*' -not -path 'examples/debian/*' -exec grep -L "SPDX$line" {} +)
[ -z "$lacking" ] || {
  echo "These lack a line SPDX$line:"
  echo "$lacking"
  exit 1
}
command -v reuse >/dev/null || exit 77
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --exclude='./build*' --exclude=./.git -cf - . | tar -xf - -C "$copy"
mkdir "$copy/LICENSES"
cp COPYING "$copy/LICENSES/LGPL-2.1-or-later.txt"
reuse --root "$copy" lint
