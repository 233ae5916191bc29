/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "ensemble/bundle.h"
#include "inspect.h"
#include "table.h"
#include "text.h"

/* Where values stand beside their names. */
#define VALUE_COLUMN 22

static void print_field (const char *name, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
print_field (const char *name, const char *format, ...)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *value = NULL;
  va_list arguments;

  va_start (arguments, format);
  value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_string_append_printf (line, "  %s", name);
  g_string_append_printf (line, "%*s", MAX (VALUE_COLUMN - (int)g_utf8_strlen (line->str, -1), 2),
                          "");
  tool_append_words (line, value, (guint)g_utf8_strlen (line->str, -1), VALUE_COLUMN);
  g_print ("%s", line->str);
}

/* ---- Settings ---- */

static char *
join_sizes (const guint *sizes, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, i > 0 ? ", %u" : "%u", sizes[i]);
  return g_string_free (text, FALSE);
}

static void
print_preprocessing (const EnsBundleNetwork *network)
{
  const EnsNormalise *normalise = &network->normalise;

  if (ens_order_channels (normalise->order) == 1)
    print_field ("preprocessing", "%s, mean %g, scale %g", ens_order_names[normalise->order],
                 (double)normalise->mean[0], (double)normalise->scale[0]);
  else
    print_field (
        "preprocessing", "%s, mean %g %g %g, scale %g %g %g", ens_order_names[normalise->order],
        (double)normalise->mean[0], (double)normalise->mean[1], (double)normalise->mean[2],
        (double)normalise->scale[0], (double)normalise->scale[1], (double)normalise->scale[2]);
  if (!ens_bundle_network_is_plainly_framed (network))
    print_field ("framing", "%s (crop %g), windows %s", ens_framing_names[network->framing],
                 (double)network->crop, ens_framing_names[network->window_framing]);
}

static void
print_network (const EnsBundleNetwork *network)
{
  g_autofree char *scales = join_sizes (network->scales, network->n_scales);
  g_autofree char *windows = join_sizes (network->window_sizes, network->n_window_sizes);
  g_autofree char *taps = g_strjoinv (", ", network->taps);

  g_print ("\nnetwork “%s”, %s, weight %.2f\n", network->name, ens_role_names[network->role],
           (double)network->weight);
  print_field ("files", "%s, %s", network->network, network->classifier);
  print_field ("taps", "%s", taps);
  print_preprocessing (network);
  print_field ("scales", "%s (made for %u)%s", scales, network->size,
               network->flip ? ", each with its mirror image" : "");
  print_field ("windows", "%s", network->n_window_sizes > 0 ? windows : "none");
}

static void
print_fusion (const EnsBundle *bundle)
{
  const double w = (double)bundle->window_weight, s = (double)bundle->window_share;

  if (bundle->fusion == ENS_FUSION_PROBABILITIES)
    print_field ("fusion", "P = %.2f P1 + %.2f max (P2, P3)", w, 1 - w);
  else
    print_field ("fusion", "P from log odds: %.2f P1 + %.2f P2 + %.2f P3, calibrated; %s",
                 (1 - s) * w, (1 - s) * (1 - w), s,
                 bundle->exclusive ? "a picture shows one class at most"
                                   : "a picture can show several classes");
}

static void
print_settings (const EnsBundle *bundle)
{
  const EnsSubImageSettings *settings = &bundle->sub_images;
  double side = (double)settings->size * (double)settings->large_from;

  print_fusion (bundle);
  if (bundle->windows > 0)
    print_field ("windows", "%u region proposals by selective search (%s)", bundle->windows,
                 ens_windows_preset_name (bundle->windows_preset));
  else
    print_field ("windows", "none");
  if (settings->size > 0)
    print_field ("sub-images",
                 "frames from %.0f × %.0f pixels on are divided into tiles: %u at most, of %u × %u "
                 "pixels or more, overlapping by %.0f %%",
                 side, side, settings->count, settings->size, settings->size,
                 100 * (double)settings->overlap);
}

static void
print_gate (const EnsBundleGate *gate)
{
  if (gate == NULL)
    print_field ("gate", "none");
  else
    print_field ("gate", "%s, of the features of “%s” (%s); made to keep %g %% of correct labels",
                 gate->kind, gate->network, gate->file, 100 * (double)gate->keep);
}

