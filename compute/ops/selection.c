/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TopK, OneHot, NonZero, Compress: which elements, and where they are. They belong to the
 * arithmetic of indices, or stand behind what a classifier computes: references are enough. */
#include "graph/infer.h"
#include "ops/example.h"
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>

/* TopK. Equal elements keep their order; NaNs are equal, and larger than all numbers. */

typedef struct {
  gint64 axis;
  gint64 k; /* up to opset 9; else input 1 */
  gboolean largest;
} TopParams;

static const EnsAttribute top_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (TopParams, axis), .integer = -1},
    {"k", ENS_ATTRIBUTE_INT, ENS_MEMBER (TopParams, k), .integer = -1, .input = 1,
     .input_since = 10},
    {"largest", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (TopParams, largest), .integer = 1, .since = 11},
    {"sorted", ENS_ATTRIBUTE_IGNORED, .since = 11}, /* they always are */
    ENS_ATTRIBUTE_END};

static gboolean
top_permute (gpointer params, guint rank, const guint *map)
{
  ens_permute_axis (&((TopParams *)params)->axis, rank, map);
  return TRUE;
}

static gboolean
find_k (const EnsOperands *operands, gint64 *k, GError **error)
{
  *k = ((const TopParams *)operands->params)->k;
  return ens_check_number (operands, 1, k, error);
}

static gboolean
top_shape (EnsOperands *operands, GError **error)
{
  const TopParams *params = operands->params;
  EnsShape shape = operands->inputs[0]->shape;
  guint axis;
  gint64 k;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_axis (operands, params->axis, shape.rank, &axis, error)
      || !find_k (operands, &k, error))
    return FALSE;
  if (k < 0 || k > shape.dims[axis])
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "k is %" G_GINT64_FORMAT ", expected 0 to %" G_GINT64_FORMAT, k,
                         shape.dims[axis]);
  shape.dims[axis] = k;
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error)
         && ens_set_output (operands, 1, ENS_TYPE_INT64, &shape, error);
}

/* Larger numbers come first. */
typedef struct {
  int unordered;  /* of a NaN: which is larger than all numbers */
  double value;   /* of an integer the nearest … */
  gint64 integer; /* … and itself, for those that double precision can't tell apart */
  gsize index;
} Candidate;

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;

  if (x->unordered != y->unordered)
    return x->unordered > y->unordered ? -1 : 1;
  if (x->value != y->value)
    return x->value > y->value ? -1 : 1;
  if (x->integer != y->integer)
    return x->integer > y->integer ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

/* Element `at` of x, turned round if the least come first. */
static Candidate
make_candidate (const EnsView *x, gsize at, gsize index, gboolean largest)
{
  double value = ens_view_real (x, at);
  gint64 integer = ens_type_is_real (x->type) ? 0 : ens_view_integer (x, at);

  if (isnan (value))
    return (Candidate) {.unordered = largest ? 1 : -1, .index = index};
  return (Candidate) {0, largest ? value : -value, largest ? integer : ~integer, index};
}

static void
top_line (const EnsOperands *operands, const EnsLines *lines, gsize line, Candidate *candidates)
{
  const TopParams *params = operands->params;
  const EnsView *x = operands->inputs[0];
  gsize start = line / lines->inner * lines->length * lines->inner + line % lines->inner;
  gsize k = ens_view_elements (operands->outputs[0]) / (lines->outer * lines->inner);
  gsize to = line / lines->inner * k * lines->inner + line % lines->inner;

  for (gsize i = 0; i < lines->length; i++)
    candidates[i] = make_candidate (x, start + i * lines->inner, i, params->largest);
  qsort (candidates, lines->length, sizeof *candidates, compare_candidates);
  for (gsize i = 0; i < k; i++, to += lines->inner) {
    ens_view_copy_element (operands->outputs[0], to, x, start + candidates[i].index * lines->inner);
    ens_view_set_integer (operands->outputs[1], to, (gint64)candidates[i].index);
  }
}

/* Lines are sorted. */
static double
top_visits (const EnsOperands *operands)
{
  double n = (double)ens_view_elements (operands->inputs[0]);

  return n * log2 (MAX (n, 2));
}

static void
top_reference (const EnsOperands *operands)
{
  const TopParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[0]->shape;
  g_autofree Candidate *candidates = NULL;
  EnsLines lines;
  guint axis = 0;

  ens_check_axis (operands, params->axis, shape->rank, &axis, NULL);
  lines = ens_lines_along (shape, axis, axis + 1);
  candidates = g_new (Candidate, lines.length + 1);
  for (gsize line = 0; line < lines.outer * lines.inner; line++)
    top_line (operands, &lines, line, candidates);
}

