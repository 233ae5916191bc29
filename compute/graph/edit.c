/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rewriting graphs: who reads a value, and nodes that come between others. */
#include "graph/graph-private.h"
#include "graph/op.h"

/* A node's input that reads, or has once read, a value. */
typedef struct {
  EnsNode *node;
  guint input;
} Use;

/* While a graph is edited. */
typedef struct _EnsGraphEdit {
  GPtrArray *uses;      /* by value index: GArray of Use, or NULL */
  GHashTable *outputs;  /* EnsValue */
  GHashTable *arriving; /* EnsNode → GPtrArray of EnsNode that come before it */
  GHashTable *moved;    /* EnsNode that are no longer where they were → the list they are in */
  GHashTable *dropped;  /* EnsNode */
} EnsGraphEdit;

static void
free_uses (gpointer uses)
{
  if (uses != NULL)
    g_array_unref (uses);
}

static void
edit_free (EnsGraphEdit *edit)
{
  g_ptr_array_unref (edit->uses);
  g_hash_table_unref (edit->outputs);
  g_hash_table_unref (edit->arriving);
  g_hash_table_unref (edit->moved);
  g_hash_table_unref (edit->dropped);
  g_free (edit);
}

static void
note_use (EnsGraphEdit *edit, const EnsValue *value, EnsNode *node, guint input)
{
  const Use use = {node, input};
  GArray *uses;

  if (value == NULL)
    return;
  if (value->index >= edit->uses->len)
    g_ptr_array_set_size (edit->uses, (gint)value->index + 1);
  uses = g_ptr_array_index (edit->uses, value->index);
  if (uses == NULL)
    uses = g_ptr_array_index (edit->uses, value->index) = g_array_new (FALSE, FALSE, sizeof use);
  g_array_append_val (uses, use);
}

static void
note_node (EnsGraphEdit *edit, EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    note_use (edit, node->inputs[i], node, i);
}

void
ens_graph_note_node (EnsGraph *graph, EnsNode *node)
{
  if (graph->edit != NULL)
    note_node (graph->edit, node);
}

static EnsGraphEdit *
edit_new (const EnsGraph *graph)
{
  EnsGraphEdit *edit = g_new0 (EnsGraphEdit, 1);

  edit->uses = g_ptr_array_new_full (graph->values->len, free_uses);
  edit->outputs = g_hash_table_new (NULL, NULL);
  edit->arriving = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
  edit->moved = g_hash_table_new (NULL, NULL);
  edit->dropped = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < graph->nodes->len; i++)
    note_node (edit, g_ptr_array_index (graph->nodes, i));
  for (guint i = 0; i < graph->outputs->len; i++)
    g_hash_table_add (edit->outputs, g_ptr_array_index (graph->outputs, i));
  return edit;
}

void
ens_graph_begin_edit (EnsGraph *graph)
{
  g_return_if_fail (graph->edit == NULL);

  graph->edit = edit_new (graph);
}

/* Appends the node behind those that come before it. */
static void
place (const EnsGraphEdit *edit, EnsNode *node, GPtrArray *nodes)
{
  GPtrArray *arriving = g_hash_table_lookup (edit->arriving, node);

  for (guint i = 0; arriving != NULL && i < arriving->len; i++)
    place (edit, g_ptr_array_index (arriving, i), nodes);
  g_ptr_array_add (nodes, node);
}

void
ens_graph_end_edit (EnsGraph *graph)
{
  EnsGraphEdit *edit = g_steal_pointer (&graph->edit);
  g_autoptr (GPtrArray) old = NULL;

  g_return_if_fail (edit != NULL);

  if (g_hash_table_size (edit->arriving) > 0) {
    old = graph->nodes;
    graph->nodes = g_ptr_array_new_full (old->len, ens_node_free);
    for (guint i = 0; i < old->len; i++)
      if (!g_hash_table_contains (edit->moved, g_ptr_array_index (old, i)))
        place (edit, g_ptr_array_index (old, i), graph->nodes);
    g_ptr_array_set_free_func (old, NULL);
  }
  edit_free (edit);
}

/* ---- Readers ---- */

/* How values are used: as the edit knows it, or found out for one question. */
static EnsGraphEdit *
borrow_edit (const EnsGraph *graph)
{
  return graph->edit != NULL ? graph->edit : edit_new (graph);
}

static void
return_edit (const EnsGraph *graph, EnsGraphEdit *edit)
{
  if (edit != graph->edit)
    edit_free (edit);
}

static const GArray *
get_uses (const EnsGraphEdit *edit, const EnsValue *value)
{
  return value->index < edit->uses->len ? g_ptr_array_index (edit->uses, value->index) : NULL;
}

static gboolean
is_current (const EnsGraphEdit *edit, const Use *use, const EnsValue *value)
{
  return use->input < use->node->n_inputs && use->node->inputs[use->input] == value
         && !g_hash_table_contains (edit->dropped, use->node);
}

/* The first use of the value by another node than these two; NULL: there is none. */
static const Use *
find_use (const EnsGraphEdit *edit, const EnsValue *value, const EnsNode *a, const EnsNode *b)
{
  const GArray *uses = get_uses (edit, value);

  for (guint i = 0; uses != NULL && i < uses->len; i++) {
    const Use *use = &g_array_index (uses, Use, i);

    if (is_current (edit, use, value) && use->node != a && use->node != b)
      return use;
  }
  return NULL;
}

