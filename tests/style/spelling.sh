#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Looks for common misspellings; .codespellrc says where, and which words only look like them.
cd "$1" || exit 1
command -v codespell >/dev/null || exit 77
codespell
