/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture-header.h"

#include <string.h>

#include "jpeg-markers.h"
#include "orientation.h"
#include "picture-data.h"
#include "tiff-directory.h"

#define RAW "a camera's raw file; develop it, and give the JPEG or PNG"

/* Bytes that are read one after the other; behind the end there are zeroes. */
typedef struct {
  const guint8 *data;
  gsize size;
} Bytes;

static guint64
big (const Bytes *bytes, gsize offset, guint n)
{
  guint64 value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | (offset + i < bytes->size ? bytes->data[offset + i] : 0);
  return value;
}

static guint64
little (const Bytes *bytes, gsize offset, guint n)
{
  guint64 value = 0;

  for (guint i = n; i-- > 0;)
    value = value << 8 | (offset + i < bytes->size ? bytes->data[offset + i] : 0);
  return value;
}

static gboolean
has (const Bytes *bytes, gsize offset, const char *text, gsize n)
{
  return offset <= bytes->size && n <= bytes->size - offset
         && memcmp (bytes->data + offset, text, n) == 0;
}

/* ---- Formats ---- */

static void
scan_jpeg (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  GstEnsembleJpegMarkers markers;

  gst_ensemble_jpeg_scan (file, &markers);
  header->width = markers.width;
  header->height = markers.height;
  header->orientation = markers.orientation;
  header->grey_or_420 = markers.grey_or_420;
  header->complete = markers.complete;
  if (markers.lossless)
    header->refusal = "a lossless JPEG, which is not read; convert it to PNG";
  else if (markers.width > 0 && markers.precision != 8)
    header->refusal =
        "a JPEG with more than 8 bits a channel, which is not read; convert it to PNG";
}

/* The head is the first chunk: of a second one, decoders know nothing until they have made room for
 * the picture. */
static void
scan_png (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  static const char xmp[] = "XML:com.adobe.xmp";
  GstEnsembleOrientation orientation = {0};
  const gsize first = 8;
  gsize offset = first;

  while (offset + 12 <= bytes->size) {
    gsize length = (gsize)big (bytes, offset, 4), content = offset + 8;

    if (length > bytes->size - content || bytes->size - content - length < 4)
      return;
    if (offset == first && has (bytes, offset + 4, "IHDR", 4)) {
      header->width = big (bytes, content, 4);
      header->height = big (bytes, content + 4, 4);
      header->depth = (guint)big (bytes, content + 8, 1);
    } else if (has (bytes, offset + 4, "eXIf", 4)) {
      gst_ensemble_orientation_take_exif (&orientation, bytes->data + content, length);
    } else if (has (bytes, offset + 4, "iTXt", 4) && length > sizeof xmp
               && has (bytes, content, xmp, sizeof xmp)) {
      gst_ensemble_orientation_take_xmp (&orientation, bytes->data + content, length);
    } else if (has (bytes, offset + 4, "IEND", 4)) {
      header->complete = TRUE;
      return;
    }
    header->orientation = gst_ensemble_orientation_get (&orientation);
    offset = content + length + 4;
  }
}

static void
scan_bmp (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  gboolean old = little (bytes, 14, 4) == 12;
  gint32 height = old ? (gint32)little (bytes, 20, 2) : (gint32)little (bytes, 22, 4);
  guint bits = (guint)little (bytes, old ? 24 : 28, 2);
  guint64 start = little (bytes, 10, 4), packing = old ? 0 : little (bytes, 30, 4);

  header->width = old ? little (bytes, 18, 2) : little (bytes, 18, 4);
  header->height = (guint64)ABS ((gint64)height); /* negative: the top row comes first */
  if (packing == 1 || packing == 2)
    header->complete =
        gst_ensemble_data_has_runs (bytes->data, bytes->size, start, bits, header->height);
  else
    header->complete = gst_ensemble_data_has_rows (
        bytes->size, start, (header->width * bits + 31) / 32 * 4, header->height);
}

/* Behind the sub-blocks that begin at `offset`; 0 if they don't end. */
static gsize
skip_sub_blocks (const Bytes *bytes, gsize offset)
{
  while (offset < bytes->size) {
    gsize length = bytes->data[offset];

    offset += 1 + length;
    if (length == 0)
      return offset;
  }
  return 0;
}

/* Bytes of a colour table, by the flags that say whether there is one. */
static gsize
table_size (guint flags)
{
  return (flags & 0x80) != 0 ? (gsize)3 << ((flags & 7) + 1) : 0;
}

