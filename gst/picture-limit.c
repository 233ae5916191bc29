/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture-limit.h"

#include "base/error.h"
#include "vision/frame.h"

#define VARIABLE "ENSEMBLE_MAX_PIXELS"

guint64
gst_ensemble_get_max_pixels (void)
{
  const char *text = g_getenv (VARIABLE);
  guint64 pixels;

  if (text == NULL || *text == '\0')
    return GST_ENSEMBLE_MAX_PIXELS;
  if (g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT64, &pixels, NULL))
    return pixels;
  g_warning (VARIABLE ": expected a number of pixels, found “%s”; it is left as it is, %d", text,
             GST_ENSEMBLE_MAX_PIXELS);
  return GST_ENSEMBLE_MAX_PIXELS;
}

gboolean
gst_ensemble_check_picture_size (const char *path, guint64 width, guint64 height,
                                 guint64 max_pixels, GError **error)
{
  const char *name = path != NULL ? path : "";
  const char *colon = path != NULL ? ": " : "";

  if (width > ENS_FRAME_MAX_SIZE || height > ENS_FRAME_MAX_SIZE)
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
                 "%s%s%" G_GUINT64_FORMAT "×%" G_GUINT64_FORMAT
                 " pixels; sides of at most %d can be read: scale it down, or cut it up",
                 name, colon, width, height, ENS_FRAME_MAX_SIZE);
  else if (width * height > max_pixels)
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_RESOURCE,
        "%s%s%" G_GUINT64_FORMAT "×%" G_GUINT64_FORMAT
        " pixels are %.1f million, more than the %.1f million that are read: scale it down, "
        "or set " VARIABLE "=%" G_GUINT64_FORMAT,
        name, colon, width, height, (double)(width * height) / 1e6, (double)max_pixels / 1e6,
        width * height);
  else
    return TRUE;
  return FALSE;
}
