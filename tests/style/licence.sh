#!/bin/sh
# Checks that each file has a licence, by REUSE. That wants the text in a folder LICENSES, which a copy
# of the tree gets; here it is COPYING.
cd "$1" || exit 1
command -v reuse >/dev/null || exit 77
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --exclude='./build*' --exclude=./.git -cf - . | tar -xf - -C "$copy"
mkdir "$copy/LICENSES"
cp COPYING "$copy/LICENSES/LGPL-2.1-or-later.txt"
reuse --root "$copy" lint