/* Whether the node reads the value through this input alone. */
static gboolean
reads_once (const EnsNode *node, guint input)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (i != input && node->inputs[i] == node->inputs[input])
      return FALSE;
  return TRUE;
}

gboolean
ens_graph_is_output (const EnsGraph *graph, const EnsValue *value)
{
  return graph->edit != NULL ? g_hash_table_contains (graph->edit->outputs, value)
                             : g_ptr_array_find (graph->outputs, value, NULL);
}

gboolean
ens_graph_is_read (const EnsGraph *graph, const EnsValue *value)
{
  return !ens_graph_is_read_by (graph, value, NULL, NULL);
}

gboolean
ens_graph_is_read_by (const EnsGraph *graph, const EnsValue *value, const EnsNode *a,
                      const EnsNode *b)
{
  EnsGraphEdit *edit = borrow_edit (graph);
  gboolean by_others =
      g_hash_table_contains (edit->outputs, value) || find_use (edit, value, a, b) != NULL;

  return_edit (graph, edit);
  return !by_others;
}

EnsNode *
ens_graph_only_reader (const EnsGraph *graph, const EnsValue *value)
{
  EnsGraphEdit *edit = borrow_edit (graph);
  const Use *use = find_use (edit, value, NULL, NULL);
  EnsNode *reader = NULL;

  if (use != NULL && !g_hash_table_contains (edit->outputs, value)
      && find_use (edit, value, use->node, use->node) == NULL && reads_once (use->node, use->input))
    reader = use->node;
  return_edit (graph, edit);
  return reader;
}

/* ---- Changes ---- */

static gboolean
replace_outputs (EnsGraph *graph, const EnsValue *from, EnsValue *to)
{
  if (!ens_graph_is_output (graph, from))
    return FALSE;
  for (guint i = 0; i < graph->outputs->len; i++)
    if (g_ptr_array_index (graph->outputs, i) == from)
      g_ptr_array_index (graph->outputs, i) = to;
  if (graph->edit != NULL) {
    g_hash_table_remove (graph->edit->outputs, from);
    g_hash_table_add (graph->edit->outputs, to);
  }
  return TRUE;
}

gboolean
ens_graph_replace_uses (EnsGraph *graph, const EnsValue *from, EnsValue *to)
{
  EnsGraphEdit *edit = borrow_edit (graph);
  const GArray *uses = get_uses (edit, from);
  gboolean any = replace_outputs (graph, from, to);

  for (guint i = 0; from != to && uses != NULL && i < uses->len; i++) {
    const Use use = g_array_index (uses, Use, i);

    if (!is_current (edit, &use, from))
      continue;
    ens_node_set_input (graph, use.node, use.input, to);
    any = TRUE;
  }
  return_edit (graph, edit);
  return any;
}

void
ens_node_resize_inputs (EnsNode *node, guint n_inputs)
{
  node->inputs = g_renew (EnsValue *, node->inputs, n_inputs);
  for (guint i = node->n_inputs; i < n_inputs; i++)
    node->inputs[i] = NULL;
  node->n_inputs = n_inputs;
}

void
ens_node_set_input (EnsGraph *graph, EnsNode *node, guint i, EnsValue *value)
{
  if (i >= node->n_inputs)
    ens_node_resize_inputs (node, i + 1);
  node->inputs[i] = value;
  if (graph->edit != NULL)
    note_use (graph->edit, value, node, i);
}

void
ens_graph_drop_node (EnsGraph *graph, EnsNode *node)
{
  g_return_if_fail (graph->edit != NULL);

  g_hash_table_add (graph->edit->dropped, node);
}

/* The node will stand before another one when the edit ends. */
static void
arrive (EnsGraphEdit *edit, EnsNode *node, const EnsNode *before)
{
  GPtrArray *arriving = g_hash_table_lookup (edit->arriving, before);

  if (arriving == NULL) {
    arriving = g_ptr_array_new ();
    g_hash_table_insert (edit->arriving, (gpointer)before, arriving);
  }
  g_ptr_array_add (arriving, node);
  g_hash_table_insert (edit->moved, node, arriving);
}

EnsValue *
ens_graph_insert (EnsGraph *graph, const EnsNode *before, const EnsOp *op, gconstpointer params,
                  EnsValue *const *inputs, guint n_inputs)
{
  EnsNode *node;
  guint position = 0;

  g_return_val_if_fail (params != NULL || op->params_size == 0, NULL);
  g_return_val_if_fail (graph->edit != NULL || g_ptr_array_find (graph->nodes, before, &position),
                        NULL);

  node = ens_graph_make_node (graph, op, NULL, params, inputs, n_inputs, 1);
  ens_graph_note_node (graph, node);
  if (graph->edit != NULL)
    arrive (graph->edit, node, before);
  else
    g_ptr_array_insert (graph->nodes, (gint)position, node);
  return node->outputs[0];
}

void
ens_graph_move_node (EnsGraph *graph, EnsNode *node, const EnsNode *before)
{
  guint from, to;

  if (node == before)
    return;
  if (graph->edit != NULL) {
    GPtrArray *list = g_hash_table_lookup (graph->edit->moved, node);

    if (list != NULL)
      g_ptr_array_remove (list, node);
    arrive (graph->edit, node, before);
    return;
  }
  g_ptr_array_find (graph->nodes, node, &from);
  g_ptr_array_steal_index (graph->nodes, from);
  g_ptr_array_find (graph->nodes, before, &to);
  g_ptr_array_insert (graph->nodes, (gint)to, node);
}
