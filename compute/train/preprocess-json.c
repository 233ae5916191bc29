/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/preprocess-json.h"

#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"

/* More is no description of a network. */
#define MAX_SIZE (4 << 20)

JsonObject *
ens_preprocess_json_load (const EnsPreprocessSource *source, JsonParser *parser, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize size;
  EnsJsonScan scan;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return NULL;
  text = ens_file_read_text (path, &size, &error);
  if (text != NULL && size > MAX_SIZE)
    g_set_error (&error, ENS_ERROR, ENS_ERROR_FORMAT, "over %d bytes", MAX_SIZE);
  if (error == NULL) {
    ens_json_scan_init (&scan, source->name, text, size);
    ens_json_scan_skip (&scan);
    ens_json_scan_finish (&scan, &error);
  }
  if (error == NULL)
    json_parser_load_from_data (parser, text, (gssize)size, &error);
  if (error != NULL) {
    ens_preprocess_note (source->preprocess, "%s: %s", source->name, error->message);
    return NULL;
  }
  return json_parser_get_root (parser) != NULL
                 && JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))
             ? json_node_get_object (json_parser_get_root (parser))
             : NULL;
}

JsonNode *
ens_preprocess_json_find (JsonObject *object, const char *const *names)
{
  g_autoptr (GList) members = json_object_get_members (object);

  for (; *names != NULL; names++)
    for (GList *link = members; link != NULL; link = link->next) {
      const char *member = link->data;
      gsize length = strlen (*names);

      if (g_ascii_strncasecmp (member, *names, length) == 0
          && (member[length] == '\0' || g_str_has_prefix (member + length, " (")))
        return json_object_get_member (object, member);
    }
  return NULL;
}

JsonObject *
ens_preprocess_json_object (JsonObject *object, const char *name)
{
  JsonNode *node = ENS_PREPROCESS_FIND (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
is_number (JsonNode *node)
{
  return node != NULL
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

const char *
ens_preprocess_json_text (JsonNode *node)
{
  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

guint
ens_preprocess_json_numbers (JsonNode *node, double *numbers, guint max)
{
  JsonArray *array;
  guint n;

  if (is_number (node)) {
    numbers[0] = json_node_get_double (node);
    return 1;
  }
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return 0;
  array = json_node_get_array (node);
  n = MIN (json_array_get_length (array), max);
  for (guint i = 0; i < n; i++) {
    if (!is_number (json_array_get_element (array, i)))
      return 0;
    numbers[i] = json_node_get_double (json_array_get_element (array, i));
  }
  return n;
}

char **
ens_preprocess_json_strings (JsonNode *node)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return NULL;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    const char *text = ens_preprocess_json_text (json_array_get_element (array, i));

    if (text == NULL)
      return NULL;
    g_ptr_array_add (strings, g_strdup (text));
  }
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_steal (strings, NULL);
}

static gboolean
spread (const double *values, guint n, double *into)
{
  if (n != 1 && n != 3)
    return FALSE;
  for (guint c = 0; c < 3; c++)
    into[c] = values[n == 1 ? 0 : c];
  return TRUE;
}

gboolean
ens_preprocess_json_range (JsonNode *mean, JsonNode *deviation, EnsPreprocessRange *range)
{
  double values[4];

  range->n = 3;
  return spread (values, ens_preprocess_json_numbers (mean, values, 4), range->means)
         && spread (values, ens_preprocess_json_numbers (deviation, values, 4), range->deviations);
}
