/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/graph.h"

#include <stdarg.h>
#include <string.h>

#include "graph/graph-private.h"
#include "graph/op.h"

static void
value_free (gpointer data)
{
  EnsValue *value = data;

  if (value == NULL)
    return;
  g_free (value->name);
  g_clear_pointer (&value->constant, ens_tensor_unref);
  g_free (value);
}

void
ens_node_free (gpointer data)
{
  EnsNode *node = data;

  if (node == NULL)
    return;
  g_free (node->name);
  g_free (node->params);
  g_free (node->inputs);
  g_free (node->outputs);
  g_free (node);
}

EnsGraph *
ens_graph_new (const char *name)
{
  EnsGraph *graph = g_new0 (EnsGraph, 1);

  graph->name = g_strdup (name);
  graph->values = g_ptr_array_new_with_free_func (value_free);
  graph->nodes = g_ptr_array_new_with_free_func (ens_node_free);
  graph->inputs = g_ptr_array_new ();
  graph->outputs = g_ptr_array_new ();
  graph->notes = g_ptr_array_new_with_free_func (g_free);
  graph->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  graph->nodes_by_name = g_hash_table_new (g_str_hash, g_str_equal);
  graph->numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return graph;
}

void
ens_graph_free (EnsGraph *graph)
{
  if (graph->edit != NULL)
    ens_graph_end_edit (graph);
  g_hash_table_unref (graph->by_name);
  g_hash_table_unref (graph->nodes_by_name);
  g_hash_table_unref (graph->numbers);
  g_ptr_array_unref (graph->inputs);
  g_ptr_array_unref (graph->outputs);
  g_ptr_array_unref (graph->notes);
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->values);
  g_free (graph->name);
  g_free (graph);
}

/* Values and nodes */

/* `name`, with a number appended if `taken` holds it already. Beyond 2, numbers go on where they
 * last stopped, so that a thousand nodes of one name don't take a million looks. */
static char *
make_unique (EnsGraph *graph, GHashTable *taken, const char *name)
{
  char *unique = g_strdup (name);
  guint number = 1;

  while (g_hash_table_contains (taken, unique)) {
    g_free (unique);
    if (number == 2)
      number = MAX (2, GPOINTER_TO_UINT (g_hash_table_lookup (graph->numbers, name)));
    unique = g_strdup_printf ("%s_%u", name, ++number);
  }
  if (number > 2)
    g_hash_table_replace (graph->numbers, g_strdup (name), GUINT_TO_POINTER (number));
  return unique;
}

static EnsValue *
add_value (EnsGraph *graph, const char *name)
{
  EnsValue *value = g_new0 (EnsValue, 1);

  value->name = make_unique (graph, graph->by_name, name);
  value->index = graph->values->len;
  g_ptr_array_add (graph->values, value);
  g_hash_table_insert (graph->by_name, value->name, value);
  return value;
}

EnsValue *
ens_graph_add_input (EnsGraph *graph, const char *name, EnsType type, const EnsShape *shape)
{
  EnsValue *value = add_value (graph, name != NULL ? name : "input");

  value->type = type;
  value->shape = *shape;
  g_ptr_array_add (graph->inputs, value);
  return value;
}

EnsValue *
ens_graph_add_constant (EnsGraph *graph, const char *name, EnsTensor *tensor)
{
  EnsValue *value = add_value (graph, name != NULL ? name : "constant");

  value->type = tensor->type;
  value->shape = tensor->shape;
  value->constant = ens_tensor_ref (tensor);
  return value;
}

/* Adds the values of the outputs from `first` on. */
static void
add_outputs (EnsGraph *graph, EnsNode *node, guint first)
{
  for (guint i = first; i < node->n_outputs; i++) {
    g_autofree char *name = i > 0 ? g_strdup_printf ("%s:%u", node->name, i) : NULL;

    node->outputs[i] = add_value (graph, name != NULL ? name : node->name);
    node->outputs[i]->producer = node;
  }
}