static void
scan_gif (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  gsize offset = 13 + table_size ((guint)little (bytes, 10, 1));

  header->width = little (bytes, 6, 2);
  header->height = little (bytes, 8, 2);
  while (offset > 0 && offset < bytes->size) {
    gboolean picture = bytes->data[offset] == ',';

    if (!picture && bytes->data[offset] != '!')
      return;
    if (picture) { /* decoded whole, however small the screen */
      header->width = MAX (header->width, little (bytes, offset + 5, 2));
      header->height = MAX (header->height, little (bytes, offset + 7, 2));
    }
    offset += picture ? 11 + table_size ((guint)little (bytes, offset + 9, 1)) : 2;
    offset = skip_sub_blocks (bytes, offset);
    if (picture && offset > 0) {
      header->complete = TRUE;
      header->end = offset;
      return;
    }
  }
}

static void
scan_tiff (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  GstEnsembleTiffDirectory directory;

  header->complete = gst_ensemble_tiff_scan (bytes->data, bytes->size, &directory);
  /* Tiles are decoded whole, however small the picture. */
  header->width = MAX (directory.width, directory.tile_width);
  header->height = MAX (directory.height, directory.tile_height);
  if (directory.width == 0 || directory.height == 0)
    header->width = header->height = 0;
  header->orientation = MAX (directory.orientation, 1);
  if (directory.raw)
    header->refusal = RAW;
  else if (directory.bits > 16 || directory.floating)
    header->refusal =
        "a TIFF of numbers with more than 16 bits, a sign or an exponent, which is not "
        "read; convert it to PNG";
}

/* A number of a PNM's head, which may have comments before it. */
static guint64
read_pnm_number (const Bytes *bytes, gsize *offset)
{
  guint64 number = 0;

  while (*offset < bytes->size && !g_ascii_isdigit (bytes->data[*offset])) {
    gboolean comment = bytes->data[*offset] == '#';

    if (!comment && !g_ascii_isspace (bytes->data[*offset]))
      return 0;
    while (comment && *offset < bytes->size && bytes->data[*offset] != '\n')
      (*offset)++;
    *offset += !comment;
  }
  for (; *offset < bytes->size && g_ascii_isdigit (bytes->data[*offset]); (*offset)++)
    number = MIN (number * 10 + (bytes->data[*offset] - '0'), G_MAXUINT32);
  return number;
}

/* P1 to P3 in text, P4 to P6 in bytes: bits, grey, colour. */
static void
scan_pnm (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  guint kind = bytes->data[1] - '0';
  gboolean bits = kind % 3 == 1;
  guint64 most, n_samples;
  gsize offset = 2;

  header->width = read_pnm_number (bytes, &offset);
  header->height = read_pnm_number (bytes, &offset);
  most = bits ? 1 : read_pnm_number (bytes, &offset);
  n_samples = header->width * (kind % 3 == 0 ? 3 : 1);
  if (kind <= 3)
    header->complete = gst_ensemble_data_has_numbers (bytes->data, bytes->size, offset,
                                                      n_samples * header->height, bits);
  else
    header->complete = gst_ensemble_data_has_rows (
        bytes->size, (guint64)offset + 1,
        bits ? (n_samples + 7) / 8 : n_samples * (most > 255 ? 2 : 1), header->height);
}

/* The size that a chunk of a WebP file says, if it is one that does; the first one counts. */
static void
scan_webp_size (const Bytes *bytes, gsize chunk, GstEnsemblePictureHeader *header)
{
  gsize content = chunk + 8;

  if (header->width > 0)
    return;
  if (has (bytes, chunk, "VP8X", 4)) {
    header->width = little (bytes, content + 4, 3) + 1;
    header->height = little (bytes, content + 7, 3) + 1;
  } else if (has (bytes, chunk, "VP8L", 4)) {
    header->width = (little (bytes, content + 1, 4) & 0x3fff) + 1;
    header->height = (little (bytes, content + 1, 4) >> 14 & 0x3fff) + 1;
  } else if (has (bytes, chunk, "VP8 ", 4)) {
    header->width = little (bytes, content + 6, 2) & 0x3fff;
    header->height = little (bytes, content + 8, 2) & 0x3fff;
  }
}

