/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "html.h"

#include <math.h>

void
html_add (GString *html, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_markup_vprintf_escaped (format, arguments);
  va_end (arguments);
  g_string_append (html, text);
}

char *
html_clean (const char *name)
{
  g_autofree char *valid = g_utf8_make_valid (name, -1);
  GString *clean = g_string_new (NULL);

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    g_string_append_unichar (clean, g_unichar_iscntrl (character) ? 0xfffd : character);
  }
  return g_string_free (clean, FALSE);
}

void
html_add_share (GString *html, double share, gboolean bar)
{
  if (isnan (share))
    g_string_append (html, "<td class=\"none\">–</td>");
  else if (bar)
    html_add (html, "<td class=\"bar\" style=\"--v:%.1f\">%.3f</td>", 100 * share, share);
  else
    html_add (html, "<td>%.3f</td>", share);
}
