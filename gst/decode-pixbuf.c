/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-pixbuf.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

#include "base/error.h"

/* The loader of each format: it is named, so that bytes never choose another. */
static const char *const loaders[GST_ENSEMBLE_N_STILLS] = {
    [GST_ENSEMBLE_STILL_JPEG] = "jpeg", [GST_ENSEMBLE_STILL_PNG] = "png",
    [GST_ENSEMBLE_STILL_BMP] = "bmp",   [GST_ENSEMBLE_STILL_GIF] = "gif",
    [GST_ENSEMBLE_STILL_TIFF] = "tiff", [GST_ENSEMBLE_STILL_PNM] = "pnm",
};

guint
gst_ensemble_pixbuf_turn (GstEnsembleStillFormat format, guint orientation)
{
  /* libtiff takes 5 to 8 for 1 to 4, and mirrors accordingly. */
  static const guint left_by_libtiff[] = {1, 1, 1, 1, 1, 5, 7, 5, 7};

  return format == GST_ENSEMBLE_STILL_TIFF ? left_by_libtiff[orientation] : orientation;
}

/* (transfer full) */
static GstBuffer *
copy_pixbuf (const GdkPixbuf *pixbuf, GstVideoInfo *info)
{
  gsize row = (gsize)gdk_pixbuf_get_n_channels (pixbuf) * (gsize)gdk_pixbuf_get_width (pixbuf);
  gsize from = (gsize)gdk_pixbuf_get_rowstride (pixbuf), to;
  const guint8 *pixels = gdk_pixbuf_read_pixels (pixbuf);
  GstBuffer *buffer;
  GstMapInfo map;

  gst_video_info_set_format (
      info, gdk_pixbuf_get_has_alpha (pixbuf) ? GST_VIDEO_FORMAT_RGBA : GST_VIDEO_FORMAT_RGB,
      (guint)gdk_pixbuf_get_width (pixbuf), (guint)gdk_pixbuf_get_height (pixbuf));
  to = (gsize)GST_VIDEO_INFO_PLANE_STRIDE (info, 0);
  buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize y = 0; y < (gsize)gdk_pixbuf_get_height (pixbuf); y++)
    memcpy (map.data + y * to, pixels + y * from, row);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static gboolean
load (GdkPixbufLoader *loader, GBytes *file, GError **error)
{
  if (gdk_pixbuf_loader_write_bytes (loader, file, error))
    return gdk_pixbuf_loader_close (loader, error);
  gdk_pixbuf_loader_close (loader, NULL);
  return FALSE;
}

GstBuffer *
gst_ensemble_pixbuf_decode (GBytes *file, const char *path, GstEnsembleStillFormat format,
                            GstVideoInfo *info, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type (loaders[format], &reason);
  const char *name = gst_ensemble_still_format_name (format);
  GdkPixbuf *pixbuf = NULL;

  if (loader == NULL) {
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
        "%s: gdk-pixbuf lacks its loader of %s (%s); install it, or convert the picture to "
        "JPEG or PNG",
        path, name, reason->message);
    return NULL;
  }
  if (load (loader, file, &reason))
    pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  if (pixbuf != NULL)
    return copy_pixbuf (pixbuf, info);
  g_set_error (
      error, ENS_ERROR, ENS_ERROR_FORMAT,
      "%s: %s that can't be decoded (%s); if other programs show it, save it again as JPEG "
      "or PNG of 8 bits, else it is damaged",
      path, name, reason != NULL ? reason->message : "it has no picture");
  return NULL;
}
