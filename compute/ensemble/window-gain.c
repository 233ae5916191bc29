/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/window-gain.h"

#include <json-glib/json-glib.h>

/* Half a point. */
#define WORTHWHILE 0.005

static gboolean
find_precision (JsonArray *rows, const char *name, double *precision)
{
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonNode *node = json_array_get_element (rows, i);
    JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

    if (row == NULL
        || g_strcmp0 (json_object_get_string_member_with_default (row, "name", NULL), name) != 0)
      continue;
    *precision = json_object_get_double_member_with_default (row, "mean_average_precision", -1);
    return *precision >= 0;
  }
  return FALSE;
}

gboolean
ens_bundle_get_window_gain (const EnsBundle *bundle, double *gain)
{
  g_autoptr (JsonNode) node =
      bundle->provenance != NULL ? json_from_string (bundle->provenance, NULL) : NULL;
  JsonNode *rows = NULL;
  double with, without;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    rows = json_object_get_member (json_node_get_object (node), "validation");
  if (rows == NULL || !JSON_NODE_HOLDS_ARRAY (rows)
      || !find_precision (json_node_get_array (rows), "with windows", &with)
      || !find_precision (json_node_get_array (rows), "without windows", &without))
    return FALSE;
  *gain = with - without;
  return TRUE;
}

gboolean
ens_bundle_prefers_windows (const EnsBundle *bundle)
{
  double gain;

  return !ens_bundle_get_window_gain (bundle, &gain) || gain >= WORTHWHILE;
}
