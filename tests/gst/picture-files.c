/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture-files.h"

#include <string.h>

static gboolean
is_white (guint x, guint y)
{
  return x < PICTURE_WIDTH / 2 && y < PICTURE_HEIGHT / 2;
}

static void
add (GByteArray *bytes, guint64 value, guint n, gboolean big_endian)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = (guint8)(value >> 8 * (big_endian ? n - 1 - i : i));

    g_byte_array_append (bytes, &byte, 1);
  }
}

/* ---- PNG ---- */

static guint32
checksum (const guint8 *data, gsize size)
{
  guint32 crc = 0xffffffff;

  for (gsize i = 0; i < size; i++) {
    crc ^= data[i];
    for (guint b = 0; b < 8; b++)
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

static void
add_chunk (GByteArray *png, const char *type, const guint8 *data, guint size)
{
  guint start = png->len + 4;

  add (png, size, 4, TRUE);
  g_byte_array_append (png, (const guint8 *)type, 4);
  if (size > 0)
    g_byte_array_append (png, data, size);
  add (png, checksum (png->data + start, png->len - start), 4, TRUE);
}

/* zlib's format, nothing compressed. (transfer full) */
static GByteArray *
store (const GByteArray *data)
{
  GByteArray *stored = g_byte_array_new ();
  guint32 a = 1, b = 0;

  add (stored, 0x7801, 2, TRUE);
  for (guint i = 0; i < data->len; i += 0xffff) {
    guint n = MIN (data->len - i, 0xffff);

    add (stored, i + n == data->len, 1, FALSE);
    add (stored, n, 2, FALSE);
    add (stored, ~n & 0xffff, 2, FALSE);
    g_byte_array_append (stored, data->data + i, n);
  }
  for (guint i = 0; i < data->len; i++) {
    a = (a + data->data[i]) % 65521;
    b = (b + a) % 65521;
  }
  add (stored, b << 16 | a, 4, TRUE);
  return stored;
}

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };

/* Every dx-th pixel of every dy-th row. */
static void
add_rows (GByteArray *rows, const PngKind *kind, guint x0, guint y0, guint dx, guint dy)
{
  static const guint channels[] = {1, 0, 3, 1, 2, 0, 4};
  guint n = channels[kind->colour], n_alpha = kind->colour >= GREY_ALPHA;

  for (guint y = y0; y < PICTURE_HEIGHT; y += dy) {
    guint bits = 0, n_bits = 0;

    add (rows, 0, 1, TRUE);
    for (guint x = x0; x < PICTURE_WIDTH; x += dx)
      for (guint c = 0; c < n; c++) {
        gboolean full = is_white (x, y) || c + n_alpha >= n;
        guint white = kind->colour == PALETTE ? 1 : (1U << kind->depth) - 1;

        if (kind->colour == PALETTE || n == 1)
          full = is_white (x, y);
        bits = bits << kind->depth | (full ? white : 0);
        n_bits += kind->depth;
        for (; n_bits >= 8; n_bits -= 8)
          add (rows, bits >> (n_bits - 8) & 0xff, 1, TRUE);
      }
    if (n_bits > 0)
      add (rows, bits << (8 - n_bits) & 0xff, 1, TRUE);
  }
}

static void
add_pixels (GByteArray *png, const PngKind *kind)
{
  static const guint passes[][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  g_autoptr (GByteArray) rows = g_byte_array_new ();
  g_autoptr (GByteArray) stored = NULL;

  for (guint p = 0; kind->interlaced && p < G_N_ELEMENTS (passes); p++)
    add_rows (rows, kind, passes[p][0], passes[p][1], passes[p][2], passes[p][3]);
  if (!kind->interlaced)
    add_rows (rows, kind, 0, 0, 1, 1);
  stored = store (rows);
  add_chunk (png, "IDAT", stored->data, stored->len);
}

/* (transfer full) */
static GByteArray *
begin_png (guint width, guint height, const PngKind *kind)
{
  g_autoptr (GByteArray) head = g_byte_array_new ();
  GByteArray *png = g_byte_array_new ();

  g_byte_array_append (png, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
  add (head, width, 4, TRUE);
  add (head, height, 4, TRUE);
  add (head, kind->depth, 1, TRUE);
  add (head, kind->colour, 1, TRUE);
  add (head, kind->interlaced, 3, TRUE);
  add_chunk (png, "IHDR", head->data, head->len);
  return png;
}

GBytes *
picture_png (const PngKind *kind)
{
  static const guint8 palette[] = {0, 0, 0, 255, 255, 255};
  GByteArray *png = begin_png (PICTURE_WIDTH, PICTURE_HEIGHT, kind);

  if (kind->colour == PALETTE)
    add_chunk (png, "PLTE", palette, sizeof palette);
  if (kind->orientation > 0) {
    g_autoptr (GBytes) exif = picture_exif (kind->orientation);

    add_chunk (png, "eXIf", g_bytes_get_data (exif, NULL), (guint)g_bytes_get_size (exif));
  }
  add_pixels (png, kind);
  add_chunk (png, "IEND", NULL, 0);
  return g_byte_array_free_to_bytes (png);
}

GBytes *
picture_png_of_size (guint width, guint height)
{
  static const guint8 zeroes[1000] = {0};
  GByteArray *png = begin_png (width, height, &(PngKind) {1, GREY});

  add_chunk (png, "IDAT", zeroes, sizeof zeroes);
  add_chunk (png, "IEND", NULL, 0);
  return g_byte_array_free_to_bytes (png);
}

/* ---- TIFF ---- */

enum { SHORT = 3, LONG = 4 };

static void
add_entry (GByteArray *tiff, guint tag, guint type, guint value, gboolean big_endian)
{
  add (tiff, tag, 2, big_endian);
  add (tiff, type, 2, big_endian);
  add (tiff, 1, 4, big_endian);
  add (tiff, value, type == SHORT ? 2 : 4, big_endian);
  add (tiff, 0, type == SHORT ? 2 : 0, big_endian);
}

/* (transfer full) */
static GByteArray *
begin_tiff (gboolean big_endian, guint directory)
{
  GByteArray *tiff = g_byte_array_new ();

  g_byte_array_append (tiff, (const guint8 *)(big_endian ? "MM" : "II"), 2);
  add (tiff, 42, 2, big_endian);
  add (tiff, directory, 4, big_endian);
  return tiff;
}

GBytes *
picture_exif (guint orientation)
{
  GByteArray *exif = begin_tiff (TRUE, 8);

  add (exif, 1, 2, TRUE);
  add_entry (exif, 0x112, SHORT, orientation, TRUE);
  add (exif, 0, 4, TRUE);
  return g_byte_array_free_to_bytes (exif);
}

GBytes *
picture_tiff (guint bits, gboolean big_endian, guint orientation)
{
  const guint size = PICTURE_WIDTH * PICTURE_HEIGHT * bits / 8;
  GByteArray *tiff = begin_tiff (big_endian, 8 + size);

  for (guint y = 0; y < PICTURE_HEIGHT; y++)
    for (guint x = 0; x < PICTURE_WIDTH; x++)
      add (tiff, is_white (x, y) ? G_MAXUINT16 : 0, bits / 8, big_endian);
  add (tiff, orientation > 0 ? 9 : 8, 2, big_endian);
  add_entry (tiff, 0x100, SHORT, PICTURE_WIDTH, big_endian);
  add_entry (tiff, 0x101, LONG, PICTURE_HEIGHT, big_endian);
  add_entry (tiff, 0x102, SHORT, bits, big_endian);
  add_entry (tiff, 0x103, SHORT, 1, big_endian); /* not compressed */
  add_entry (tiff, 0x106, SHORT, 1, big_endian); /* 0 is black */
  add_entry (tiff, 0x111, LONG, 8, big_endian);  /* the strip */
  if (orientation > 0)
    add_entry (tiff, 0x112, SHORT, orientation, big_endian);
  add_entry (tiff, 0x116, SHORT, PICTURE_HEIGHT, big_endian); /* rows of the strip */
  add_entry (tiff, 0x117, LONG, size, big_endian);
  add (tiff, 0, 4, big_endian);
  return g_byte_array_free_to_bytes (tiff);
}

/* ---- GIF ---- */

/* Codes of 3 bits; where a code would need 4 a clear code starts over. */
static void
add_gif_pixels (GByteArray *gif)
{
  enum { CLEAR = 4, END = 5 };
  GByteArray *codes = g_byte_array_new ();
  guint bits = 0, n_bits = 0;

  for (guint i = 0; i <= PICTURE_WIDTH * PICTURE_HEIGHT; i++) {
    gboolean white = is_white (i % PICTURE_WIDTH, i / PICTURE_WIDTH);
    guint code = i == PICTURE_WIDTH * PICTURE_HEIGHT ? END : white;

    for (guint c = i % 2 != 0; c < 2; c++) {
      bits |= (c == 0 ? CLEAR : code) << n_bits;
      for (n_bits += 3; n_bits >= 8; n_bits -= 8, bits >>= 8)
        add (codes, bits & 0xff, 1, FALSE);
    }
  }
  add (codes, bits & 0xff, 1, FALSE);
  add (gif, 2, 1, FALSE);
  for (guint i = 0; i < codes->len; i += 255) {
    add (gif, MIN (codes->len - i, 255), 1, FALSE);
    g_byte_array_append (gif, codes->data + i, MIN (codes->len - i, 255));
  }
  add (gif, 0, 1, FALSE);
  g_byte_array_unref (codes);
}

GBytes *
picture_gif (void)
{
  static const guint8 table[] = {0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0};
  GByteArray *gif = g_byte_array_new ();

  g_byte_array_append (gif, (const guint8 *)"GIF89a", 6);
  add (gif, PICTURE_WIDTH, 2, FALSE);
  add (gif, PICTURE_HEIGHT, 2, FALSE);
  add (gif, 0x81, 3, FALSE); /* a table of 4 colours */
  g_byte_array_append (gif, table, sizeof table);
  g_byte_array_append (gif, (const guint8 *)"!\xf9\4\0\5\0\0\0", 8); /* shown for a while */
  add (gif, ',', 5, FALSE);
  add (gif, PICTURE_WIDTH, 2, FALSE);
  add (gif, PICTURE_HEIGHT, 2, FALSE);
  add (gif, 0, 1, FALSE);
  add_gif_pixels (gif);
  g_byte_array_append (gif, (const guint8 *)",\0\0\0\0\x30\0\x20\0\0\2\xff", 12);
  return g_byte_array_free_to_bytes (gif);
}
