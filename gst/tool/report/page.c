/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"

#include <gio/gio.h>

#include "base/files.h"
#include "html.h"
#include "report-resources.h"
#include "thumbnail.h"

#define STYLE "/gst-ensemble/report/report.css"

void
page_open (GString *html, const char *title)
{
  g_autoptr (GBytes) style =
      g_resource_lookup_data (report_get_resource (), STYLE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autofree char *shown = html_clean (title);
  gsize size;
  const char *text = g_bytes_get_data (style, &size);

  html_add (html,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
            "<title>%s</title>\n<style>\n",
            shown);
  g_string_append_len (html, text, (gssize)size);
  g_string_append (html, "</style>\n</head>\n<body>\n<main>\n");
}

gboolean
page_write (GString *html, const char *path, GError **error)
{
  g_string_append (html, "<footer>gst-ensemble-1.0</footer>\n</main>\n</body>\n</html>\n");
  return ens_file_write (path, html->str, html->len, ENS_FILE_USUAL, error);
}

gboolean
page_open_picture (GString *html, const char *path, const EnsPicture *picture, guint side,
                   EnsThreadPool *pool, guint *width, guint *height)
{
  g_autofree char *name = g_filename_display_basename (path), *shown = html_clean (name);
  g_autofree char *uri = NULL;

  if (picture != NULL)
    uri = thumbnail_new (&picture->frame, side, pool, width, height, NULL);
  if (uri == NULL) {
    g_string_append (html, "<svg viewBox=\"0 0 4 3\" aria-hidden=\"true\"></svg>");
    return FALSE;
  }
  html_add (html,
            "<svg viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"%s\"><image href=\"%s\" "
            "width=\"%u\" height=\"%u\"/>",
            *width, *height, shown, uri, *width, *height);
  return TRUE;
}

void
page_add_frame (GString *html, const EnsRect *rect, guint width, guint height)
{
  for (guint i = 0; i < 2; i++)
    html_add (html,
              "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
              "stroke-width=\"%d\"/>",
              i == 0 ? "frame-edge" : "frame", (double)rect->x * width, (double)rect->y * height,
              (double)rect->width * width, (double)rect->height * height, i == 0 ? 6 : 3);
}

void
page_add_file (GString *html, const char *path)
{
  g_autofree char *name = g_filename_display_basename (path), *shown = html_clean (name);
  g_autofree char *display = g_filename_display_name (path), *title = html_clean (display);

  html_add (html, "<p class=\"file\" title=\"%s\">%s</p>", title, shown);
}
