/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx/body.h"

#include <string.h>

#include "onnx/import.h"

static void
free_copy (gpointer node)
{
  onnx__node_proto__free_unpacked (node, NULL);
}

void
ens_onnx_body_free (EnsOnnxBody *body)
{
  g_array_unref (body->nodes);
  g_ptr_array_unref (body->copies);
  g_ptr_array_unref (body->outputs);
  g_ptr_array_unref (body->notes);
  g_free (body);
}

static const EnsOnnxBodyNode *
get_node (const EnsOnnxBody *body, guint i)
{
  return &g_array_index (body->nodes, EnsOnnxBodyNode, i);
}

gint64
ens_onnx_body_get_opset (const EnsOnnxBodyNode *node, const Onnx__ModelProto *model)
{
  const Onnx__FunctionProto *function = node->function;
  const char *domain = node->proto->domain;

  for (gsize i = 0; function != NULL && i < function->n_opset_import; i++) {
    const Onnx__OperatorSetIdProto *set = function->opset_import[i];

    if (ens_onnx_is_own_domain (set->domain) ? ens_onnx_is_own_domain (domain)
                                             : strcmp (set->domain, ens_onnx_text (domain)) == 0)
      return set->version > 0 ? set->version : ens_onnx_find_opset (model, domain);
  }
  return ens_onnx_find_opset (model, domain);
}

/* ---- What nodes read ---- */

static void
foreach_read_of_graph (const Onnx__GraphProto *graph, EnsOnnxNameFunc func, gpointer data)
{
  for (gsize i = 0; i < graph->n_node; i++)
    ens_onnx_node_foreach_read (graph->node[i], func, data);
  for (gsize i = 0; i < graph->n_output; i++)
    if (graph->output[i]->name != NULL)
      func (graph->output[i]->name, data);
}

void
ens_onnx_node_foreach_read (const Onnx__NodeProto *node, EnsOnnxNameFunc func, gpointer data)
{
  for (gsize i = 0; i < node->n_input; i++)
    if (*node->input[i] != '\0')
      func (node->input[i], data);
  for (gsize i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->g != NULL)
      foreach_read_of_graph (node->attribute[i]->g, func, data);
}

/* ---- Outputs ---- */

/* Operators that sort out what a network has found, at its end. */
static gboolean
sorts_out (const Onnx__NodeProto *node)
{
  static const char *const operators[] = {
      "ArgMax", "ArgMin",       "ArrayFeatureExtractor", "CategoryMapper", "Hardmax",
      "TopK",   "LabelEncoder", "NonMaxSuppression",     "ZipMap",         NULL};

  return g_strv_contains (operators, ens_onnx_text (node->op_type));
}

typedef struct {
  EnsOnnxBody *body;
  const Onnx__ModelProto *model;
  GHashTable *missing; /* name → Onnx__NodeProto that is not supported, and that it depends on */
  GHashTable *sorted; /* such a name → what it is sorted out from, and can be computed; or NULL */
  const Onnx__NodeProto *found;
} Search;

static void
look_for_missing (char *name, gpointer data)
{
  Search *search = data;

  if (search->found == NULL)
    search->found = g_hash_table_lookup (search->missing, name);
}

/* What such an operator sorts out, through what follows it; NULL: nothing that can be computed. */
static char *
find_sorted_out (const Search *search, const Onnx__NodeProto *node)
{
  char *first = node->n_input > 0 ? node->input[0] : NULL;
  const Onnx__NodeProto *missing =
      first != NULL ? g_hash_table_lookup (search->missing, first) : NULL;

  if (first == NULL || *first == '\0')
    return NULL;
  if (search->found == node)
    return sorts_out (node) && missing == NULL ? first : NULL;
  return missing != NULL ? g_hash_table_lookup (search->sorted, first) : NULL;
}

static void
find_missing (Search *search)
{
  for (guint i = 0; i < search->body->nodes->len; i++) {
    const EnsOnnxBodyNode *node = get_node (search->body, i);
    gint64 opset = ens_onnx_body_get_opset (node, search->model);
    char *instead;

    search->found =
        ens_onnx_is_supported (node->proto->domain, ens_onnx_text (node->proto->op_type), opset)
            ? NULL
            : node->proto;
    ens_onnx_node_foreach_read (node->proto, look_for_missing, search);
    instead = find_sorted_out (search, node->proto);
    for (gsize j = 0; j < node->proto->n_output && search->found != NULL; j++) {
      g_hash_table_insert (search->sorted, node->proto->output[j], instead);
      g_hash_table_insert (search->missing, node->proto->output[j], (gpointer)search->found);
    }
  }
}

