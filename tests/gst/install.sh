#!/bin/sh
# Installs into an empty tree and uses what is there, as packages and applications do:
#   install.sh MESON BUILD-ROOT PREFIX LIBDIR PYTHON "CC" APPLICATION.c INTROSPECTION.py
set -eu
meson=$1 build=$2 prefix=$3 libdir=$4 python=$5 cc=$6 application=$7 introspection=$8
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fail () {
  echo "$1"
  exit 1
}

"$meson" install -C "$build" --no-rebuild --quiet --destdir "$tree"
root=$tree$prefix libraries=$tree$prefix/$libdir

for file in bin/gst-ensemble-1.0 include/gst-ensemble-1.0/gst/ensemble/ensemble.h \
    "$libdir/gstreamer-1.0/libgstensemble.so" "$libdir/pkgconfig/gstensemble-1.0.pc"; do
  [ -e "$root/$file" ] || fail "not installed: $file"
done

# Nothing of the engine shows but results.
foreign=$(nm -D --defined-only "$libraries/libgstensemble-1.0.so" | awk '{ print $3 }' |
  grep -Ev '^(gst_ensemble_|gst_buffer_[a-z]+_ensemble_|ens_result_)' || true)
[ -z "$foreign" ] || fail "the library exports: $foreign"

# The package as it would be if the tree were the root.
mkdir "$tree/pkgconfig"
sed "s|^prefix=.*|prefix=$root|" "$libraries/pkgconfig/gstensemble-1.0.pc" \
  > "$tree/pkgconfig/gstensemble-1.0.pc"
export PKG_CONFIG_PATH="$tree/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
package () {
  pkg-config "$@" gstensemble-1.0
}
[ -f "$(package --variable=resultschema)" ] || fail "no schema at $(package --variable=resultschema)"
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror "$application" -o "$tree/application" \
  $(package --cflags --libs)
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
"$tree/application" | grep -q '^{"schema": "gst-ensemble/result/1", .*"name": "cat"' ||
  fail "the application did not print its tags"

GST_PLUGIN_PATH=$libraries/gstreamer-1.0 GST_REGISTRY=$tree/registry.bin gst-inspect-1.0 \
  ensembleclassify > "$tree/out" || fail "gst-inspect-1.0 does not know ensembleclassify"

typelibs=$(package --variable=typelibdir)
if [ -d "$typelibs" ]; then
  [ -f "$(package --variable=girdir)/GstEnsemble-1.0.gir" ] || fail "a typelib without its GIR"
  status=0
  GI_TYPELIB_PATH=$typelibs "$python" "$introspection" || status=$?
  [ $status -eq 0 ] || [ $status -eq 77 ] || fail "Python can't use the typelib"
fi
