/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long nodes take. */
#pragma once

#include <glib.h>

/* What one node took, for benchmarks. Strings belong to the plan. */
typedef struct {
  const char *node, *op, *kernel;
  double flops;       /* of one run */
  gint64 nanoseconds; /* summed over runs, and over threads that have images of their own */
} EnsNodeTime;
