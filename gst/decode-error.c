/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-error.h"

#include <gst/pbutils/pbutils.h>

#include "base/error.h"

/* The last line of the debug text, what it says beyond file and line of the element's source, or
 * NULL. (transfer full) */
static char *
detail (const char *debug)
{
  g_autofree char *text = debug != NULL ? g_strchomp (g_strdup (debug)) : NULL;
  const char *line = text != NULL ? strrchr (text, '\n') : NULL;

  return line != NULL ? g_strdup (line + 1) : NULL;
}

static void
set_error (GstMessage *message, const char *missing, const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *debug = NULL, *more = NULL;
  EnsErrorCode code;

  gst_message_parse_error (message, &reason, &debug);
  code = reason->domain == GST_RESOURCE_ERROR ? ENS_ERROR_FILE : ENS_ERROR_FORMAT;
  more = detail (debug);
  if (missing != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: GStreamer lacks a plug-in for it: %s; install the package that has it, such "
                 "as gstreamer1.0-libav",
                 path, missing);
  else if (g_error_matches (reason, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND))
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_FORMAT,
        "%s: neither a picture nor a video that GStreamer knows; if it is one, convert it to "
        "JPEG, PNG or MP4",
        path);
  else if (more != NULL)
    g_set_error (error, ENS_ERROR, code, "%s: %s (%s)", path, reason->message, more);
  else
    g_set_error (error, ENS_ERROR, code, "%s: %s", path, reason->message);
}

gboolean
gst_ensemble_take_error (GstBus *bus, const char *path, GError **error)
{
  g_autofree char *missing = NULL;
  GstMessage *message;
  gboolean found = FALSE;

  while (!found
         && (message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      set_error (message, missing, path, error);
      found = TRUE;
    } else if (missing == NULL && gst_is_missing_plugin_message (message))
      missing = gst_missing_plugin_message_get_description (message);
    gst_message_unref (message);
  }
  return found;
}
