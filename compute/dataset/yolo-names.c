/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/yolo-names.h"

#include <string.h>
#include <yaml.h>

#include "base/files.h"
#include "dataset/lines.h"

/* Numbers of classes that are higher are none. */
#define MAX_CLASSES 1000000

void
ens_yolo_names_init (EnsYoloNames *names)
{
  *names = (EnsYoloNames) {.names = g_ptr_array_new_with_free_func (g_free)};
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    names->places[s] = g_ptr_array_new_with_free_func (g_free);
}

void
ens_yolo_names_clear (EnsYoloNames *names)
{
  g_clear_pointer (&names->names, g_ptr_array_unref);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_clear_pointer (&names->places[s], g_ptr_array_unref);
  g_free (names->root);
}

static void
set_name (EnsYoloNames *names, guint64 number, const char *name)
{
  if (number > MAX_CLASSES)
    return;
  if (number >= names->names->len)
    g_ptr_array_set_size (names->names, (gint)number + 1);
  g_free (names->names->pdata[number]);
  names->names->pdata[number] = g_strdup (name);
}

static void
add_place (EnsYoloNames *names, const char *key, const char *place)
{
  EnsSplit split;

  if (ens_split_parse (key, &split) && *place != '\0')
    g_ptr_array_add (names->places[split], g_strdup (place));
}

/* ---- YAML ---- */

/* NULL for what is no scalar. */
static const char *
get_scalar (yaml_document_t *document, int node)
{
  const yaml_node_t *found = yaml_document_get_node (document, node);

  return found != NULL && found->type == YAML_SCALAR_NODE ? (const char *)found->data.scalar.value
                                                          : NULL;
}

static void
take_names (EnsYoloNames *names, yaml_document_t *document, const yaml_node_t *value)
{
  if (value->type == YAML_SEQUENCE_NODE)
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
      const char *name = get_scalar (document, *item);

      set_name (names, (guint64)(item - value->data.sequence.items.start), name ? name : "");
    }
  if (value->type == YAML_MAPPING_NODE)
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
      const char *key = get_scalar (document, pair->key),
                 *name = get_scalar (document, pair->value);
      guint64 number;

      if (key != NULL && name != NULL
          && g_ascii_string_to_unsigned (key, 10, 0, MAX_CLASSES, &number, NULL))
        set_name (names, number, name);
    }
}

static void
take_places (EnsYoloNames *names, yaml_document_t *document, const char *key,
             const yaml_node_t *value)
{
  if (value->type == YAML_SCALAR_NODE)
    add_place (names, key, (const char *)value->data.scalar.value);
  if (value->type == YAML_SEQUENCE_NODE)
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
      const char *place = get_scalar (document, *item);

      if (place != NULL)
        add_place (names, key, place);
    }
}

static void
take_pair (EnsYoloNames *names, yaml_document_t *document, const yaml_node_pair_t *pair)
{
  const char *key = get_scalar (document, pair->key);
  const yaml_node_t *value = yaml_document_get_node (document, pair->value);
  const char *text = get_scalar (document, pair->value);

  if (key == NULL || value == NULL)
    return;
  if (strcmp (key, "names") == 0)
    take_names (names, document, value);
  else if (strcmp (key, "kpt_shape") == 0)
    names->points = TRUE;
  else if (strcmp (key, "path") != 0)
    take_places (names, document, key, value);
  else if (text != NULL && *text != '\0') {
    g_free (names->root);
    names->root = g_strdup (text);
  }
}

gboolean
ens_yolo_read_yaml (EnsYoloNames *names, const char *path, GBytes *text, GError **error)
{
  yaml_parser_t parser;
  yaml_document_t document;
  const yaml_node_t *root;

  yaml_parser_initialize (&parser);
  yaml_parser_set_input_string (&parser, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  if (!yaml_parser_load (&parser, &document)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s:%zu: not sound YAML: %s", path,
                 parser.problem_mark.line + 1, parser.problem != NULL ? parser.problem : "damaged");
    yaml_parser_delete (&parser);
    return FALSE;
  }
  root = yaml_document_get_root_node (&document);
  if (root != NULL && root->type == YAML_MAPPING_NODE)
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++)
      take_pair (names, &document, pair);
  yaml_document_delete (&document);
  yaml_parser_delete (&parser);
  return TRUE;
}

gboolean
ens_yolo_is_yaml (const char *path)
{
  g_autoptr (GBytes) text = ens_file_map_text (path, NULL);
  gboolean found = FALSE;
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while (!found && (line = ens_lines_next (&lines)) != NULL)
    found = g_str_has_prefix (line, "names:") || g_str_has_prefix (line, "nc:");
  return found;
}

/* ---- Darknet's ---- */

void
ens_yolo_read_data (EnsYoloNames *names, GBytes *text)
{
  g_auto (EnsLines) lines;
  char *line;

  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL) {
    char *equals = strchr (line, '=');

    if (equals == NULL)
      continue;
    *equals = '\0';
    add_place (names, g_strchomp (line), g_strchug (equals + 1));
  }
}

void
ens_yolo_read_names (EnsYoloNames *names, GBytes *text)
{
  g_auto (GStrv) listed = ens_lines_read_names (text);

  for (guint i = 0; listed[i] != NULL; i++)
    set_name (names, i, listed[i]);
}
