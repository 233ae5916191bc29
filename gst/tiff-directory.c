/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tiff-directory.h"

#include <string.h>

/* Tags. */
enum {
  TAG_WIDTH = 0x100,
  TAG_HEIGHT = 0x101,
  TAG_BITS = 0x102,
  TAG_PHOTOMETRIC = 0x106,
  TAG_ORIENTATION = 0x112,
  TAG_TILE_WIDTH = 0x142,
  TAG_TILE_HEIGHT = 0x143,
  TAG_SAMPLE_FORMAT = 0x153,
  TAG_DNG_VERSION = 0xc612,
};

static const guint16 tags[] = {
    TAG_WIDTH,      TAG_HEIGHT,      TAG_BITS,          TAG_PHOTOMETRIC, TAG_ORIENTATION,
    TAG_TILE_WIDTH, TAG_TILE_HEIGHT, TAG_SAMPLE_FORMAT, TAG_DNG_VERSION,
};

#define PHOTOMETRIC_SENSOR 32803
#define UNSIGNED_SAMPLES 1
#define CANON_RAW 10 /* where its first directory has "CR" before it */

/* A file and how its numbers are written. */
typedef struct {
  const guint8 *data;
  gsize size;
  gboolean big_endian;
  gboolean wide; /* BigTIFF: counts and offsets have 8 bytes */
} Tiff;

/* 0 behind the end. */
static guint64
read_number (const Tiff *tiff, guint64 offset, guint n)
{
  guint64 value = 0;

  if (offset > tiff->size || n > tiff->size - offset)
    return 0;
  for (guint i = 0; i < n; i++)
    value |= (guint64)tiff->data[offset + i] << 8 * (tiff->big_endian ? n - 1 - i : i);
  return value;
}

/* Of integers; decoders take those with a sign, too. */
static guint
type_size (guint64 type)
{
  static const guint8 sizes[] = {
      [1] = 1, [3] = 2, [4] = 4, [16] = 8, /* BYTE, SHORT, LONG, LONG8 */
      [6] = 1, [8] = 2, [9] = 4, [17] = 8, /* SBYTE, SSHORT, SLONG, SLONG8 */
  };

  return type < G_N_ELEMENTS (sizes) ? sizes[type] : 0;
}

/* The first value of an entry, where it is an integer; values that have no room in the entry lie
 * elsewhere. What is below 0 is very large. */
static guint64
read_value (const Tiff *tiff, guint64 entry)
{
  guint width = tiff->wide ? 8 : 4, size = type_size (read_number (tiff, entry + 2, 2));
  guint64 n = read_number (tiff, entry + 4, width), place = entry + 4 + width;

  if (size == 0 || n == 0)
    return 0;
  return read_number (tiff, n > width / size ? read_number (tiff, place, width) : place, size);
}

/* Whether the tag is one of those that count, and had not been seen: decoders take the first of
 * several. */
static gboolean
see_tag (guint64 tag, guint *seen)
{
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    if (tags[i] == tag) {
      gboolean first = (*seen >> i & 1) == 0;

      *seen |= 1U << i;
      return first;
    }
  return FALSE;
}

static void
read_entry (const Tiff *tiff, guint64 entry, guint *seen, GstEnsembleTiffDirectory *directory)
{
  guint64 tag = read_number (tiff, entry, 2), value = read_value (tiff, entry);

  if (!see_tag (tag, seen))
    return;
  switch (tag) {
  case TAG_WIDTH:
    directory->width = value;
    break;
  case TAG_HEIGHT:
    directory->height = value;
    break;
  case TAG_BITS:
    directory->bits = (guint)value;
    break;
  case TAG_SAMPLE_FORMAT:
    directory->floating = value != UNSIGNED_SAMPLES;
    break;
  case TAG_TILE_WIDTH:
    directory->tile_width = value;
    break;
  case TAG_TILE_HEIGHT:
    directory->tile_height = value;
    break;
  case TAG_ORIENTATION:
    directory->orientation = value >= 1 && value <= 8 ? (guint)value : 1;
    break;
  case TAG_PHOTOMETRIC:
    directory->raw |= value == PHOTOMETRIC_SENSOR;
    break;
  case TAG_DNG_VERSION:
    directory->raw = TRUE;
    break;
  default:
    break;
  }
}

static gboolean
open_tiff (Tiff *tiff, const guint8 *data, gsize size)
{
  *tiff = (Tiff) {data, size, size > 0 && data[0] == 'M', FALSE};
  if (size < 8 || (memcmp (data, "II", 2) != 0 && memcmp (data, "MM", 2) != 0))
    return FALSE;
  tiff->wide = read_number (tiff, 2, 2) == 43;
  return tiff->wide || read_number (tiff, 2, 2) == 42;
}

gboolean
gst_ensemble_tiff_scan (const guint8 *data, gsize size, GstEnsembleTiffDirectory *directory)
{
  guint64 start, n, entry_size, first;
  guint seen = 0;
  Tiff tiff;

  *directory = (GstEnsembleTiffDirectory) {.bits = 1};
  if (!open_tiff (&tiff, data, size))
    return FALSE;
  start = tiff.wide ? read_number (&tiff, 8, 8) : read_number (&tiff, 4, 4);
  if (start < 8 || start >= size)
    return FALSE;
  n = read_number (&tiff, start, tiff.wide ? 8 : 2);
  entry_size = tiff.wide ? 20 : 12;
  first = start + (tiff.wide ? 8 : 2);
  directory->raw = !tiff.wide && size > CANON_RAW && memcmp (data + 8, "CR", 2) == 0;
  for (guint64 i = 0; i < n && first + (i + 1) * entry_size <= size; i++)
    read_entry (&tiff, first + i * entry_size, &seen, directory);
  return n > 0;
}