static void
scan_webp (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  gsize offset = 12, end = (gsize)little (bytes, 4, 4) + 8;
  GstEnsembleOrientation orientation = {0};

  header->complete = end <= bytes->size;
  while (offset + 8 <= bytes->size) {
    gsize length = (gsize)little (bytes, offset + 4, 4), content = offset + 8;

    scan_webp_size (bytes, offset, header);
    if (length > bytes->size - content)
      return;
    if (has (bytes, offset, "EXIF", 4))
      gst_ensemble_orientation_take_exif (&orientation, bytes->data + content, length);
    else if (has (bytes, offset, "XMP ", 4))
      gst_ensemble_orientation_take_xmp (&orientation, bytes->data + content, length);
    header->orientation = gst_ensemble_orientation_get (&orientation);
    offset = content + length + (length & 1);
  }
}

static void
scan_heif (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header)
{
  header->complete = TRUE;
}

/* ---- Which format ---- */

static gboolean
is_signed (const Bytes *bytes, const char *signature)
{
  return has (bytes, 0, signature, strlen (signature));
}

static gboolean
is_jpeg (const Bytes *bytes)
{
  return is_signed (bytes, "\xff\xd8\xff");
}

static gboolean
is_png (const Bytes *bytes)
{
  return is_signed (bytes, "\x89PNG\r\n\x1a\n");
}

/* Text may begin with "BM": the size of the second header tells. */
static gboolean
is_bmp (const Bytes *bytes)
{
  guint64 size = little (bytes, 14, 4);

  return is_signed (bytes, "BM") && (size == 12 || (size >= 16 && size <= 124));
}

static gboolean
is_gif (const Bytes *bytes)
{
  return is_signed (bytes, "GIF87a") || is_signed (bytes, "GIF89a");
}

static gboolean
is_tiff (const Bytes *bytes)
{
  return has (bytes, 0, "II*\0", 4) || has (bytes, 0, "MM\0*", 4) || has (bytes, 0, "II+\0", 4)
         || has (bytes, 0, "MM\0+", 4);
}

static gboolean
is_pnm (const Bytes *bytes)
{
  return bytes->size > 2 && bytes->data[0] == 'P' && bytes->data[1] >= '1' && bytes->data[1] <= '6'
         && g_ascii_isspace (bytes->data[2]);
}

static gboolean
is_webp (const Bytes *bytes)
{
  return is_signed (bytes, "RIFF") && has (bytes, 8, "WEBP", 4);
}

/* Videos in MP4 begin in the same way: the brands tell. */
static gboolean
is_heif (const Bytes *bytes)
{
  static const char *const brands[] = {"avif", "avis", "heic", "heim", "heis", "heix",
                                       "hevc", "hevx", "mif1", "msf1", "mif2", "miaf"};

  for (guint i = 0; has (bytes, 4, "ftyp", 4) && i < G_N_ELEMENTS (brands); i++)
    if (has (bytes, 8, brands[i], 4))
      return TRUE;
  return FALSE;
}

static const struct {
  const char *name;
  gboolean (*is) (const Bytes *bytes);
  void (*scan) (GBytes *file, const Bytes *bytes, GstEnsemblePictureHeader *header);
} formats[GST_ENSEMBLE_N_STILLS] = {
    [GST_ENSEMBLE_STILL_JPEG] = {"JPEG", is_jpeg, scan_jpeg},
    [GST_ENSEMBLE_STILL_PNG] = {"PNG", is_png, scan_png},
    [GST_ENSEMBLE_STILL_BMP] = {"BMP", is_bmp, scan_bmp},
    [GST_ENSEMBLE_STILL_GIF] = {"GIF", is_gif, scan_gif},
    [GST_ENSEMBLE_STILL_TIFF] = {"TIFF", is_tiff, scan_tiff},
    [GST_ENSEMBLE_STILL_PNM] = {"PNM", is_pnm, scan_pnm},
    [GST_ENSEMBLE_STILL_WEBP] = {"WebP", is_webp, scan_webp},
    [GST_ENSEMBLE_STILL_HEIF] = {"HEIF", is_heif, scan_heif},
};

const char *
gst_ensemble_still_format_name (GstEnsembleStillFormat format)
{
  return formats[format].name;
}

/* ---- What is none of them ---- */

#define CONVERT "which is not read; convert it to JPEG or PNG"
#define PLAYLIST "a playlist, which only names other files; give those"