static gboolean
top_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const TopParams *params = node->params;

  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_scatter_elements,
                                            &(EnsScatterParams) {params->axis, ENS_SCATTER_ADD},
                                            ens_gradient_zeroes (gradient, node->inputs[0]),
                                            node->outputs[1], gradient->outputs[0], NULL);
  return TRUE;
}

static gboolean
top_per_image (const EnsNode *node)
{
  return ens_per_image_with_constants (node)
         && !ens_axis_is_batch (node, ((const TopParams *)node->params)->axis);
}

static const EnsOpExample top_examples[] = {{"3x9 =[4]", &(const TopParams) {-1, -1, TRUE}},
                                            {NULL}};

const EnsOp ens_op_top_k = {.name = "TopK",
                            .min_inputs = 1,
                            .max_inputs = 2,
                            .min_outputs = 2,
                            .max_outputs = 2,
                            .layout = ENS_LAYOUT_FOLLOWS,
                            .params_size = sizeof (TopParams),
                            .attributes = top_attributes,
                            .permute = top_permute,
                            .shape = top_shape,
                            .visits = top_visits,
                            .reference = top_reference,
                            .gradient = top_gradient,
                            .per_image = top_per_image,
                            .example = top_examples};

/* OneHot: along a new axis of the length that input 1 says, input 2's second value where the index
 * is, its first elsewhere. */

static const EnsAttribute hot_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsAxisParams, axis), .integer = -1},
    ENS_ATTRIBUTE_END};

/* Input 1 may be a real number. */
static gboolean
find_depth (const EnsOperands *operands, gint64 *depth, GError **error)
{
  const EnsView *view = operands->inputs[1];

  *depth = 0;
  if (view->data == NULL || ens_view_elements (view) != 1)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "input 1, the depth, is not one number known before running");
  *depth = ens_view_integer (view, 0);
  return *depth > 0
         || ens_op_error (operands, error, ENS_ERROR_SHAPE, "the depth is %" G_GINT64_FORMAT,
                          *depth);
}

static gboolean
hot_shape (EnsOperands *operands, GError **error)
{
  const EnsAxisParams *params = operands->params;
  const EnsShape *indices = &operands->inputs[0]->shape;
  EnsShape shape = {.rank = indices->rank + 1};
  gint64 depth;
  guint axis;

  if (!ens_check_type (operands, 0, ENS_TYPES_NUMBER, error)
      || !ens_check_rank (operands, 0, 0, ENS_MAX_RANK - 1, error)
      || !find_depth (operands, &depth, error) || !ens_check_vector (operands, 2, 2, error)
      || !ens_check_axis (operands, params->axis, shape.rank, &axis, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = i == axis ? depth : indices->dims[i < axis ? i : i - 1];
  return ens_set_output (operands, 0, operands->inputs[2]->type, &shape, error);
}

static void
hot_reference (const EnsOperands *operands)
{
  const EnsAxisParams *params = operands->params;
  const EnsView *indices = operands->inputs[0], *y = operands->outputs[0];
  gsize n = ens_view_elements (y);
  EnsLines lines;
  guint axis = 0;

  ens_check_axis (operands, params->axis, y->shape.rank, &axis, NULL);
  lines = ens_lines_along (&y->shape, axis, axis + 1);
  for (gsize i = 0; i < n; i++) {
    gsize from = i / (lines.length * lines.inner) * lines.inner + i % lines.inner;
    gint64 index = ens_view_integer (indices, from), length = (gint64)lines.length;
    gboolean hot = (index < 0 ? index + length : index) == (gint64)(i / lines.inner % lines.length);

    ens_view_copy_element (y, i, operands->inputs[2], hot ? 1 : 0);
  }
}

/* Of the two values: how much of the gradient stands where either was put. */
static gboolean
hot_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *dy = gradient->outputs[0], *zero = ens_gradient_number (gradient, dy->type, 0);
  EnsValue *one = ens_gradient_number (gradient, dy->type, 1), *values, *hot, *parts[2];

  zero = ens_gradient_reshape (gradient, zero, &ENS_SHAPE (1));
  one = ens_gradient_reshape (gradient, one, &ENS_SHAPE (1));
  values = ens_gradient_apply (gradient, &ens_op_concat, &(EnsAxisParams) {0}, zero, one, NULL);
  hot = ens_gradient_apply (gradient, node->op, node->params, node->inputs[0], node->inputs[1],
                            values, NULL);
  hot = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, hot, NULL);
  parts[1] = ens_gradient_sum_to (gradient, hot, &ENS_SHAPE (1));
  parts[0] =
      ens_gradient_apply (gradient, &ens_op_sub, NULL,
                          ens_gradient_sum_to (gradient, dy, &ENS_SHAPE (1)), parts[1], NULL);
  gradient->inputs[2] =
      ens_gradient_add (gradient, &ens_op_concat, &(EnsAxisParams) {0}, parts, 2, 1)->outputs[0];
  return TRUE;
}

