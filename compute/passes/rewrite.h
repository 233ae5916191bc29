/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What passes share: looking at graphs and changing them. */
#pragma once

#include "graph/op.h"

static inline EnsValue *
ens_graph_value (const EnsGraph *graph, guint i)
{
  return g_ptr_array_index (graph->values, i);
}

static inline EnsNode *
ens_graph_node (const EnsGraph *graph, guint i)
{
  return g_ptr_array_index (graph->nodes, i);
}

/* Elements of a run of the last dimension, and how many runs there are. */
static inline gint64
ens_shape_run (const EnsShape *shape)
{
  return shape->rank > 0 ? shape->dims[shape->rank - 1] : 1;
}

static inline gint64
ens_shape_runs (const EnsShape *shape)
{
  return shape->rank > 0 ? ens_shape_span (shape, 0, shape->rank - 1) : 1;
}

/* Bytes of a value's elements when they are dense. */
static inline gsize
ens_value_size (const EnsValue *value)
{
  return (gsize)ens_shape_elements (&value->shape) * ens_type_size (value->type);
}

/* Types of which kernels take a further step before they store. */
static inline gboolean
ens_type_fuses (EnsType type)
{
  return type == ENS_TYPE_FLOAT32 || type == ENS_TYPE_FLOAT16;
}

gboolean ens_node_is (const EnsNode *node, const char *op);
/* Elementwise arithmetic of this kind with two inputs and nothing behind it. */
gboolean ens_node_is_plain (const EnsNode *node, EnsOpKind kind);
/* The number of a constant of one element that changes no shape of this rank; FALSE: it is none. */
gboolean ens_value_read_number (const EnsValue *value, guint rank, double *number);

/* Changes the graph at a node and returns whether it did. */
typedef gboolean (*EnsRewrite) (EnsGraph *graph, EnsNode *node);

/* Calls rewrite () with each node of the graph in order, but not with those that it inserts, within
 * ens_graph_begin_edit () and ens_graph_end_edit (). Returns whether it changed anything. */
gboolean ens_graph_rewrite (EnsGraph *graph, EnsRewrite rewrite);
/* The same from the last node to the first: for rewrites that change what reads a node, of which a
 * chain is then done at once. */
gboolean ens_graph_rewrite_backwards (EnsGraph *graph, EnsRewrite rewrite);

/* A node to be inserted. name: NULL for one made up. */
typedef struct {
  const char *op, *name;
  gconstpointer params;
  EnsValue *inputs[4]; /* an absent one between others is NULL */
  guint n_inputs;
} EnsNewNode;

/* Inserts a node of one output before another one and returns it. */
EnsNode *ens_graph_insert_node (EnsGraph *graph, const EnsNode *before, const EnsNewNode *node);

/* value = input · number … */
typedef struct {
  EnsValue *input;
  double number;
} EnsScaled;

/* … by one product or quotient, both of the same shape. FALSE: it is no such thing. */
gboolean ens_value_read_scaled (const EnsValue *value, EnsScaled *scaled);

/* Inserts a Reshape, shapes inferred, before a node and returns its output. */
EnsValue *ens_graph_insert_reshape (EnsGraph *graph, const EnsNode *before, EnsValue *value,
                                    const EnsShape *shape);
/* The same for a Transpose: axis i of the result is axis perm[i] of the value, which is returned if
 * none moves. */
EnsValue *ens_graph_insert_transpose (EnsGraph *graph, const EnsNode *before, EnsValue *value,
                                      const gint64 *perm);
/* The value, or what it is a view of, that has this shape; NULL: there is none. */
EnsValue *ens_value_find_view (EnsValue *value, const EnsShape *shape);
/* The order of a Transpose's axes, ≥ 0, however the node spells it; perm: ENS_MAX_RANK. */
void ens_node_get_perm (const EnsNode *node, gint64 *perm);

/* Sets types and shapes of computed values to those that they have with inputs of these shapes;
 * the graph stays open. */
gboolean ens_graph_infer_sample (EnsGraph *graph, const EnsShape *input_shapes, GError **error);

/* A float32 vector as a new constant. (transfer none) */
EnsValue *ens_graph_add_vector (EnsGraph *graph, const char *name, const float *data, gint64 n);

/* The constant's elements as one factor per channel: a float32 tensor of one element, or of
 * `n_channels` along the last axis of at most `rank`. FALSE if it is anything else. */
gboolean ens_constant_as_channels (const EnsTensor *constant, guint rank, gint64 n_channels,
                                   float *channels);
