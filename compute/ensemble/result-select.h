/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: results with some of their classes. */
#pragma once

#include <ensemble/result.h>

G_BEGIN_DECLS

/* A copy of a result with n of its classes, by their indices, in that order. (transfer full) */
EnsResult *ens_result_select (const EnsResult *result, const guint *classes, guint n);

G_END_DECLS
