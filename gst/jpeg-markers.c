/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpeg-markers.h"

#include <string.h>

#include "tiff-directory.h"

enum {
  MARKER_SOF0 = 0xc0,
  MARKER_SOF3 = 0xc3,
  MARKER_DHT = 0xc4,
  MARKER_JPG = 0xc8,
  MARKER_DAC = 0xcc,
  MARKER_SOF15 = 0xcf,
  MARKER_EOI = 0xd9,
  MARKER_SOS = 0xda,
  MARKER_APP1 = 0xe1,
};

static const char exif_header[6] = "Exif\0";

/* Within entropy-coded data 0xff is followed by 0 or a restart marker, so the pair can't be taken
 * for something else there. */
static gboolean
has_end_of_image (const guint8 *data, gsize size)
{
  static const guint8 end[] = {0xff, MARKER_EOI};

  return memmem (data, size, end, sizeof end) != NULL;
}

static gboolean
is_frame (guint8 marker)
{
  return marker >= MARKER_SOF0 && marker <= MARKER_SOF15 && marker != MARKER_DHT
         && marker != MARKER_JPG && marker != MARKER_DAC;
}

static void
scan_frame (guint8 marker, const guint8 *content, GstEnsembleJpegMarkers *markers)
{
  markers->precision = content[0];
  markers->height = (guint)(content[1] << 8 | content[2]);
  markers->width = (guint)(content[3] << 8 | content[4]);
  markers->n_components = content[5];
  markers->lossless = (marker & 3) == (MARKER_SOF3 & 3);
}

static gboolean
is_exif (const guint8 *content, gsize length)
{
  return length > sizeof exif_header && memcmp (content, exif_header, sizeof exif_header) == 0;
}

static guint
exif_orientation (const guint8 *content, gsize length)
{
  GstEnsembleTiffDirectory directory;

  gst_ensemble_tiff_scan (content + sizeof exif_header, length - sizeof exif_header, &directory);
  return directory.orientation;
}

void
gst_ensemble_jpeg_scan (GBytes *file, GstEnsembleJpegMarkers *markers)
{
  gsize size, offset = 2;
  const guint8 *data = g_bytes_get_data (file, &size);
  gboolean has_exif = FALSE;

  *markers = (GstEnsembleJpegMarkers) {.orientation = 1};
  while (offset + 4 <= size && data[offset] == 0xff) {
    guint8 marker = data[offset + 1];
    gsize length = (gsize)(data[offset + 2] << 8 | data[offset + 3]);
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
    if (is_frame (marker) && length >= 8)
      scan_frame (marker, content, markers);
    if (marker == MARKER_APP1 && !has_exif && is_exif (content, length - 2)) {
      markers->orientation = exif_orientation (content, length - 2);
      has_exif = TRUE;
    }
    offset += 2 + length;
  }
}
