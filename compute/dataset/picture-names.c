/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/picture-names.h"

#include <string.h>

#ifdef ENS_HAVE_HEIF
#define HEIF_READ ".heic", ".heif", ".avif"
#define HEIF_FOREIGN
#else
#define HEIF_READ
#define HEIF_FOREIGN ".heic", ".heif", ".avif",
#endif

static const char *const endings[] = {".jpg", ".jpeg", ".jpe",  ".jfif", ".png",
                                      ".bmp", ".gif",  ".webp", ".tif",  ".tiff",
                                      ".ppm", ".pgm",  ".pbm",  ".pnm",  HEIF_READ};

/* Of pictures that decoders here don't read. */
static const char *const foreign_endings[] = {
    HEIF_FOREIGN ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"};

static gboolean
has_ending (const char *name, const char *const *list, guint n)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < n; i++)
    if (g_str_has_suffix (lower, list[i]))
      return TRUE;
  return FALSE;
}

gboolean
ens_picture_has_name (const char *name)
{
  return has_ending (name, endings, G_N_ELEMENTS (endings));
}

gboolean
ens_picture_has_foreign_name (const char *name)
{
  return has_ending (name, foreign_endings, G_N_ELEMENTS (foreign_endings));
}

char *
ens_picture_stem (const char *path)
{
  char *stem = g_path_get_basename (path);
  char *dot = strrchr (stem, '.');

  if (dot != NULL)
    *dot = '\0';
  return stem;
}
