/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpeg-markers.h"

#include <string.h>

#include <gst/tag/tag.h>

enum {
  MARKER_EOI = 0xd9,
  MARKER_SOS = 0xda,
  MARKER_APP1 = 0xe1,
};

static const char exif_header[6] = "Exif\0";

static GstVideoOrientationMethod
exif_orientation (GBytes *file, gsize offset, gsize size)
{
  g_autoptr (GBytes) exif = g_bytes_new_from_bytes (file, offset, size);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (exif);
  g_autoptr (GstTagList) tags = gst_tag_list_from_exif_buffer_with_tiff_header (buffer);
  GstVideoOrientationMethod orientation;

  if (tags != NULL && gst_video_orientation_from_tag (tags, &orientation))
    return orientation;
  return GST_VIDEO_ORIENTATION_IDENTITY;
}

/* Within entropy-coded data 0xff is followed by 0 or a restart marker, so the pair can't be taken
 * for something else there. */
static gboolean
has_end_of_image (const guint8 *data, gsize size)
{
  static const guint8 end[] = {0xff, MARKER_EOI};

  return memmem (data, size, end, sizeof end) != NULL;
}

void
gst_ensemble_jpeg_scan (GBytes *file, GstEnsembleJpegMarkers *markers)
{
  gsize size, offset = 2;
  const guint8 *data = g_bytes_get_data (file, &size);

  *markers = (GstEnsembleJpegMarkers) {.orientation = GST_VIDEO_ORIENTATION_IDENTITY};
  while (offset + 4 <= size && data[offset] == 0xff) {
    guint8 marker = data[offset + 1];
    gsize length = data[offset + 2] << 8 | data[offset + 3];
    const guint8 *content = data + offset + 4;

    if (marker == 0xff) { /* fill byte */
      offset++;
      continue;
    }
    if (length < 2 || length > size - offset - 2)
      return;
    if (marker == MARKER_SOS) {
      markers->complete = has_end_of_image (data + offset, size - offset);
      return;
    }
    if (marker == MARKER_APP1 && length > 2 + sizeof exif_header
        && memcmp (content, exif_header, sizeof exif_header) == 0)
      markers->orientation =
          exif_orientation (file, offset + 4 + sizeof exif_header, length - 2 - sizeof exif_header);
    offset += 2 + length;
  }
}
