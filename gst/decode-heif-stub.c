/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "decode-heif.h"

GstBuffer *
gst_ensemble_heif_decode (GBytes *file, const char *path, guint64 max_pixels, GstVideoInfo *info,
                          GError **error)
{
  g_set_error (
      error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
      "%s: HEIC or AVIF, which this build does not read; convert it to JPEG or PNG, or build "
      "with libheif",
      path);
  return NULL;
}
