#include "passes/per-image.h"

#include <string.h>

#include "ops/params.h"
#include "passes/rewrite.h"

typedef struct {
  gint64 batch;
  gboolean *carries; /* by value index: a batch of images, one after the other */
} PerImage;

typedef gboolean (*Check) (const PerImage *images, const EnsNode *node);

static gboolean
carries (const PerImage *images, const EnsValue *value)
{
  return images->carries[value->index];
}

static gboolean
is_batch_axis (const EnsNode *node, gint64 axis)
{
  return axis == 0 || axis == -(gint64)node->inputs[0]->shape.rank;
}

/* Every input after the first is a constant. */
static gboolean
has_constants (const EnsNode *node)
{
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
      return FALSE;
  return TRUE;
}

/* Broadcasting: no constant has images of its own, and all that has them has them first. */
static gboolean
check_elementwise (const PerImage *images, const EnsNode *node)
{
  guint rank = node->outputs[0]->shape.rank;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    if (input->constant != NULL ? input->shape.rank == rank && input->shape.dims[0] != 1
                                : input->shape.rank != rank)
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_concat (const PerImage *images, const EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (!carries (images, node->inputs[i]))
      return FALSE;
  return !is_batch_axis (node, ((const EnsAxisParams *)node->params)->axis);
}

static gboolean
check_split (const PerImage *images, const EnsNode *node)
{
  return has_constants (node)
         && !is_batch_axis (node, ((const EnsSplitParams *)node->params)->axis);
}

static gboolean
check_softmax (const PerImage *images, const EnsNode *node)
{
  return !is_batch_axis (node, ((const EnsSoftmaxParams *)node->params)->axis);
}

static gboolean
check_reduce (const PerImage *images, const EnsNode *node)
{
  const EnsReduceParams *params = node->params;

  for (guint i = 0; i < params->axes.n; i++)
    if (is_batch_axis (node, params->axes.values[i]))
      return FALSE;
  return node->n_inputs == 1 && params->axes.n > 0;
}

static gboolean
check_transpose (const PerImage *images, const EnsNode *node)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;

  return perm->n > 0 && perm->values[0] == 0;
}

static gboolean
check_slice (const PerImage *images, const EnsNode *node)
{
  const EnsList *axes = &((const EnsSliceParams *)node->params)->axes;

  for (guint i = 0; i < axes->n; i++)
    if (is_batch_axis (node, axes->values[i]))
      return FALSE;
  return node->n_inputs == 1 && axes->n > 0;
}

static gboolean
check_pad (const PerImage *images, const EnsNode *node)
{
  const EnsPadParams *params = node->params;

  return params->has_pads && ens_node_input (node, 1) == NULL && ens_node_input (node, 3) == NULL
         && params->begin[0] == 0 && params->end[0] == 0;
}

static gboolean
check_gemm (const PerImage *images, const EnsNode *node)
{
  const EnsValue *c = ens_node_input (node, 2);

  return !((const EnsGemmParams *)node->params)->trans_a && has_constants (node)
         && (c == NULL || c->shape.rank < 2 || c->shape.dims[0] == 1);
}

static gboolean
check_matmul (const PerImage *images, const EnsNode *node)
{
  const EnsShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;

  if (node->inputs[1]->constant != NULL)
    return a->rank >= 2 && b->rank <= 2;
  return a->rank >= 3 && a->rank == b->rank;
}

static const struct {
  const char *op;
  Check check;
} checks[] = {
    {"Concat", check_concat},      {"Split", check_split},       {"Softmax", check_softmax},
    {"LogSoftmax", check_softmax}, {"ReduceMean", check_reduce}, {"ReduceSum", check_reduce},
    {"ReduceMax", check_reduce},   {"ReduceL2", check_reduce},   {"Transpose", check_transpose},
    {"Slice", check_slice},        {"Pad", check_pad},           {"Gemm", check_gemm},
    {"MatMul", check_matmul},
};

static gboolean
check_kind (const PerImage *images, const EnsNode *node)
{
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (ens_node_is (node, checks[i].op))
      return checks[i].check (images, node);
  /* A view keeps the order of elements, and both have as many images; spatial operators are for
   * (N, spatial …, C) by definition. */
  if ((node->op->flags & ENS_OP_VIEW) || node->op->layout == ENS_LAYOUT_SPATIAL)
    return has_constants (node);
  /* What can be computed in place works element by element. */
  if (node->op->layout == ENS_LAYOUT_FOLLOWS && (node->op->flags & ENS_OP_IN_PLACE))
    return check_elementwise (images, node);
  return FALSE;
}

static gboolean
has_images (const PerImage *images, const EnsValue *value)
{
  return value->shape.rank > 0 && value->shape.dims[0] == images->batch;
}

static gboolean
check_node (const PerImage *images, const EnsNode *node)
{
  gboolean any = FALSE;

  for (guint i = 0; i < node->n_outputs; i++)
    if (!has_images (images, node->outputs[i]))
      return FALSE;
  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL || input->constant != NULL)
      continue;
    if (!carries (images, input))
      return FALSE;
    any = TRUE;
  }
  return any && check_kind (images, node);
}

static gboolean
is_known (const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i]->constant == NULL)
      return FALSE;
  return TRUE;
}

gboolean *
ens_graph_find_per_image (const EnsGraph *graph, gint64 batch)
{
  g_autofree gboolean *carried = g_new0 (gboolean, graph->values->len);
  gboolean *per_image = g_new0 (gboolean, graph->nodes->len);
  PerImage images = {batch, carried};

  for (guint i = 0; i < graph->inputs->len; i++) {
    const EnsValue *input = g_ptr_array_index (graph->inputs, i);

    carried[input->index] = has_images (&images, input);
  }
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    per_image[i] = is_known (node) || check_node (&images, node);
    for (guint j = 0; j < node->n_outputs; j++)
      carried[node->outputs[j]->index] = per_image[i] && !is_known (node);
  }
  return per_image;
}
