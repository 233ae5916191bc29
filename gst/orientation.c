/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "orientation.h"

#include <string.h>

#include "tiff-directory.h"

void
gst_ensemble_orientation_take_exif (GstEnsembleOrientation *orientation, const guint8 *data,
                                    gsize size)
{
  static const char prefix[6] = "Exif\0"; /* as in JPEG; some programs keep it elsewhere */
  gsize skip = size >= sizeof prefix && memcmp (data, prefix, sizeof prefix) == 0 ? 6 : 0;
  GstEnsembleTiffDirectory directory;

  if (orientation->has_exif)
    return;
  gst_ensemble_tiff_scan (data + skip, size - skip, &directory);
  orientation->exif = directory.orientation;
  orientation->has_exif = TRUE;
}

/* tiff:Orientation="6", or <tiff:Orientation>6<. */
void
gst_ensemble_orientation_take_xmp (GstEnsembleOrientation *orientation, const guint8 *data,
                                   gsize size)
{
  static const char name[] = "tiff:Orientation";
  const gsize length = sizeof name - 1;
  const guint8 *at = data, *end = data + size;

  while (orientation->xmp == 0 && (at = memmem (at, (gsize)(end - at), name, length)) != NULL) {
    gsize skip;

    at += length;
    skip = end - at > 2 && at[0] == '=' && (at[1] == '"' || at[1] == '\'') ? 2 : 1;
    if ((gsize)(end - at) > skip && (skip == 2 || at[0] == '>') && at[skip] >= '1'
        && at[skip] <= '8')
      orientation->xmp = at[skip] - '0';
  }
}

guint
gst_ensemble_orientation_get (const GstEnsembleOrientation *orientation)
{
  return orientation->exif != 0 ? orientation->exif : orientation->xmp != 0 ? orientation->xmp : 1;
}
