/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/loop-history.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/fail.h"

/* NaN is null in the log, or left out. */
static double
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) == G_TYPE_STRING)
    return NAN;
  return json_node_get_double (node);
}

static void
read_terms (JsonObject *line, double *terms)
{
  JsonNode *node = json_object_get_member (line, "terms");
  g_autoptr (GList) names = NULL;
  guint i = 0;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    names = json_object_get_members (json_node_get_object (node));
  for (GList *name = names; name != NULL && i < ENS_LOOP_MAX_TERMS; name = name->next)
    terms[i++] = get_number (json_node_get_object (node), name->data);
  while (i < ENS_LOOP_MAX_TERMS)
    terms[i++] = NAN;
}

static void
add_epoch (GArray *history, JsonObject *line)
{
  JsonNode *node = json_object_get_member (line, "validation");
  JsonObject *validation =
      node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  EnsLoopEpoch epoch = {
      .epoch = history->len + 1,
      .loss = get_number (line, "loss"),
      .accuracy = get_number (line, "accuracy"),
      .validation_loss = get_number (validation, "loss"),
      .validation_accuracy = get_number (validation, "accuracy"),
      .rate = get_number (line, "rate"),
  };

  read_terms (line, epoch.terms);
  g_array_append_val (history, epoch);
}

static gboolean
is_epoch (JsonObject *line)
{
  JsonNode *event = json_object_get_member (line, "event");

  return event != NULL && JSON_NODE_HOLDS_VALUE (event)
         && g_strcmp0 (json_node_get_string (event), "epoch") == 0;
}

static gboolean
read_line (GArray *history, const char *line, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;

  if (!json_parser_load_from_data (parser, line, -1, error))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "expected an object");
    return FALSE;
  }
  if (is_epoch (json_node_get_object (root)))
    add_epoch (history, json_node_get_object (root));
  return TRUE;
}

GArray *
ens_loop_read_history (const char *path, GError **error)
{
  g_autoptr (GArray) history = g_array_new (FALSE, FALSE, sizeof (EnsLoopEpoch));
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = ens_file_read_text (path, NULL, &reason);
  g_auto (GStrv) lines = NULL;

  if (text == NULL) {
    ens_fail (error, ENS_ERROR_FILE, path, "can't read the log: %s", reason->message);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  /* What follows the last newline is no whole line. */
  for (guint i = 0; lines[0] != NULL && lines[i + 1] != NULL; i++)
    if (!read_line (history, lines[i], &reason)) {
      ens_fail (error, ENS_ERROR_DATA, path, "line %u of the log: %s", i + 1, reason->message);
      return NULL;
    }
  return g_steal_pointer (&history);
}
