#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks every shell script with ShellCheck.
cd "$1" || exit 1
command -v shellcheck >/dev/null || exit 77
find . \( -name '*.sh' -not -path './build*' -o -path ./.ci/run \) -exec shellcheck -x -S warning {} +