static void
note_left_out (EnsOnnxBody *body, const char *output, const Onnx__NodeProto *missing,
               const char *instead)
{
  g_ptr_array_add (
      body->notes,
      g_strdup_printf ("output “%s” is left out, because it needs %s, which is not supported%s%s%s",
                       output, ens_onnx_text (missing->op_type), instead != NULL ? "; “" : "",
                       instead != NULL ? instead : "",
                       instead != NULL ? "”, from which it is made, takes its place" : ""));
}

/* Outputs that can't be computed are left out if there are others, or give their place to what
 * they are sorted out from. If none is left, all stay, and the operators are refused. */
static void
choose_outputs (EnsOnnxBody *body, const Onnx__ModelProto *model)
{
  g_autoptr (GHashTable) missing = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) sorted = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  Search search = {body, model, missing, sorted, NULL};

  find_missing (&search);
  for (guint i = 0; i < body->outputs->len; i++) {
    char *name = g_ptr_array_index (body->outputs, i);
    gboolean is_missing = g_hash_table_contains (missing, name);
    char *instead = is_missing ? g_hash_table_lookup (sorted, name) : name;

    if (instead != NULL && g_hash_table_add (taken, instead))
      g_ptr_array_add (chosen, instead);
  }
  if (chosen->len == 0)
    return;
  for (guint i = 0; i < body->outputs->len; i++) {
    char *name = g_ptr_array_index (body->outputs, i);
    const Onnx__NodeProto *node = g_hash_table_lookup (missing, name);

    if (node != NULL)
      note_left_out (body, name, node, g_hash_table_lookup (sorted, name));
  }
  g_ptr_array_set_size (body->outputs, 0);
  g_ptr_array_extend_and_steal (body->outputs, g_steal_pointer (&chosen));
}

/* ---- Nodes that nothing needs ---- */

static void
add_name (char *name, gpointer names)
{
  g_hash_table_add (names, name);
}

/* Nodes stand behind what they read: from the last to the first. Those of a cycle stay, for the
 * error that they are. */
static void
prune (EnsOnnxBody *body)
{
  g_autoptr (GHashTable) needed = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (EnsOnnxBodyNode));

  for (guint i = 0; i < body->outputs->len; i++)
    g_hash_table_add (needed, g_ptr_array_index (body->outputs, i));
  for (guint i = body->nodes->len; i-- > 0;) {
    const EnsOnnxBodyNode *node = get_node (body, i);
    gboolean is_needed = node->proto->n_output == 0;

    for (gsize j = 0; j < node->proto->n_output; j++)
      is_needed = is_needed || g_hash_table_contains (needed, node->proto->output[j]);
    if (!is_needed)
      continue;
    ens_onnx_node_foreach_read (node->proto, add_name, needed);
    g_array_append_val (nodes, *node);
  }
  g_array_set_size (body->nodes, 0);
  for (guint i = nodes->len; i-- > 0;)
    g_array_append_val (body->nodes, g_array_index (nodes, EnsOnnxBodyNode, i));
}

EnsOnnxBody *
ens_onnx_body_new (EnsOnnxFunctions *functions, const Onnx__GraphProto *graph,
                   const Onnx__FunctionProto *function, GError **error)
{
  g_autoptr (EnsOnnxBody) body = g_new0 (EnsOnnxBody, 1);

  body->nodes = g_array_new (FALSE, FALSE, sizeof (EnsOnnxBodyNode));
  body->copies = g_ptr_array_new_with_free_func (free_copy);
  body->outputs = g_ptr_array_new ();
  body->notes = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < graph->n_output; i++)
    g_ptr_array_add (body->outputs, (char *)ens_onnx_text (graph->output[i]->name));
  if (!ens_onnx_body_inline (body, functions, graph, function, error))
    return NULL;
  ens_onnx_body_sort (body);
  /* A branch's stand for those of its If, in their order. */
  if (graph == functions->model->graph)
    choose_outputs (body, functions->model);
  prune (body);
  return g_steal_pointer (&body);
}