EnsNode *
ens_graph_make_node (EnsGraph *graph, const EnsOp *op, const char *name, gconstpointer params,
                     EnsValue *const *inputs, guint n_inputs, guint n_outputs)
{
  EnsNode *node = g_new0 (EnsNode, 1);
  g_autofree char *made_up = NULL;

  if (name == NULL)
    name = made_up = g_strdup_printf ("%s_%u", op->name, graph->nodes->len);
  node->name = make_unique (graph, graph->nodes_by_name, name);
  node->op = op;
  node->params = g_memdup2 (params, op->params_size);
  node->inputs = g_memdup2 (inputs, n_inputs * sizeof *inputs);
  node->n_inputs = n_inputs;
  node->outputs = g_new0 (EnsValue *, n_outputs);
  node->n_outputs = n_outputs;
  add_outputs (graph, node, 0);
  g_hash_table_insert (graph->nodes_by_name, node->name, node);
  return node;
}

EnsNode *
ens_graph_add_node (EnsGraph *graph, const EnsOp *op, const char *name, gconstpointer params,
                    EnsValue *const *inputs, guint n_inputs, guint n_outputs)
{
  EnsNode *node;

  g_return_val_if_fail (op != NULL, NULL);
  g_return_val_if_fail (params != NULL || op->params_size == 0, NULL);

  node = ens_graph_make_node (graph, op, name, params, inputs, n_inputs, n_outputs);
  g_ptr_array_add (graph->nodes, node);
  ens_graph_note_node (graph, node);
  return node;
}

EnsValue *
ens_graph_apply (EnsGraph *graph, const EnsOp *op, gconstpointer params, EnsValue *input, ...)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  va_list list;

  va_start (list, input);
  for (EnsValue *value = input; value != NULL; value = va_arg (list, EnsValue *))
    g_ptr_array_add (inputs, value);
  va_end (list);
  return ens_graph_add_node (graph, op, NULL, params, (EnsValue **)inputs->pdata, inputs->len, 1)
      ->outputs[0];
}

void
ens_graph_add_output (EnsGraph *graph, EnsValue *value)
{
  g_ptr_array_add (graph->outputs, value);
}

void
ens_graph_rename (EnsGraph *graph, EnsValue *value, const char *name)
{
  if (strcmp (value->name, name) == 0)
    return;
  g_hash_table_remove (graph->by_name, value->name);
  g_free (value->name);
  value->name = make_unique (graph, graph->by_name, name);
  g_hash_table_insert (graph->by_name, value->name, value);
}

void
ens_graph_rename_node (EnsGraph *graph, EnsNode *node, const char *name)
{
  if (strcmp (node->name, name) == 0)
    return;
  g_hash_table_remove (graph->nodes_by_name, node->name);
  g_free (node->name);
  node->name = make_unique (graph, graph->nodes_by_name, name);
  g_hash_table_insert (graph->nodes_by_name, node->name, node);
}

EnsValue *
ens_graph_find (const EnsGraph *graph, const char *name)
{
  return g_hash_table_lookup (graph->by_name, name);
}

EnsValue *
ens_graph_only_input (const EnsGraph *graph)
{
  return graph->inputs->len == 1 ? g_ptr_array_index (graph->inputs, 0) : NULL;
}

/* Copying */

static void
copy_value (EnsGraph *copy, const EnsValue *value)
{
  EnsValue *twin = add_value (copy, value->name);

  twin->type = value->type;
  twin->shape = value->shape;
  if (value->constant != NULL)
    twin->constant = ens_tensor_ref (value->constant);
}

/* The value of `values` at the index of `value`. */
static EnsValue *
translate (const GPtrArray *values, const EnsValue *value)
{
  return value != NULL ? g_ptr_array_index (values, value->index) : NULL;
}