static const struct {
  gsize offset;
  const char *bytes;
  gsize n;
  const char *what;
} foreign[] = {
    {0, "\xff\x0a", 2, "a JPEG XL picture, " CONVERT},
    {4, "JXL \r\n", 6, "a JPEG XL picture, " CONVERT},
    {4, "jP  \r\n", 6, "a JPEG 2000 picture, " CONVERT},
    {0, "\xff\x4f\xff\x51", 4, "a JPEG 2000 picture, " CONVERT},
    {0, "8BPS", 4, "a Photoshop picture, " CONVERT},
    {0, "%PDF", 4, "a PDF document, " CONVERT},
    {0, "%!PS", 4, "a PostScript document, " CONVERT},
    {0, "\0\0\1\0", 4, "a Windows icon, " CONVERT},
    {0, "\0\0\2\0\0\0\0\0", 8, "a Targa picture, " CONVERT},
    {0, "\0\0\x0a\0\0\0\0\0", 8, "a Targa picture, " CONVERT},
    {0, "\0\0\2\0", 4, "a Windows cursor, " CONVERT},
    {0, "icns", 4, "an Apple icon, " CONVERT},
    {0, "\x0a\5\1", 3, "a PCX picture, " CONVERT},
    {0, "\x01\xda", 2, "an SGI picture, " CONVERT},
    {0, "gimp xcf", 8, "a GIMP picture, " CONVERT},
    {0, "\x76\x2f\x31\x01", 4, "an OpenEXR picture, " CONVERT},
    {0, "#?RADIANCE", 10, "a Radiance picture, " CONVERT},
    {0, "II\xbc", 3, "a JPEG XR picture, " CONVERT},
    {0, "DDS ", 4, "a DirectDraw surface, " CONVERT},
    {0, "qoif", 4, "a QOI picture, " CONVERT},
    {0, "BPG\xfb", 4, "a BPG picture, " CONVERT},
    {0, "P7\n", 3, "a PAM picture, " CONVERT},
    {0, "PF\n", 3, "a PFM picture, " CONVERT},
    {0, "Pf\n", 3, "a PFM picture, " CONVERT},
    {128, "DICM", 4, "a DICOM picture, " CONVERT},
    {0, "PK\3\4", 4, "an archive; unpack it"},
    {0, "\x1f\x8b", 2, "an archive; unpack it"},
    {4, "ftypcrx ", 8, RAW},
    {0, "IIRO", 4, RAW},
    {0, "IIU\0", 4, RAW},
    {0, "FUJIFILMCCD-RAW", 15, RAW},
    {0, "#EXTM3U", 7, PLAYLIST},
    {0, "[playlist]", 10, PLAYLIST},
    {0, "[Reference]", 11, PLAYLIST},
    {0, "ffconcat", 8, PLAYLIST},
};

/* What text in XML is, by an element near its start. */
static const struct {
  const char *element, *what;
} markup[] = {
    {"<svg", "an SVG drawing, which is not read; export it as PNG"},
    {"<MPD", PLAYLIST},
    {"<smil", PLAYLIST},
    {"<SmoothStreamingMedia", PLAYLIST},
    {"<playlist", PLAYLIST},
    {"<asx", PLAYLIST},
};

#define MARKUP_SIZE 1024

static gboolean
is_markup (const Bytes *text)
{
  gsize offset = 0;

  while (offset < text->size && g_ascii_isspace (text->data[offset]))
    offset++;
  return offset < text->size && text->data[offset] == '<';
}

static const char *
find_foreign (const Bytes *bytes)
{
  gsize size = MIN (bytes->size, MARKUP_SIZE);
  gsize mark = has (bytes, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
  const Bytes text = {bytes->data + mark, bytes->size - mark};

  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    if (has (&text, foreign[i].offset, foreign[i].bytes, foreign[i].n))
      return foreign[i].what;
  for (guint i = 0; is_markup (&text) && i < G_N_ELEMENTS (markup); i++)
    if (memmem (bytes->data, size, markup[i].element, strlen (markup[i].element)) != NULL)
      return markup[i].what;
  return NULL;
}

gboolean
gst_ensemble_picture_header_read (GBytes *file, GstEnsemblePictureHeader *header)
{
  Bytes bytes;

  bytes.data = g_bytes_get_data (file, &bytes.size);
  if (bytes.data == NULL) /* nothing can be added to that, not even nothing */
    bytes.data = (const guint8 *)"";
  *header = (GstEnsemblePictureHeader) {.orientation = 1, .end = bytes.size};
  while (header->format < GST_ENSEMBLE_N_STILLS && !formats[header->format].is (&bytes))
    header->format++;
  if (header->format == GST_ENSEMBLE_N_STILLS) {
    header->refusal = find_foreign (&bytes);
    return FALSE;
  }
  formats[header->format].scan (file, &bytes, header);
  return TRUE;
}
