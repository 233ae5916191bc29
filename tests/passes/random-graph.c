/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random-graph.h"

#include "check-main.h"
#include "graph/infer.h"

#define N_NODES 25
#define MAX_ELEMENTS 6000

static EnsValue *
choose (Builder *b, GPtrArray *values)
{
  return g_ptr_array_index (values, g_rand_int_range (b->rand, 0, (int)values->len));
}

/* Another value whose shape differs at most along `axis`, or the same one. */
static EnsValue *
choose_like (Builder *b, GPtrArray *values, const EnsValue *like, int axis)
{
  for (guint i = 0; i < 20; i++) {
    EnsValue *value = choose (b, values);
    EnsShape shape = value->shape;

    if (axis >= 0 && shape.rank > (guint)axis)
      shape.dims[axis] = like->shape.dims[axis];
    if (ens_shape_equal (&shape, &like->shape))
      return value;
  }
  return (EnsValue *)like;
}

static EnsValue *
add_concat (Builder *b, GPtrArray *values, EnsValue *x, int axis)
{
  EnsValue *inputs[3] = {x};
  guint n = (guint)g_rand_int_range (b->rand, 2, 4);

  for (guint i = 1; i < n; i++)
    inputs[i] = choose_like (b, values, x, axis);
  return build_concat (b, axis, inputs, n);
}

static EnsValue *
add_split (Builder *b, GPtrArray *values, EnsValue *x)
{
  EnsSplitParams params = {.axis = 3, .n_sizes = 2, .sizes = {1, x->shape.dims[3] - 1}};
  g_autoptr (GError) error = NULL;
  EnsNode *node;

  if (x->shape.dims[3] < 2)
    return x;
  node = ens_graph_add_node (b->graph, ens_op_find ("Split"), NULL, &params, &x, 1, 2);
  ens_infer_node (node, FALSE, &error);
  ck_assert_no_error (error);
  g_ptr_array_add (values, node->outputs[1]);
  return node->outputs[0];
}

static EnsValue *
add_pool (Builder *b, EnsValue *x)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};

  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    pool.sliding.kernel[i] = 3;
    pool.sliding.pads_begin[i] = pool.sliding.pads_end[i] = 1;
  }
  return build (b, "MaxPool", &pool, x, NULL);
}

static EnsValue *
add_random (Builder *b, GPtrArray *values)
{
  EnsValue *x = choose (b, values);

  switch (g_rand_int_range (b->rand, 0, 12)) {
  case 0:
    return build_conv (b, x, (ConvRow) {.filters = g_rand_int_range (b->rand, 1, 20)});
  case 1:
    return build_conv (b, x, (ConvRow) {.filters = x->shape.dims[3], .kernel = 3, .pad = 1});
  case 2:
    return build (b, "Relu", NULL, x, NULL);
  case 3:
    return build (b, "Add", NULL, x, choose_like (b, values, x, -1), NULL);
  case 4:
    return add_concat (b, values, x, 0);
  case 5:
    return add_concat (b, values, x, 1);
  case 6:
    return add_split (b, values, x);
  case 7:
    return add_pool (b, x);
  case 8:
    return build (b, "Softmax", &(EnsSoftmaxParams) {.axis = -1}, x, NULL);
  case 9: {
    EnsShape shape = x->shape;

    shape.dims[1] *= shape.dims[2];
    shape.dims[2] = 1;
    return build_reshape (b, x, &shape);
  }
  default:
    return add_concat (b, values, x, 3);
  }
}

void
build_random_graph (Builder *b)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  gint64 batch = g_rand_int_range (b->rand, 1, 3);

  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (values, build_input (b, &ENS_SHAPE (batch, 5, 4, 3)));
  for (guint i = 0; i < N_NODES; i++) {
    EnsValue *value = add_random (b, values);

    if (ens_shape_elements (&value->shape) < MAX_ELEMENTS)
      g_ptr_array_add (values, value);
  }
  ens_graph_add_output (b->graph, g_ptr_array_index (values, values->len - 1));
  for (guint i = 0; i < 2; i++)
    ens_graph_add_output (b->graph, choose (b, values));
  ens_graph_remove_unused (b->graph);
}

void
assert_outputs (const EnsGraph *graph, const GPtrArray *found, const GPtrArray *expected)
{
  for (guint i = 0; i < expected->len; i++) {
    const EnsTensor *a = g_ptr_array_index (found, i), *b = g_ptr_array_index (expected, i);
    gsize n = (gsize)ens_shape_elements (&b->shape);

    ck_assert (ens_shape_equal (&a->shape, &b->shape));
    if (relative_error (a->data, b->data, n) < 1e-4)
      continue;
    g_autofree char *text = ens_graph_to_string (graph);
    ck_abort_msg ("output %u differs of\n%s", i, text);
  }
}
