/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network as a graph: nodes apply operators to values.
 *
 * Inputs and outputs of rank 4 are NHWC, and so is all that operators on spatial maps read and
 * write; between them and operators that ask for ONNX's order stand Transposes. Nodes stand in
 * topological order: a node's inputs are graph inputs, constants, or outputs of earlier nodes. The
 * graph owns its nodes and values; constants are shared, so that copies of a graph hold the weights
 * once. A graph is not locked: one thread at a time may change it, any number may read it. */
#pragma once

#include "base/error.h"
#include "base/tensor.h"

typedef struct _EnsOp EnsOp;
typedef struct _EnsGraph EnsGraph;
typedef struct _EnsNode EnsNode;
typedef struct _EnsValue EnsValue;

struct _EnsValue {
  char *name;  /* unique in the graph */
  guint index; /* position in graph->values, for tables beside the graph */
  EnsType type;
  EnsShape shape;      /* dimensions of -1 are not known before shapes are inferred */
  EnsTensor *constant; /* contents known before running, or NULL */
  EnsNode *producer;   /* NULL for graph inputs and constants */
};

struct _EnsNode {
  char *name; /* unique; of imported nodes the file's name, which error messages quote */
  const EnsOp *op;
  gpointer params; /* op->params_size bytes of plain data, NULL if 0 */
  guint n_inputs, n_outputs;
  EnsValue **inputs; /* an optional input that is absent is NULL */
  EnsValue **outputs;
};

struct _EnsGraph {
  char *name;
  GPtrArray *values;         /* EnsValue, owned */
  GPtrArray *nodes;          /* EnsNode, owned, topological order */
  GPtrArray *inputs;         /* EnsValue */
  GPtrArray *outputs;        /* EnsValue */
  GPtrArray *notes;          /* char *: what its users should know of how it was loaded */
  GHashTable *by_name;       /* name → EnsValue */
  GHashTable *nodes_by_name; /* name → EnsNode */
  /*< private >*/
  GHashTable *numbers; /* name → the last number appended to it */
  struct _EnsGraphEdit *edit;
};

/* The input, or NULL if it is absent. */
static inline EnsValue *
ens_node_input (const EnsNode *node, guint i)
{
  return i < node->n_inputs ? node->inputs[i] : NULL;
}

static inline EnsTensor *
ens_node_constant (const EnsNode *node, guint i)
{
  EnsValue *input = ens_node_input (node, i);

  return input != NULL ? input->constant : NULL;
}

/* The name is what messages call the network, such as its file's. (transfer full) */
EnsGraph *ens_graph_new (const char *name);
void ens_graph_free (EnsGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsGraph, ens_graph_free)

/* A deep copy that shares constants. Indices and names stay the same. (transfer full) */
EnsGraph *ens_graph_copy (const EnsGraph *graph);

/* Building. A name that is taken already gets a number appended; NULL makes one up. Returned values
 * and nodes belong to the graph. */
EnsValue *ens_graph_add_input (EnsGraph *graph, const char *name, EnsType type,
                               const EnsShape *shape);
EnsValue *ens_graph_add_constant (EnsGraph *graph, const char *name, EnsTensor *tensor);
/* Appends a node with new output values, the first named as the node, further ones "NAME:1" …
 * `params` is copied. */
EnsNode *ens_graph_add_node (EnsGraph *graph, const EnsOp *op, const char *name,
                             gconstpointer params, EnsValue *const *inputs, guint n_inputs,
                             guint n_outputs);
/* The common case: an operator of one output, inputs listed up to a NULL. Returns the output. */
EnsValue *ens_graph_apply (EnsGraph *graph, const EnsOp *op, gconstpointer params, EnsValue *input,
                           ...) G_GNUC_NULL_TERMINATED;
void ens_graph_add_output (EnsGraph *graph, EnsValue *value);
/* Gives a value another name (numbered if taken). */
void ens_graph_rename (EnsGraph *graph, EnsValue *value, const char *name);
void ens_graph_rename_node (EnsGraph *graph, EnsNode *node, const char *name);