static void
copy_node (EnsGraph *copy, const EnsNode *node)
{
  EnsNode *twin = g_new0 (EnsNode, 1);

  twin->name = g_strdup (node->name);
  twin->op = node->op;
  twin->params = g_memdup2 (node->params, node->op->params_size);
  twin->n_inputs = node->n_inputs;
  twin->inputs = g_new0 (EnsValue *, node->n_inputs);
  twin->n_outputs = node->n_outputs;
  twin->outputs = g_new0 (EnsValue *, node->n_outputs);
  for (guint i = 0; i < node->n_inputs; i++)
    twin->inputs[i] = translate (copy->values, node->inputs[i]);
  for (guint i = 0; i < node->n_outputs; i++) {
    twin->outputs[i] = translate (copy->values, node->outputs[i]);
    twin->outputs[i]->producer = twin;
  }
  g_ptr_array_add (copy->nodes, twin);
  g_hash_table_insert (copy->nodes_by_name, twin->name, twin);
}

void
ens_graph_add_note (EnsGraph *graph, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (graph->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

char **
ens_graph_get_notes (const EnsGraph *graph)
{
  char **notes = g_new0 (char *, graph->notes->len + 1);

  for (guint i = 0; i < graph->notes->len; i++)
    notes[i] = g_strdup (g_ptr_array_index (graph->notes, i));
  return notes;
}

static void
copy_notes (EnsGraph *graph, const EnsGraph *from)
{
  for (guint i = 0; i < from->notes->len; i++)
    g_ptr_array_add (graph->notes, g_strdup (g_ptr_array_index (from->notes, i)));
}

EnsGraph *
ens_graph_copy (const EnsGraph *graph)
{
  EnsGraph *copy = ens_graph_new (graph->name);

  for (guint i = 0; i < graph->values->len; i++)
    copy_value (copy, g_ptr_array_index (graph->values, i));
  for (guint i = 0; i < graph->nodes->len; i++)
    copy_node (copy, g_ptr_array_index (graph->nodes, i));
  for (guint i = 0; i < graph->inputs->len; i++)
    g_ptr_array_add (copy->inputs, translate (copy->values, g_ptr_array_index (graph->inputs, i)));
  for (guint i = 0; i < graph->outputs->len; i++)
    g_ptr_array_add (copy->outputs,
                     translate (copy->values, g_ptr_array_index (graph->outputs, i)));
  copy_notes (copy, graph);
  return copy;
}

static char *
prefixed (const char *prefix, const char *name)
{
  return prefix != NULL ? g_strdup_printf ("%s/%s", prefix, name) : g_strdup (name);
}

/* The graph's constants by tensor. (transfer full) */
static GHashTable *
index_constants (const EnsGraph *graph)
{
  GHashTable *constants = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = g_ptr_array_index (graph->values, i);

    if (value->constant != NULL && value->producer == NULL)
      g_hash_table_insert (constants, value->constant, value);
  }
  return constants;
}

static void
embed_constants (EnsGraph *graph, const EnsGraph *part, const char *prefix, GPtrArray *values)
{
  g_autoptr (GHashTable) constants = index_constants (graph);

  for (guint i = 0; i < part->values->len; i++) {
    const EnsValue *value = g_ptr_array_index (part->values, i);
    EnsValue *twin;

    if (value->constant == NULL || value->producer != NULL)
      continue;
    twin = g_hash_table_lookup (constants, value->constant);
    if (twin == NULL) {
      g_autofree char *name = prefixed (prefix, value->name);

      twin = ens_graph_add_constant (graph, name, value->constant);
      g_hash_table_insert (constants, value->constant, twin);
    }
    g_ptr_array_index (values, i) = twin;
  }
}

static void
embed_node (EnsGraph *graph, const EnsNode *node, const char *prefix, GPtrArray *values)
{
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs);
  g_autofree char *name = prefixed (prefix, node->name);
  EnsNode *twin;

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = translate (values, node->inputs[i]);
  twin = ens_graph_add_node (graph, node->op, name, node->params, inputs, node->n_inputs,
                             node->n_outputs);
  for (guint i = 0; i < node->n_outputs; i++) {
    const EnsValue *output = node->outputs[i];
    g_autofree char *output_name = prefixed (prefix, output->name);

    ens_graph_rename (graph, twin->outputs[i], output_name);
    twin->outputs[i]->type = output->type;
    twin->outputs[i]->shape = output->shape;
    g_ptr_array_index (values, output->index) = twin->outputs[i];
  }
}

