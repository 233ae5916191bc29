/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#ifdef BUILDING_GST_ENSEMBLE
#define GST_ENSEMBLE_API GST_API_EXPORT
#else
#define GST_ENSEMBLE_API GST_API_IMPORT
#endif
