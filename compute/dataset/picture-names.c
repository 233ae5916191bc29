/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/picture-names.h"

#include <string.h>

static const char *const endings[] = {
#ifdef ENS_HAVE_HEIF
    ".heic", ".heif", ".hif",  ".avif",
#endif
    ".jpg",  ".jpeg", ".jpe",  ".jfif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".bmp",
    ".dib",  ".gif",  ".webp", ".tif",  ".tiff",  ".ppm", ".pgm", ".pbm", ".pnm"};

/* Of pictures that decoders here don't read. */
static const char *const foreign_endings[] = {
#ifndef ENS_HAVE_HEIF
    ".heic", ".heif", ".hif", ".avif",
#endif
    ".jxl",  ".jp2",  ".j2k", ".jpx",  ".jpf", ".jxr", ".wdp", ".svg", ".svgz",
    ".psd",  ".psb",  ".xcf", ".eps",  ".ico", ".cur", ".tga", ".exr", ".hdr",
    ".pfm",  ".pam",  ".dds", ".qoi",  ".pcx", ".bpg", ".dcm", ".dng", ".cr2",
    ".cr3",  ".nef",  ".nrw", ".arw",  ".raf", ".orf", ".rw2", ".pef", ".srw"};

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
