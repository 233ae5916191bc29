/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log category of ensembleclassify: GST_DEBUG=ensembleclassify:6 shows what becomes of every
 * frame. For source files alone. */
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (gst_ensemble_classify_debug);
#define GST_CAT_DEFAULT gst_ensemble_classify_debug