GPtrArray *
ens_graph_embed (EnsGraph *graph, const EnsGraph *part, const char *prefix,
                 EnsValue *const *bindings)
{
  GPtrArray *values = g_ptr_array_new ();

  g_ptr_array_set_size (values, part->values->len);
  for (guint i = 0; i < part->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (part->inputs, i);

    g_ptr_array_index (values, input->index) = bindings[i];
  }
  embed_constants (graph, part, prefix, values);
  for (guint i = 0; i < part->nodes->len; i++)
    embed_node (graph, g_ptr_array_index (part->nodes, i), prefix, values);
  copy_notes (graph, part);
  return values;
}

/* Rewriting */

void
ens_graph_change_node (EnsGraph *graph, EnsNode *node, const EnsOp *op, gconstpointer params,
                       guint n_outputs)
{
  guint first = node->n_outputs;

  g_return_if_fail (n_outputs >= first);

  g_free (node->params);
  node->params = g_memdup2 (params, op->params_size);
  node->op = op;
  node->outputs = g_renew (EnsValue *, node->outputs, n_outputs);
  node->n_outputs = n_outputs;
  add_outputs (graph, node, first);
}

guint *
ens_graph_count_uses (const EnsGraph *graph)
{
  guint *uses = g_new0 (guint, graph->values->len);

  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = g_ptr_array_index (graph->nodes, i);

    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        uses[node->inputs[j]->index]++;
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    uses[((EnsValue *)g_ptr_array_index (graph->outputs, i))->index]++;
  return uses;
}

/* Whether one of the node's outputs is needed and not known beforehand. */
static gboolean
is_needed (const EnsNode *node, const gboolean *needed)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (needed[node->outputs[i]->index] && node->outputs[i]->constant == NULL)
      return TRUE;
  return FALSE;
}

/* Removes the nodes that nothing needs and marks in `needed`, by value index, what the others
 * read and write. */
static void
remove_unused_nodes (EnsGraph *graph, gboolean *needed)
{
  for (guint i = graph->nodes->len; i-- > 0;) {
    EnsNode *node = g_ptr_array_index (graph->nodes, i);

    if (is_needed (node, needed)) {
      for (guint j = 0; j < node->n_inputs; j++)
        if (node->inputs[j] != NULL)
          needed[node->inputs[j]->index] = TRUE;
      for (guint j = 0; j < node->n_outputs; j++)
        needed[node->outputs[j]->index] = TRUE;
    } else {
      for (guint j = 0; j < node->n_outputs; j++)
        node->outputs[j]->producer = NULL;
      g_hash_table_remove (graph->nodes_by_name, node->name);
      g_ptr_array_index (graph->nodes, i) = NULL;
      ens_node_free (node);
    }
  }
}

/* Closes the gaps that removed elements left as NULL. */
static void
compact (GPtrArray *array)
{
  guint n = 0;

  for (guint i = 0; i < array->len; i++)
    if (g_ptr_array_index (array, i) != NULL)
      g_ptr_array_index (array, n++) = g_ptr_array_index (array, i);
  for (guint i = n; i < array->len; i++)
    g_ptr_array_index (array, i) = NULL;
  g_ptr_array_set_size (array, n);
}

void
ens_graph_remove_unused (EnsGraph *graph)
{
  g_autofree gboolean *needed = g_new0 (gboolean, graph->values->len);

  for (guint i = 0; i < graph->inputs->len; i++)
    needed[((EnsValue *)g_ptr_array_index (graph->inputs, i))->index] = TRUE;
  for (guint i = 0; i < graph->outputs->len; i++)
    needed[((EnsValue *)g_ptr_array_index (graph->outputs, i))->index] = TRUE;
  remove_unused_nodes (graph, needed);
  compact (graph->nodes);

  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = g_ptr_array_index (graph->values, i);

    if (needed[i])
      continue;
    g_hash_table_remove (graph->by_name, value->name);
    g_ptr_array_index (graph->values, i) = NULL;
    value_free (value);
  }
  compact (graph->values);
  for (guint i = 0; i < graph->values->len; i++)
    ((EnsValue *)g_ptr_array_index (graph->values, i))->index = i;
}