static void
print_classes (const EnsBundle *bundle)
{
  g_autoptr (ToolTable) table = tool_table_new (
      bundle->gate != NULL ? "class|>threshold|>similarity from|>to" : "class|>threshold");

  for (guint i = 0; i < bundle->n_classes; i++) {
    tool_table_row (table);
    tool_table_cell (table, "%s", bundle->classes[i]);
    tool_table_cell (table, "%.3f", (double)bundle->thresholds[i]);
    if (bundle->gate == NULL)
      continue;
    if (isnan (bundle->gate->ranges[i].low)) {
      tool_table_cell (table, "any");
      continue;
    }
    tool_table_cell (table, "%.3f", (double)bundle->gate->ranges[i].low);
    tool_table_cell (table, "%.3f", (double)bundle->gate->ranges[i].high);
  }
  g_print ("\n");
  tool_table_print (table);
}

/* ---- Provenance: whatever the program that made the bundle has left there ---- */

/* "train_images": "train images". (transfer full) */
static char *
make_title (const char *member)
{
  return g_strdelimit (g_strdup (member), "_", ' ');
}

/* (transfer full) */
static char *
value_to_text (JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    return g_strdup_printf ("%.4g", json_node_get_double (node));
  return JSON_NODE_HOLDS_NULL (node) ? g_strdup ("–") : json_to_string (node, FALSE);
}

/* Numbers of a column have as many digits. */
static void
add_cell (ToolTable *table, JsonNode *node)
{
  g_autofree char *text = node != NULL ? value_to_text (node) : g_strdup ("");

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    tool_table_cell (table, "%.3f", json_node_get_double (node));
  else
    tool_table_cell (table, "%s", text);
}

/* "name value, name value". (transfer full) */
static char *
object_to_text (JsonObject *object)
{
  GString *text = g_string_new (NULL);
  JsonObjectIter iterator;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iterator, object);
  while (json_object_iter_next_ordered (&iterator, &name, &node)) {
    g_autofree char *value = value_to_text (node);

    g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
  }
  return g_string_free (text, FALSE);
}

static gboolean
is_table (JsonNode *node)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    if (!JSON_NODE_HOLDS_OBJECT (json_array_get_element (array, i)))
      return FALSE;
  return array != NULL && json_array_get_length (array) > 0;
}

/* Objects as rows; the first one says what columns there are. */
static void
print_rows (const char *title, JsonArray *rows)
{
  g_autoptr (GList) columns = json_object_get_members (json_array_get_object_element (rows, 0));
  g_autoptr (GString) headings = g_string_new (NULL);
  g_autoptr (ToolTable) table = NULL;

  for (GList *column = columns; column != NULL; column = column->next) {
    g_autofree char *heading = make_title (column->data);

    g_string_append_printf (headings, "%s%s", column != columns ? "|>" : "", heading);
  }
  table = tool_table_new (headings->str);
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);

    tool_table_row (table);
    for (GList *column = columns; column != NULL; column = column->next)
      add_cell (table, json_object_get_member (row, column->data));
  }
  g_print ("\nmeasured on: %s\n", title);
  tool_table_print (table);
}

static void
print_members (JsonObject *provenance, gboolean tables)
{
  JsonObjectIter iterator;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iterator, provenance);
  while (json_object_iter_next_ordered (&iterator, &name, &node)) {
    g_autofree char *title = make_title (name);
    g_autofree char *value = NULL;

    if (is_table (node) != tables)
      continue;
    if (tables) {
      print_rows (title, json_node_get_array (node));
      continue;
    }
    value = JSON_NODE_HOLDS_OBJECT (node) ? object_to_text (json_node_get_object (node))
                                          : value_to_text (node);
    print_field (title, "%s", value);
  }
}

static void
print_provenance (const char *json)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);

  g_print ("\nprovenance\n");
  print_members (json_node_get_object (node), FALSE);
  print_members (json_node_get_object (node), TRUE);
}

gboolean
tool_inspect_bundle (const char *path, GError **error)
{
  g_autoptr (EnsBundle) bundle = ens_bundle_load (path, error);

  if (bundle == NULL)
    return FALSE;
  g_print ("ensemble “%s”, version %s, %u classes\n", bundle->name, bundle->version,
           bundle->n_classes);
  print_settings (bundle);
  print_gate (bundle->gate);
  for (guint i = 0; i < bundle->n_networks; i++)
    print_network (&bundle->networks[i]);
  print_classes (bundle);
  if (bundle->provenance != NULL)
    print_provenance (bundle->provenance);
  return TRUE;
}
