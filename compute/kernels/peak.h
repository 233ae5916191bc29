/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: what the processor could do at best. */
#pragma once

#include <glib.h>

#include "base/thread-pool.h"
#include "kernels/level.h"

G_BEGIN_DECLS

/* 10⁹ multiplications and additions per second of all the pool's threads together, measured now
 * with independent fused multiply-adds on registers, in less than a tenth of a second. */
double ens_peak_gflops (const EnsKernels *kernels, EnsThreadPool *pool);

G_END_DECLS
