/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpeg-markers.h"

#include <string.h>

#include "orientation.h"

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
static const char xmp_header[] = "http://ns.adobe.com/xap/1.0/";

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

/* Of components that have three bytes each, the second of which are their sampling factors. */
static gboolean
are_grey_or_420 (const guint8 *components, guint n)
{
  return (n == 1 && components[1] == 0x11)
         || (n == 3 && components[1] == 0x22 && components[4] == 0x11 && components[7] == 0x11);
}

static void
scan_frame (guint8 marker, const guint8 *content, gsize length, GstEnsembleJpegMarkers *markers)
{
  markers->precision = content[0];
  markers->height = (guint)(content[1] << 8 | content[2]);
  markers->width = (guint)(content[3] << 8 | content[4]);
  markers->grey_or_420 =
      length >= 6 + 3 * (gsize)content[5] && are_grey_or_420 (content + 6, content[5]);
  markers->lossless = (marker & 3) == (MARKER_SOF3 & 3);
}

static gboolean
is_exif (const guint8 *content, gsize length)
{
  return length > sizeof exif_header && memcmp (content, exif_header, sizeof exif_header) == 0;
}

static gboolean
is_xmp (const guint8 *content, gsize length)
{
  return length > sizeof xmp_header && memcmp (content, xmp_header, sizeof xmp_header) == 0;
}

void
gst_ensemble_jpeg_scan (GBytes *file, GstEnsembleJpegMarkers *markers)
{
  gsize size, offset = 2;
  const guint8 *data = g_bytes_get_data (file, &size);
  GstEnsembleOrientation orientation = {0};

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
      scan_frame (marker, content, length - 2, markers);
    if (marker == MARKER_APP1 && is_exif (content, length - 2))
      gst_ensemble_orientation_take_exif (&orientation, content, length - 2);
    if (marker == MARKER_APP1 && is_xmp (content, length - 2))
      gst_ensemble_orientation_take_xmp (&orientation, content, length - 2);
    markers->orientation = gst_ensemble_orientation_get (&orientation);
    offset += 2 + length;
  }
}
