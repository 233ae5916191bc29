#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what is missing, builds and runs all tests.
#
#   sh tests/run.sh             tests of this project alone
#   sh tests/run.sh --peers     also those that compare with PyTorch and OpenCV
#
# ENSEMBLE_TEST_DATA names a folder with real networks, photographs and clips; tests that need it
# are skipped without it.
set -eu
cd "$(dirname "$0")/.."
. examples/shell/packages.sh

peers=false
for argument in "$@"; do
  case $argument in
    --peers) peers=true ;;
    *) sed -n '3,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

# shellcheck disable=SC2086
install_packages $build_packages $test_packages
if $peers; then
  # shellcheck disable=SC2086
  install_packages $peer_packages
fi

# What is compiled once is found again: C in another clone, where there is ccache, and shaders, which
# Mesa's software driver compiles slowly, in another build.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
export MESA_SHADER_CACHE_DIR="$PWD/build-tests/mesa"

# build FOLDER TARGET OPTION …
build () {
  folder=$1 target=$2
  shift 2
  if [ -f "$folder/build.ninja" ]; then
    meson setup --reconfigure "$folder" "$@"
  else
    meson setup "$folder" "$@"
  fi
  ninja -C "$folder" "$target"
}

# The sanitizers find what plain runs hide; tests that only time or compare with peers stay out.
build build-tests all -Dwerror=true -Dpeers=$peers -Dintrospection=enabled -Ddoc=enabled
build build-sanitize all -Dwerror=true -Dbuildtype=debugoptimized -Doptimization=1 \
  -Db_sanitize=address,undefined -Db_lundef=false
(
  CC="$(command -v ccache || true) clang"
  export CC
  build build-fuzz fuzz -Dfuzz=true -Dvulkan=disabled -Dbuildtype=debug -Doptimization=1 \
    -Db_sanitize=address,undefined -Db_lundef=false
)

# Timeouts end what hangs, on a machine ten times as slow as those that they were chosen on, too
# (tests/meson.build); sanitizers are slow themselves.
status=0
meson test -C build-tests --no-rebuild --print-errorlogs || status=1
# GLib, GStreamer's registry and plug-ins keep memory until exit: leaks are looked for by
# GStreamer's own tracer in the elements' tests.
ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
  meson test -C build-sanitize --no-rebuild --print-errorlogs --no-suite peers --no-suite style \
  --timeout-multiplier 50 || status=1
# Every reader of files, FUZZ_SECONDS (60) each.
meson test -C build-fuzz --no-rebuild --print-errorlogs --suite fuzz || status=1

python3 tests/summary.py build-tests/meson-logs/testlog.json \
  build-sanitize/meson-logs/testlog.json build-fuzz/meson-logs/testlog.json
exit $status
