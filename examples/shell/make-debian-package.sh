#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds Debian packages of this source tree, puts them into a folder and checks them with lintian:
#
#   sh examples/shell/make-debian-package.sh FOLDER
#
# What building needs is installed from Debian's packages. DEB_BUILD_OPTIONS=parallel=N sets how many
# compilers run at a time; without it all processors are used.
set -eu
[ $# -eq 1 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
. examples/shell/packages.sh
# shellcheck disable=SC2086
install_packages $build_packages $package_packages

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
tree=$scratch/gst-ensemble
mkdir "$tree"
if [ -e .git ] && git ls-files -z > "$scratch/files" 2>/dev/null; then
  tar --null -T "$scratch/files" -cf -
else
  tar --exclude='./build*' --exclude=./.git -cf - .
fi | tar -xf - -C "$tree"
cp -R "$tree/examples/debian" "$tree/debian"

# debhelper gives the build a home of its own; ccache, if it is installed, keeps its cache.
if command -v ccache >/dev/null; then
  CCACHE_DIR=$(ccache --get-config cache_dir)
  export CCACHE_DIR CCACHE_BASEDIR="$scratch" CCACHE_NOHASHDIR=1
fi
(
  cd "$tree"
  DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}" dpkg-buildpackage -us -uc -b
)
cp "$scratch"/*.deb "$target"
echo "In $target:"
ls "$target"
lintian --fail-on error,warning "$scratch"/*.changes
