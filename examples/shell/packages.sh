#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2034  # read by the scripts that source this one
# Debian 12 packages by purpose, and a function to install those that are missing. Sourced by
# examples/shell/quickstart.sh, examples/shell/make-debian-package.sh and tests/run.sh; run by itself it installs what building needs.

# dpkg-dev: Meson asks it for the folder of libraries. libopenblas-serial-dev: other builds of OpenBLAS
# start threads that would stay idle. libgirepository1.0-dev: for Python's bindings.
build_packages="gcc libc6-dev dpkg-dev meson ninja-build pkg-config
  libglib2.0-dev libjson-glib-dev libyaml-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev
  glslc spirv-tools libvulkan-dev
  libgdk-pixbuf-2.0-dev libwebp-dev libheif-dev
  libmosquitto-dev librdkafka-dev libsoup-3.0-dev
  liblinear-dev libopenblas-serial-dev libcairo2-dev libpango1.0-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgirepository1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav"

test_packages="check clang clang-format libclang-rt-dev mesa-vulkan-drivers
  vulkan-validationlayers man-db git codespell shellcheck reuse abigail-tools g++
  mosquitto mosquitto-clients openssl python3 python3-gi python3-gst-1.0 gir1.2-gst-rtsp-server-1.0
  python3-jsonschema python3-onnx libonnx-testdata gi-docgen gstreamer1.0-plugins-bad
  chromium chromium-driver python3-selenium"

# Asked for by examples/debian beside what building needs.
package_packages="chrpath debhelper gobject-introspection lintian"

peer_packages="python3-torch python3-torchvision python3-opencv"

# install_packages NAME …: asks apt only for what is missing, as root or through sudo.
install_packages () {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "Need root to install:$missing" >&2
      return 1
    }
    as_root=sudo
  fi
  echo "Installing:$missing"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
}

case ${0##*/} in
  packages.sh)
    # shellcheck disable=SC2086
    install_packages $build_packages
    ;;
esac