/* Of the output, whose first axis is the indices' unless it is the new one. */
static gboolean
hot_per_image (const EnsNode *node)
{
  gint64 axis = ((const EnsAxisParams *)node->params)->axis;

  return ens_per_image_with_constants (node) && axis != 0
         && axis != -(gint64)node->outputs[0]->shape.rank;
}

static const EnsOpExample hot_examples[] = {{"=[2,0,4] =[5] =2", &(const EnsAxisParams) {-1}},
                                            {NULL}};

const EnsOp ens_op_one_hot = {.name = "OneHot",
                              .min_inputs = 3,
                              .max_inputs = 3,
                              .min_outputs = 1,
                              .max_outputs = 1,
                              .layout = ENS_LAYOUT_PLAIN,
                              .params_size = sizeof (EnsAxisParams),
                              .versions = {.since = 9},
                              .attributes = hot_attributes,
                              .shape = hot_shape,
                              .reference = hot_reference,
                              .gradient = hot_gradient,
                              .per_image = hot_per_image,
                              .example = hot_examples};

/* What decides on the size of a result has to be known. */
static gboolean
check_known (const EnsOperands *operands, guint input, GError **error)
{
  if (operands->inputs[input]->data != NULL)
    return TRUE;
  return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                       "the size of the result depends on the contents of input %u (“%s”), which "
                       "are not known before running",
                       input, operands->node->inputs[input]->name);
}

static gint64
count_non_zero (const EnsView *view)
{
  gsize n = ens_view_elements (view);
  gint64 found = 0;

  for (gsize i = 0; i < n; i++)
    found += ens_view_real (view, i) != 0;
  return found;
}

/* NonZero: the indices of elements that are not 0, one column each. */

static gboolean
non_zero_shape (EnsOperands *operands, GError **error)
{
  const EnsView *x = operands->inputs[0];

  return check_known (operands, 0, error)
         && ens_set_output (operands, 0, ENS_TYPE_INT64,
                            &ENS_SHAPE (MAX (x->shape.rank, 1), count_non_zero (x)), error);
}

static void
non_zero_reference (const EnsOperands *operands)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  gsize n = ens_view_elements (x), columns = (gsize)y->shape.dims[1], column = 0;

  for (gsize i = 0; i < n; i++) {
    gsize rest = i;

    if (ens_view_real (x, i) == 0)
      continue;
    if (x->shape.rank == 0)
      ens_view_set_integer (y, column, 0);
    for (guint axis = x->shape.rank; axis-- > 0;) {
      ens_view_set_integer (y, axis * columns + column,
                            (gint64)(rest % (gsize)x->shape.dims[axis]));
      rest /= (gsize)x->shape.dims[axis];
    }
    column++;
  }
}

static const EnsOpExample non_zero_examples[] = {{"=[2,0,4]"}, {NULL}};

const EnsOp ens_op_non_zero = {.name = "NonZero",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .layout = ENS_LAYOUT_PLAIN,
                               .versions = {.since = 9},
                               .shape = non_zero_shape,
                               .reference = non_zero_reference,
                               .example = non_zero_examples};

/* Compress: slices along an axis, or elements, that a list of truth values selects. */

typedef struct {
  gint64 axis; /* G_MAXINT64: of all elements in order */
} CompressParams;

static const EnsAttribute compress_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (CompressParams, axis), .integer = G_MAXINT64},
    ENS_ATTRIBUTE_END};

static gboolean
compress_lines (const EnsOperands *operands, EnsLines *lines, guint *axis, GError **error)
{
  const CompressParams *params = operands->params;
  const EnsShape *shape = &operands->inputs[0]->shape;

  *axis = 0;
  *lines = (EnsLines) {1, (gsize)ens_shape_elements (shape), 1};
  if (params->axis == G_MAXINT64)
    return TRUE;
  if (!ens_check_axis (operands, params->axis, shape->rank, axis, error))
    return FALSE;
  *lines = ens_lines_along (shape, *axis, *axis + 1);
  return TRUE;
}

