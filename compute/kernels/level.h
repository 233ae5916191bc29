/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: the instruction sets they are compiled for.
 *
 * The same templates (*-template.h) are compiled once per level; the best level that the processor
 * has is chosen when the program runs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _EnsKernels EnsKernels;

/* The best level this processor has. The environment variable ENSEMBLE_LEVEL names another one
 * (for tests and measurements); a name that is unknown or not supported here is ignored. */
const EnsKernels *ens_kernels_get (void);

/* The levels this processor has, worst first; NULL past the last. Level 0 always exists. */
const EnsKernels *ens_kernels_get_level (guint i);

/* "baseline", "avx2", "avx512" */
const char *ens_kernels_name (const EnsKernels *kernels);

G_END_DECLS
