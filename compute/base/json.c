/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include <math.h>

void
ens_json_init (EnsJson *json)
{
  *json = (EnsJson) {.text = g_string_new (NULL), .empty = TRUE};
}

char *
ens_json_finish (EnsJson *json)
{
  g_return_val_if_fail (json->depth == 0, NULL);
  return g_string_free (g_steal_pointer (&json->text), FALSE);
}

static void
append_quoted (EnsJson *json, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  g_string_append_c (json->text, '"');
  for (const char *c = valid; *c != 0; c++) {
    switch (*c) {
    case '"':
    case '\\':
      g_string_append_printf (json->text, "\\%c", *c);
      break;
    case '\n':
      g_string_append (json->text, "\\n");
      break;
    case '\t':
      g_string_append (json->text, "\\t");
      break;
    default:
      if ((guchar)*c < ' ')
        g_string_append_printf (json->text, "\\u%04x", (guint)*c);
      else
        g_string_append_c (json->text, *c);
    }
  }
  g_string_append_c (json->text, '"');
}

static gboolean
is_flat (const EnsJson *json)
{
  return json->depth == 0 || json->layout[json->depth - 1] == ENS_JSON_FLAT;
}

static void
break_line (EnsJson *json)
{
  g_string_append_c (json->text, '\n');
  for (guint i = 0; i < json->depth; i++)
    g_string_append (json->text, "  ");
}

/* What comes before every value: comma, line break, name. */
static void
begin_value (EnsJson *json, const char *name)
{
  if (!json->empty)
    g_string_append_c (json->text, ',');
  if (!is_flat (json))
    break_line (json);
  else if (!json->empty)
    g_string_append_c (json->text, ' ');
  json->empty = FALSE;
  if (name != NULL) {
    append_quoted (json, name);
    g_string_append (json->text, ": ");
  }
}

static void
open_container (EnsJson *json, const char *name, const char *brackets, EnsJsonLayout layout)
{
  gboolean flat_outside = json->depth > 0 && is_flat (json);

  g_return_if_fail (json->depth < ENS_JSON_MAX_DEPTH);
  begin_value (json, name);
  g_string_append_c (json->text, brackets[0]);
  json->closing[json->depth] = brackets[1];
  json->layout[json->depth++] = flat_outside ? ENS_JSON_FLAT : layout;
  json->empty = TRUE;
}

void
ens_json_open_object (EnsJson *json, const char *name, EnsJsonLayout layout)
{
  open_container (json, name, "{}", layout);
}

void
ens_json_open_array (EnsJson *json, const char *name, EnsJsonLayout layout)
{
  open_container (json, name, "[]", layout);
}

void
ens_json_close (EnsJson *json)
{
  gboolean broken = !is_flat (json) && !json->empty;

  g_return_if_fail (json->depth > 0);
  json->depth--;
  if (broken)
    break_line (json);
  g_string_append_c (json->text, json->closing[json->depth]);
  json->empty = FALSE;
}

void
ens_json_string (EnsJson *json, const char *name, const char *value)
{
  begin_value (json, name);
  if (value == NULL)
    g_string_append (json->text, "null");
  else
    append_quoted (json, value);
}

/* As few digits as tell `value` from its neighbours, of its own type. */
static void
append_number (EnsJson *json, double value, gboolean is_float)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[8];

  if (!isfinite (value)) {
    g_string_append (json->text, "null");
    return;
  }
  for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
    double back;

    g_snprintf (format, sizeof format, "%%.%dg", digits);
    back = g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
    if (is_float ? (float)back == (float)value : back == value)
      break;
  }
  g_string_append (json->text, text);
}

void
ens_json_float (EnsJson *json, const char *name, float value)
{
  begin_value (json, name);
  append_number (json, value, TRUE);
}

void
ens_json_double (EnsJson *json, const char *name, double value)
{
  begin_value (json, name);
  append_number (json, value, FALSE);
}

void
ens_json_integer (EnsJson *json, const char *name, gint64 value)
{
  begin_value (json, name);
  g_string_append_printf (json->text, "%" G_GINT64_FORMAT, value);
}

void
ens_json_unsigned (EnsJson *json, const char *name, guint64 value)
{
  begin_value (json, name);
  g_string_append_printf (json->text, "%" G_GUINT64_FORMAT, value);
}

void
ens_json_boolean (EnsJson *json, const char *name, gboolean value)
{
  begin_value (json, name);
  g_string_append (json->text, value ? "true" : "false");
}

void
ens_json_null (EnsJson *json, const char *name)
{
  begin_value (json, name);
  g_string_append (json->text, "null");
}

void
ens_json_raw (EnsJson *json, const char *name, const char *text)
{
  begin_value (json, name);
  g_string_append (json->text, text);
}

void
ens_json_floats (EnsJson *json, const char *name, const float *values, gsize n, gsize stride)
{
  ens_json_open_array (json, name, ENS_JSON_FLAT);
  for (gsize i = 0; i < n; i++)
    ens_json_float (json, NULL, values[i * stride]);
  ens_json_close (json);
}

void
ens_json_strings (EnsJson *json, const char *name, const char *const *values)
{
  ens_json_open_array (json, name, ENS_JSON_FLAT);
  for (; *values != NULL; values++)
    ens_json_string (json, NULL, *values);
  ens_json_close (json);
}
