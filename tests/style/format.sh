#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks every C file against .clang-format.
cd "$1" || exit 1
command -v clang-format >/dev/null || exit 77
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
