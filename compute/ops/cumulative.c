/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CumSum and CumProd: sums or products of all elements up to each one along an axis, which input 1
 * tells. */
#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/cumulative.h"

typedef struct {
  gboolean exclusive; /* without the element itself */
  gboolean reverse;   /* from the end */
} CumulativeParams;

static const EnsAttribute attributes[] = {
    {"exclusive", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (CumulativeParams, exclusive)},
    {"reverse", ENS_ATTRIBUTE_FLAG, ENS_MEMBER (CumulativeParams, reverse)},
    ENS_ATTRIBUTE_END};

static gboolean
find_axis (const EnsOperands *operands, guint *axis, GError **error)
{
  gint64 number = 0;

  return ens_check_number (operands, 1, &number, error)
         && ens_check_axis (operands, number, operands->inputs[0]->shape.rank, axis, error);
}

static gboolean
shape (EnsOperands *operands, GError **error)
{
  guint axis;

  return ens_check_type (operands, 0, ENS_TYPES_NUMBER, error) && find_axis (operands, &axis, error)
         && ens_set_output_like_input (operands, error);
}

static EnsLines
find_lines (const EnsOperands *operands)
{
  guint axis = 0;

  find_axis (operands, &axis, NULL);
  return ens_lines_along (&operands->inputs[0]->shape, axis, axis + 1);
}

/* One line, in double precision or in integers. */

static void
accumulate_reals (const EnsOperands *operands, const EnsLines *lines, gsize start, gboolean product)
{
  const CumulativeParams *params = operands->params;
  double total = product ? 1 : 0;

  for (gsize i = 0; i < lines->length; i++) {
    gsize at = start + (params->reverse ? lines->length - 1 - i : i) * lines->inner;
    double x = ens_view_real (operands->inputs[0], at), before = total;

    total = product ? total * x : total + x;
    ens_view_set_real (operands->outputs[0], at, params->exclusive ? before : total);
  }
}

static void
accumulate_integers (const EnsOperands *operands, const EnsLines *lines, gsize start,
                     gboolean product)
{
  const CumulativeParams *params = operands->params;
  guint64 total = product ? 1 : 0;

  for (gsize i = 0; i < lines->length; i++) {
    gsize at = start + (params->reverse ? lines->length - 1 - i : i) * lines->inner;
    guint64 x = (guint64)ens_view_integer (operands->inputs[0], at), before = total;

    total = product ? total * x : total + x;
    ens_view_set_integer (operands->outputs[0], at, (gint64)(params->exclusive ? before : total));
  }
}

static void
reference (const EnsOperands *operands, gboolean product)
{
  EnsLines lines = find_lines (operands);
  gboolean real = ens_type_is_real (operands->inputs[0]->type);

  for (gsize line = 0; line < lines.outer * lines.inner; line++)
    (real ? accumulate_reals : accumulate_integers) (
        operands, &lines, line / lines.inner * lines.length * lines.inner + line % lines.inner,
        product);
}

#define GROUP 128

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, gboolean product)
{
  const CumulativeParams *params = operands->params;
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsLines lines = find_lines (operands);
  EnsCumulativePush push = {.n = (guint32)(lines.outer * lines.inner),
                            .extent = (guint32)lines.length,
                            .inner = (guint32)lines.inner};
  EnsDispatch dispatch = {.shader = "cumulative",
                          .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
                          .n_bindings = 2,
                          .constants = {product, params->exclusive, params->reverse},
                          .n_constants = 3,
                          .push = &push,
                          .push_size = sizeof push};

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage)
      || lines.length > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (y) > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

/* Element i is in all sums from its own on: their gradients are summed from the other end. */
static gboolean
cum_sum_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  CumulativeParams params = *(const CumulativeParams *)node->params;

  params.reverse = !params.reverse;
  gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_cum_sum, &params,
                                            gradient->outputs[0], node->inputs[1], NULL);
  return TRUE;
}

/* A line's elements are rows, its products columns. */
typedef gboolean (*SquareFunc) (const CumulativeParams *params, gint64 element, gint64 product);

static gboolean
is_same (const CumulativeParams *params, gint64 element, gint64 product)
{
  return element == product;
}

static gboolean
is_factor (const CumulativeParams *params, gint64 element, gint64 product)
{
  gint64 behind = params->reverse ? element - product : product - element;

  return behind >= (params->exclusive ? 1 : 0);
}

/* 1 where the function holds, else 0. */
static EnsValue *
add_square (EnsGradient *gradient, EnsType type, gint64 n, SquareFunc holds)
{
  g_autofree char *name = g_strdup_printf ("%s:square", gradient->node->name);
  g_autoptr (EnsTensor) tensor = ens_tensor_new (type, &ENS_SHAPE (1, n, n));
  EnsView view = ens_view_dense (type, &tensor->shape, tensor->data);

  for (gint64 i = 0; i < n * n; i++)
    ens_view_set_real (&view, (gsize)i, holds (gradient->node->params, i / n, i % n));
  return ens_graph_add_constant (gradient->graph, name, tensor);
}

