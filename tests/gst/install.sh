#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs into an empty tree, uses what is there as packages and applications do, uninstalls:
#   install.sh MESON BUILD-ROOT PREFIX LIBDIR PLUGIN-DIR PYTHON "CC" APPLICATION.c INTROSPECTION.py
set -eu
meson=$1 build=$2 prefix=$3 libdir=$4 plugins=$5 python=$6 cc=$7 application=$8 introspection=$9
scratch=$(mktemp -d)
tree=$scratch/tree
log=$build/meson-logs/install-log.txt

# What was really installed from this folder must still be known afterwards.
[ ! -f "$log" ] || cp "$log" "$scratch/log"
finish () {
  rm -f "$log"
  [ ! -f "$scratch/log" ] || cp "$scratch/log" "$log"
  rm -rf "$scratch"
}
trap finish EXIT

fail () {
  echo "$1"
  exit 1
}

"$meson" install -C "$build" --no-rebuild --quiet --destdir "$tree"
root=$tree$prefix libraries=$tree$prefix/$libdir

for file in bin/gst-ensemble-1.0 include/gst-ensemble-1.0/gst/ensemble/ensemble.h \
    "$libdir/pkgconfig/gstensemble-1.0.pc" share/man/man1/gst-ensemble-1.0.1 \
    share/bash-completion/completions/gst-ensemble-1.0.bash share/zsh/site-functions/_gst-ensemble-1.0; do
  [ -e "$root/$file" ] || fail "not installed: $file"
done
find "$tree" -path '*/fish/vendor_completions.d/*' | grep -q . || fail "no completion for fish"
[ -f "$tree$plugins/libgstensemble.so" ] || fail "no plug-in in $plugins"

# Nothing of the engine shows but results.
foreign=$(nm -D --defined-only "$libraries/libgstensemble-1.0.so" | awk '{ print $3 }' |
  grep -Ev '^(gst_ensemble_|gst_buffer_[a-z]+_ensemble_|ens_(class_)?(result|state)_)' || true)
[ -z "$foreign" ] || fail "the library exports: $foreign"

# The package as it would be if the tree were the root.
mkdir "$scratch/pkgconfig"
sed "s|^prefix=.*|prefix=$root|" "$libraries/pkgconfig/gstensemble-1.0.pc" \
  > "$scratch/pkgconfig/gstensemble-1.0.pc"
export PKG_CONFIG_PATH="$scratch/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
package () {
  pkg-config "$@" gstensemble-1.0
}
[ -f "$(package --variable=resultschema)" ] || fail "no schema at $(package --variable=resultschema)"
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror "$application" -o "$scratch/application" \
  $(package --cflags --libs)
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
"$scratch/application" | grep -q '^{"schema": "gst-ensemble/result/1", .*"name": "cat"' ||
  fail "the application did not print its tags"

GST_PLUGIN_PATH=$tree$plugins GST_REGISTRY=$scratch/registry.bin gst-inspect-1.0 \
  ensembleclassify > "$scratch/out" || fail "gst-inspect-1.0 does not know ensembleclassify"

# Not below the prefix where GObject introspection would not look there.
typelibs=$tree$(pkg-config --variable=typelibdir "$libraries/pkgconfig/gstensemble-1.0.pc")
if [ -d "$typelibs" ]; then
  [ -f "$(package --variable=girdir)/GstEnsemble-1.0.gir" ] || fail "a typelib without its GIR"
  status=0
  GI_TYPELIB_PATH=$typelibs "$python" "$introspection" || status=$?
  [ $status -eq 0 ] || [ $status -eq 77 ] || fail "Python can't use the typelib"
fi

ninja -C "$build" uninstall > "$scratch/out"
left=$(find "$scratch" -path "$tree/*" -not -type d)
[ -z "$left" ] || fail "left by uninstalling: $left"