static gboolean
compress_shape (EnsOperands *operands, GError **error)
{
  const CompressParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *chosen = operands->inputs[1];
  EnsShape shape = x->shape;
  EnsLines lines;
  gint64 n;
  guint axis;

  if (!ens_check_type (operands, 1, ENS_TYPES (ENS_TYPE_BOOL), error)
      || !ens_check_rank (operands, 1, 1, 1, error) || !check_known (operands, 1, error)
      || !compress_lines (operands, &lines, &axis, error))
    return FALSE;
  if ((gsize)chosen->shape.dims[0] > lines.length)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%" G_GINT64_FORMAT " truth values for %" G_GSIZE_FORMAT " elements",
                         chosen->shape.dims[0], lines.length);
  n = count_non_zero (chosen);
  if (params->axis == G_MAXINT64)
    shape = ENS_SHAPE (n);
  else
    shape.dims[axis] = n;
  return ens_set_output (operands, 0, x->type, &shape, error);
}

static void
compress_reference (const EnsOperands *operands)
{
  const EnsView *x = operands->inputs[0], *chosen = operands->inputs[1];
  gsize to = 0;
  EnsLines lines;
  guint axis;

  compress_lines (operands, &lines, &axis, NULL);
  for (gsize outer = 0; outer < lines.outer; outer++)
    for (gsize i = 0; i < (gsize)chosen->shape.dims[0]; i++)
      for (gsize k = 0; k < lines.inner && ens_view_integer (chosen, i) != 0; k++)
        ens_view_copy_element (operands->outputs[0], to++, x,
                               (outer * lines.length + i) * lines.inner + k);
}

/* Where what was chosen comes from. */
static EnsValue *
add_chosen (EnsGradient *gradient, const EnsView *chosen)
{
  g_autofree char *name = g_strdup_printf ("%s:chosen", gradient->node->name);
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (count_non_zero (chosen), 1));

  for (gint64 i = 0, n = 0; i < chosen->shape.dims[0]; i++)
    if (ens_view_integer (chosen, (gsize)i) != 0)
      ((gint64 *)tensor->data)[n++] = i;
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

static EnsValue *
swap_first_axes (EnsGradient *gradient, EnsValue *value, gint64 a, gint64 b, gint64 inner)
{
  value = ens_gradient_reshape (gradient, value, &ENS_SHAPE (a, b, inner));
  return ens_gradient_apply (gradient, &ens_op_transpose,
                             &(EnsTransposeParams) {.perm = {3, TRUE, {1, 0, 2}}}, value, NULL);
}

/* Zeroes where nothing was chosen. */
static gboolean
compress_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *chosen, *dy, *dx;
  g_auto (EnsNodeViews) views;
  EnsLines lines;
  guint axis;

  ens_node_views_init (&views, node);
  compress_lines (&views.operands, &lines, &axis, NULL);
  chosen = add_chosen (gradient, views.operands.inputs[1]);
  dy = swap_first_axes (gradient, gradient->outputs[0], (gint64)lines.outer, chosen->shape.dims[0],
                        (gint64)lines.inner);
  dx = swap_first_axes (gradient, ens_gradient_zeroes (gradient, node->inputs[0]),
                        (gint64)lines.outer, (gint64)lines.length, (gint64)lines.inner);
  dx = ens_gradient_apply (gradient, &ens_op_scatter_nd, NULL, dx, chosen, dy, NULL);
  dx = swap_first_axes (gradient, dx, (gint64)lines.length, (gint64)lines.outer,
                        (gint64)lines.inner);
  gradient->inputs[0] = ens_gradient_reshape (gradient, dx, &node->inputs[0]->shape);
  return TRUE;
}

static const EnsOpExample compress_examples[] = {{"3x5 =?3", &(const CompressParams) {0}}, {NULL}};

const EnsOp ens_op_compress = {.name = "Compress",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .layout = ENS_LAYOUT_PLAIN,
                               .params_size = sizeof (CompressParams),
                               .versions = {.since = 9},
                               .attributes = compress_attributes,
                               .shape = compress_shape,
                               .reference = compress_reference,
                               .gradient = compress_gradient,
                               .example = compress_examples};
