/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: one binary for old and new processors.
 *
 * A function marked ENS_CLONES is compiled for several instruction sets and the loader chooses.
 * What it calls must be inlined to be compiled so too: mark that ENS_INLINE. Results of
 * floating-point arithmetic may differ in the last bits between processors (fused multiply-add),
 * never between runs on one. */
#pragma once

/* Clang gives clones another name than their callers in other files do. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) \
    && __GNUC__ >= 12
#define ENS_CLONES __attribute__ ((target_clones ("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ENS_CLONES
#endif

#define ENS_INLINE static inline __attribute__ ((always_inline))
