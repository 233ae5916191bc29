#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs gst-ensemble for all users: the packages that building needs, then plug-in, tool and library.
#
#   sh examples/shell/install.sh          ninja -C build-install uninstall removes it again
set -eu
cd "$(dirname "$0")/../.."
. examples/shell/packages.sh
# shellcheck disable=SC2086
install_packages $build_packages

[ -f build-install/build.ninja ] || meson setup build-install -Dtests=false
ninja -C build-install
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
$as_root meson install -C build-install --no-rebuild
