/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/options.h"

#include <string.h>

void
ens_options_set_defaults (const EnsOption *options, double *values)
{
  for (guint i = 0; options[i].name != NULL; i++)
    values[i] = options[i].value;
}

static gint
find_option (const EnsOption *options, const char *owner, const char *name, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; options[i].name != NULL; i++) {
    if (strcmp (options[i].name, name) == 0)
      return (gint)i;
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", options[i].name);
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "%s: expected an option (%s), found “%s”", owner,
               known->len > 0 ? known->str : "it has none", name);
  return -1;
}

gboolean
ens_options_set (const EnsOption *options, const char *owner, const char *assignment,
                 double *values, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (assignment, "=", 2);
  const char *text = parts[0] != NULL && parts[1] != NULL ? parts[1] : "";
  gint i = find_option (options, owner, parts[0] != NULL ? parts[0] : "", error);
  char *end = NULL;
  double value;

  if (i < 0)
    return FALSE;
  value = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0'
      || !(value >= options[i].minimum && value <= options[i].maximum)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: %s: expected a number from %g to %g, found “%s”", owner, options[i].name,
                 options[i].minimum, options[i].maximum, text);
    return FALSE;
  }
  values[i] = value;
  return TRUE;
}
