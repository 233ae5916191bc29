/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property-members.h"

void
gst_ensemble_member_set (gpointer member, const GValue *value)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
  case G_TYPE_BOOLEAN:
    *(gboolean *)member = g_value_get_boolean (value);
    break;
  case G_TYPE_INT:
    *(gint *)member = g_value_get_int (value);
    break;
  case G_TYPE_UINT:
    *(guint *)member = g_value_get_uint (value);
    break;
  case G_TYPE_INT64:
    *(gint64 *)member = g_value_get_int64 (value);
    break;
  case G_TYPE_UINT64:
    *(guint64 *)member = g_value_get_uint64 (value);
    break;
  case G_TYPE_FLOAT:
    *(float *)member = g_value_get_float (value);
    break;
  case G_TYPE_DOUBLE:
    *(double *)member = g_value_get_double (value);
    break;
  case G_TYPE_ENUM:
    *(gint *)member = g_value_get_enum (value);
    break;
  case G_TYPE_STRING:
    g_free (*(char **)member);
    *(char **)member = g_value_dup_string (value);
    break;
  default:
    g_assert_not_reached ();
  }
}

void
gst_ensemble_member_get (gconstpointer member, GValue *value)
{
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
  case G_TYPE_BOOLEAN:
    g_value_set_boolean (value, *(const gboolean *)member);
    break;
  case G_TYPE_INT:
    g_value_set_int (value, *(const gint *)member);
    break;
  case G_TYPE_UINT:
    g_value_set_uint (value, *(const guint *)member);
    break;
  case G_TYPE_INT64:
    g_value_set_int64 (value, *(const gint64 *)member);
    break;
  case G_TYPE_UINT64:
    g_value_set_uint64 (value, *(const guint64 *)member);
    break;
  case G_TYPE_FLOAT:
    g_value_set_float (value, *(const float *)member);
    break;
  case G_TYPE_DOUBLE:
    g_value_set_double (value, *(const double *)member);
    break;
  case G_TYPE_ENUM:
    g_value_set_enum (value, *(const gint *)member);
    break;
  case G_TYPE_STRING:
    g_value_set_string (value, *(char *const *)member);
    break;
  default:
    g_assert_not_reached ();
  }
}
