/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GatherElements and GatherND: elements, or runs of elements, whose places input 1 tells. */
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <string.h>

#include "push/gather.h"

typedef struct {
  gint64 batch; /* axes that data and indices have in common */
} TuplesParams;

static const EnsAttribute elements_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAxisParams, axis)}, ENS_ATTRIBUTE_END};
static const EnsAttribute tuples_attributes[] = {{"batch_dims", ENS_ATTRIBUTE_INT,
                                                  ENS_MEMBER (TuplesParams, batch), .min = 0,
                                                  .max = ENS_MAX_RANK, .since = 12},
                                                 ENS_ATTRIBUTE_END};

/* Shapes */

static gboolean
find_elements (const EnsOperands *operands, EnsIndexing *indexing, GError **error)
{
  const EnsAxisParams *params = operands->params;

  *indexing = (EnsIndexing) {0};
  return ens_check_axis (operands, params->axis, operands->inputs[0]->shape.rank, &indexing->axis,
                         error);
}

static gboolean
find_tuples (const EnsOperands *operands, EnsIndexing *indexing, GError **error)
{
  *indexing = (EnsIndexing) {.tuples = TRUE,
                             .batch = (guint)((const TuplesParams *)operands->params)->batch};
  return TRUE;
}

typedef gboolean (*FindFunc) (const EnsOperands *operands, EnsIndexing *indexing, GError **error);

static gboolean
set_shape (EnsOperands *operands, FindFunc find, GError **error)
{
  EnsIndexing indexing;
  EnsShape shape;

  return find (operands, &indexing, error)
         && ens_check_indexing (operands, &indexing, &shape, error)
         && ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

static gboolean
elements_shape (EnsOperands *operands, GError **error)
{
  return set_shape (operands, find_elements, error);
}

static gboolean
tuples_shape (EnsOperands *operands, GError **error)
{
  return set_shape (operands, find_tuples, error);
}

static void
gather (const EnsOperands *operands, FindFunc find)
{
  const EnsView *data = operands->inputs[0], *y = operands->outputs[0];
  EnsIndexing indexing;
  gsize run = find (operands, &indexing, NULL) ? ens_indexing_run (operands, &indexing) : 0;
  gsize size = run * ens_type_size (data->type), n = run > 0 ? ens_view_elements (y) / run : 0;

  for (gsize i = 0; i < n; i++)
    memcpy ((char *)y->data + i * size,
            (const char *)data->data + ens_indexing_find (operands, &indexing, i) * size, size);
}

static void
elements_reference (const EnsOperands *operands)
{
  gather (operands, find_elements);
}

static void
tuples_reference (const EnsOperands *operands)
{
  gather (operands, find_tuples);
}

/* Invocations of a workgroup, and elements of each. */
#define GROUP 128
#define LANES 4

/* Indices that the network computes are the CPU's to follow. */
static gboolean
record (const EnsOperands *operands, EnsCommands *commands, FindFunc find)
{
  const EnsView *y = operands->outputs[0];
  EnsIndexing indexing;
  gsize run = find (operands, &indexing, NULL) ? ens_indexing_run (operands, &indexing) : 0;
  gsize n = run > 0 ? ens_view_elements (y) / run : 0;
  EnsGatherPush push = {.n_indices = (guint32)n, .rows = (guint32)n, .columns = (guint32)run};
  EnsDispatch dispatch = {
      .shader = "gather", .n_bindings = 3, .push = &push, .push_size = sizeof push};
  g_autofree guint32 *places = g_new (guint32, n);

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage) || operands->inputs[1]->data == NULL)
    return FALSE;
  if (n == 0)
    return TRUE;
  for (gsize i = 0; i < n; i++)
    places[i] = (guint32)ens_indexing_find (operands, &indexing, i);
  dispatch.bindings[0] = (EnsBinding) {operands->inputs[0], ENS_ACCESS_READ};
  dispatch.bindings[1] =
      (EnsBinding) {ens_commands_table (commands, places, n * sizeof *places), ENS_ACCESS_READ};
  dispatch.bindings[2] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  ens_commands_cover (commands, &dispatch, n * ((run + LANES - 1) / LANES), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
elements_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, find_elements);
}

static gboolean
tuples_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  return record (operands, commands, find_tuples);
}

