/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/op.h"

static void
print_value (GString *text, const EnsValue *value)
{
  g_autofree char *shape = ens_shape_to_string (&value->shape);

  g_string_append_printf (text, "%s: %s %s", value->name, ens_type_name (value->type), shape);
}

static void
print_operand (GString *text, const EnsValue *value)
{
  if (value == NULL) {
    g_string_append_c (text, '-');
    return;
  }
  g_string_append (text, value->name);
  if (value->constant != NULL && value->producer == NULL) {
    g_autofree char *shape = ens_shape_to_string (&value->shape);

    g_string_append_printf (text, "<%s>", shape);
  }
}

static void
print_node (GString *text, const EnsNode *node)
{
  g_autofree char *attributes = ens_node_attributes_to_string (node);

  for (guint i = 0; i < node->n_outputs; i++) {
    g_string_append (text, i > 0 ? ", " : "");
    print_value (text, node->outputs[i]);
  }
  g_string_append_printf (text, " = %s (", node->op->name);
  for (guint i = 0; i < node->n_inputs; i++) {
    g_string_append (text, i > 0 ? ", " : "");
    print_operand (text, node->inputs[i]);
  }
  g_string_append_c (text, ')');
  g_string_append_printf (text, "%s%s\n", *attributes != '\0' ? " " : "", attributes);
}

char *
ens_graph_to_string (const EnsGraph *graph)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < graph->inputs->len; i++) {
    g_string_append (text, "input ");
    print_value (text, g_ptr_array_index (graph->inputs, i));
    g_string_append_c (text, '\n');
  }
  for (guint i = 0; i < graph->nodes->len; i++)
    print_node (text, g_ptr_array_index (graph->nodes, i));
  for (guint i = 0; i < graph->outputs->len; i++) {
    g_string_append (text, "output ");
    print_value (text, g_ptr_array_index (graph->outputs, i));
    g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}
