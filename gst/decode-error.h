/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what a decoder's error message says about a file. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Sets `error` from the first error on the bus; FALSE if there is none. A message about a missing
 * plug-in, which comes before the error it causes, is put into words too. */
gboolean gst_ensemble_take_error (GstBus *bus, const char *path, GError **error);

G_END_DECLS