/* Appends all nodes of `part` to the graph, `bindings[i]` standing for part->inputs[i]; constants
 * are shared, and a constant that the graph holds already is used again. Names become
 * "PREFIX/NAME" (prefix NULL: stay). Returns a table from part's value indices to the graph's
 * values. (transfer container) */
GPtrArray *ens_graph_embed (EnsGraph *graph, const EnsGraph *part, const char *prefix,
                            EnsValue *const *bindings);

/* NULL if there is none of that name. */
EnsValue *ens_graph_find (const EnsGraph *graph, const char *name);
/* NULL if there are more, or none. */
EnsValue *ens_graph_only_input (const EnsGraph *graph);

/* One sentence for people, without the network's name. */
void ens_graph_add_note (EnsGraph *graph, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* All of them, up to a NULL. (transfer full) */
char **ens_graph_get_notes (const EnsGraph *graph);

/* Rewriting. What follows finds readers and places by searching all nodes; between these two calls
 * it looks them up, so that a rewrite of n nodes takes n steps, not n². There, nodes that are
 * inserted or moved come among graph->nodes at the end, and inputs are set by ens_node_set_input ()
 * alone. */
void ens_graph_begin_edit (EnsGraph *graph);
void ens_graph_end_edit (EnsGraph *graph);
/* While the graph is edited: nothing reads the node's outputs any longer, and what it reads does
 * not count. */
void ens_graph_drop_node (EnsGraph *graph, EnsNode *node);

gboolean ens_graph_is_output (const EnsGraph *graph, const EnsValue *value);
/* Whether a node reads the value, or it is an output. */
gboolean ens_graph_is_read (const EnsGraph *graph, const EnsValue *value);
/* Whether nothing but these nodes, which may be the same, reads the value. */
gboolean ens_graph_is_read_by (const EnsGraph *graph, const EnsValue *value, const EnsNode *a,
                               const EnsNode *b);
/* The only node that reads the value, or NULL if there are more, none, or it is an output. */
EnsNode *ens_graph_only_reader (const EnsGraph *graph, const EnsValue *value);
/* Nodes and graph outputs that read `from` read `to` afterwards. Returns whether any did. */
gboolean ens_graph_replace_uses (EnsGraph *graph, const EnsValue *from, EnsValue *to);
/* Replaces one input, which may be one further than there are. */
void ens_node_set_input (EnsGraph *graph, EnsNode *node, guint i, EnsValue *value);
/* Inserts a node of one output before node `before` and returns its output. */
EnsValue *ens_graph_insert (EnsGraph *graph, const EnsNode *before, const EnsOp *op,
                            gconstpointer params, EnsValue *const *inputs, guint n_inputs);
/* Moves a node to directly before another one. */
void ens_graph_move_node (EnsGraph *graph, EnsNode *node, const EnsNode *before);
/* Makes a node another operator's. Inputs and outputs stay; it gets further outputs. `params` is
 * copied. */
void ens_graph_change_node (EnsGraph *graph, EnsNode *node, const EnsOp *op, gconstpointer params,
                            guint n_outputs);
/* Resizes a node's inputs; new ones are absent. */
void ens_node_resize_inputs (EnsNode *node, guint n_inputs);
/* How often each value is read by nodes and graph outputs, by value index. (transfer full) */
guint *ens_graph_count_uses (const EnsGraph *graph);
/* Removes nodes and constants that no output depends on, and renumbers values. Inputs stay. What
 * was folded depends on nothing. */
void ens_graph_remove_unused (EnsGraph *graph);

/* Checks the structure: order, producers, names, numbers of inputs and outputs. */
gboolean ens_graph_validate (const EnsGraph *graph, GError **error);
/* One line for each input, node and output: names, types, shapes, operator, attributes:
 *
 *   input data: float32 1x32x32x3
 *   relu1: float32 1x32x32x8 = Conv (data, weight<8x3x3x3>, -) pads=[1, 1, 1, 1]
 *   output relu1: float32 1x32x32x8
 *
 * (transfer full) */
char *ens_graph_to_string (const EnsGraph *graph);