/* For each element what the products would be if it were 1: (lines, elements, products). */
static EnsValue *
multiply_others (EnsGradient *gradient, EnsValue *lines)
{
  gint64 n = lines->shape.dims[2];
  EnsValue *one = ens_gradient_number (gradient, lines->type, 1), *others;
  EnsValue *same = add_square (gradient, lines->type, n, is_same);

  others = ens_gradient_apply (gradient, &ens_op_sub, NULL, one, same, NULL);
  others = ens_gradient_apply (gradient, &ens_op_mul, NULL, lines, others, NULL);
  others = ens_gradient_apply (gradient, &ens_op_add, NULL, others, same, NULL);
  return ens_gradient_apply (gradient, &ens_op_cum_prod, gradient->node->params, others,
                             ens_gradient_number (gradient, ENS_TYPE_INT64, 2), NULL);
}

static EnsValue *
transpose_lines (EnsGradient *gradient, EnsValue *value, gint64 outer, gint64 a, gint64 b)
{
  value = ens_gradient_reshape (gradient, value, &ENS_SHAPE (outer, a, b));
  return ens_gradient_apply (gradient, &ens_op_transpose,
                             &(EnsTransposeParams) {.perm = {3, TRUE, {0, 2, 1}}}, value, NULL);
}

/* (lines, 1, elements) */
static EnsValue *
to_lines (EnsGradient *gradient, EnsValue *value, const EnsLines *lines)
{
  gint64 length = (gint64)lines->length, inner = (gint64)lines->inner;

  value = transpose_lines (gradient, value, (gint64)lines->outer, length, inner);
  return ens_gradient_reshape (gradient, value,
                               &ENS_SHAPE ((gint64)lines->outer * inner, 1, length));
}

/* Nothing is divided by an element, which may be 0. That takes the input's memory once for each
 * element of a line. */
static gboolean
cum_prod_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *x, *dx, *factors;
  g_auto (EnsNodeViews) views;
  EnsLines lines;

  ens_node_views_init (&views, node);
  lines = find_lines (&views.operands);
  x = to_lines (gradient, node->inputs[0], &lines);
  factors = add_square (gradient, x->type, (gint64)lines.length, is_factor);
  dx = ens_gradient_apply (gradient, &ens_op_mul, NULL, factors,
                           to_lines (gradient, gradient->outputs[0], &lines), NULL);
  dx = ens_gradient_apply (gradient, &ens_op_mul, NULL, dx, multiply_others (gradient, x), NULL);
  dx = ens_gradient_sum (gradient, dx, 1u << 2);
  dx = transpose_lines (gradient, dx, (gint64)lines.outer, (gint64)lines.inner,
                        (gint64)lines.length);
  gradient->inputs[0] = ens_gradient_reshape (gradient, dx, &node->inputs[0]->shape);
  return TRUE;
}

static gboolean
per_image (const EnsNode *node)
{
  const EnsTensor *axis = node->inputs[1]->constant;
  EnsView view;

  if (!ens_per_image_with_constants (node) || axis == NULL)
    return FALSE;
  view = ens_view_dense (axis->type, &axis->shape, axis->data);
  return !ens_axis_is_batch (node, ens_view_integer (&view, 0));
}

static const EnsOpExample examples[] = {
    {"2x5x7 =[1]", &(const CumulativeParams) {FALSE, FALSE}, .positive = TRUE},
    {"2x5x7 =[2]", &(const CumulativeParams) {TRUE, TRUE}, .positive = TRUE},
    {NULL}};

#define CUMULATIVE_OP(id, onnx, opset, product, ...)                            \
  static void id##_reference (const EnsOperands *operands)                      \
  {                                                                             \
    reference (operands, product);                                              \
  }                                                                             \
                                                                                \
  static gboolean id##_gpu (const EnsOperands *operands, EnsCommands *commands) \
  {                                                                             \
    return record (operands, commands, product);                                \
  }                                                                             \
                                                                                \
  const EnsOp ens_op_##id = {.name = onnx,                                      \
                             .min_inputs = 2,                                   \
                             .max_inputs = 2,                                   \
                             .min_outputs = 1,                                  \
                             .max_outputs = 1,                                  \
                             .layout = ENS_LAYOUT_PLAIN,                        \
                             .flags = ENS_OP_IN_PLACE,                          \
                             .params_size = sizeof (CumulativeParams),          \
                             .versions = {.since = opset},                      \
                             .attributes = attributes,                          \
                             .shape = shape,                                    \
                             .reference = id##_reference,                       \
                             .gpu = id##_gpu,                                   \
                             .per_image = per_image,                            \
                             .example = examples,                               \
                             __VA_ARGS__}

CUMULATIVE_OP (cum_sum, "CumSum", 11, FALSE, .gradient = cum_sum_gradient);
CUMULATIVE_OP (cum_prod, "CumProd", 26, TRUE, .gradient = cum_prod_gradient);