static gboolean
elements_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsScatterParams params = {((const EnsAxisParams *)node->params)->axis, ENS_SCATTER_ADD};

  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_scatter_elements, &params,
                                            ens_gradient_zeroes (gradient, node->inputs[0]),
                                            node->inputs[1], gradient->outputs[0], NULL);
  return TRUE;
}

/* The number of the batch of each tuple, (batches, tuples, 1). */
static EnsValue *
number_batches (EnsGradient *gradient, gint64 batches, gint64 tuples)
{
  g_autofree char *name = g_strdup_printf ("%s:batches", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (batches, tuples, 1));

  for (gint64 i = 0; i < batches * tuples; i++)
    ((gint64 *)tensor->data)[i] = i / tuples;
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

static EnsShape
append_dims (EnsShape shape, const EnsShape *from, guint first)
{
  for (guint i = first; i < from->rank; i++)
    shape.dims[shape.rank++] = from->dims[i];
  return shape;
}

/* Batches become one more index of each tuple. */
static void
join_batches (EnsGradient *gradient, guint batch, EnsValue **dx, EnsValue **indices, EnsValue **dy)
{
  const EnsShape shape = (*indices)->shape;
  guint last = shape.rank - 1;
  gint64 batches = ens_shape_span (&shape, 0, batch), tuples = ens_shape_span (&shape, batch, last);
  const EnsShape dx_shape = append_dims (ENS_SHAPE (batches), &(*dx)->shape, batch);
  const EnsShape dy_shape = append_dims (ENS_SHAPE (batches, tuples), &(*dy)->shape, last);

  *dx = ens_gradient_reshape (gradient, *dx, &dx_shape);
  *dy = ens_gradient_reshape (gradient, *dy, &dy_shape);
  *indices =
      ens_gradient_reshape (gradient, *indices, &ENS_SHAPE (batches, tuples, shape.dims[last]));
  *indices = ens_gradient_apply (gradient, &ens_op_concat, &(EnsAxisParams) {2},
                                 number_batches (gradient, batches, tuples), *indices, NULL);
}

static gboolean
tuples_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  guint batch = (guint)((const TuplesParams *)node->params)->batch;
  EnsValue *dx = ens_gradient_zeroes (gradient, node->inputs[0]), *dy = gradient->outputs[0];
  EnsValue *indices = ens_gradient_cast (gradient, node->inputs[1], ENS_TYPE_INT64);

  if (batch > 0)
    join_batches (gradient, batch, &dx, &indices, &dy);
  dx = ens_gradient_apply (gradient, &ens_op_scatter_nd, &(EnsScatterParams) {0, ENS_SCATTER_ADD},
                           dx, indices, dy, NULL);
  gradient->inputs[0] = ens_gradient_reshape (gradient, dx, &node->inputs[0]->shape);
  return TRUE;
}

/* Each image has indices of its own. */

static gboolean
elements_per_image (const EnsNode *node)
{
  return node->inputs[0]->constant == NULL && node->inputs[1]->constant == NULL
         && !ens_axis_is_batch (node, ((const EnsAxisParams *)node->params)->axis);
}

static gboolean
tuples_per_image (const EnsNode *node)
{
  return node->inputs[0]->constant == NULL && node->inputs[1]->constant == NULL
         && ((const TuplesParams *)node->params)->batch > 0;
}

static const EnsOpExample elements_examples[] = {{"5 =[2,0,4]", &(const EnsAxisParams) {0}},
                                                 {NULL}};
static const EnsOpExample tuples_examples[] = {{"5x3x4 =[2,1]", &(const TuplesParams) {0}}, {NULL}};

#define GATHER_OP(op, id, onnx, params, table)               \
  const EnsOp ens_op_##op = {.name = onnx,                   \
                             .min_inputs = 2,                \
                             .max_inputs = 2,                \
                             .min_outputs = 1,               \
                             .max_outputs = 1,               \
                             .layout = ENS_LAYOUT_PLAIN,     \
                             .params_size = sizeof (params), \
                             .versions = {.since = 11},      \
                             .attributes = table,            \
                             .shape = id##_shape,            \
                             .reference = id##_reference,    \
                             .gpu = id##_gpu,                \
                             .gradient = id##_gradient,      \
                             .per_image = id##_per_image,    \
                             .example = id##_examples}

GATHER_OP (gather_elements, elements, "GatherElements", EnsAxisParams, elements_attributes);
GATHER_OP (gather_nd, tuples, "GatherND", TuplesParams, tuples_attributes);
