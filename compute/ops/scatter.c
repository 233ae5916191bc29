/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ScatterElements and ScatterND: input 0, with elements or runs of elements, whose places input 1
 * tells, replaced by, or combined with, those of input 2, one after the other. */
#include "ops/gradient.h"
#include "ops/indices.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

#include "push/scatter.h"

enum { DATA, INDICES, UPDATES };

static const char *const reductions[] = {
    [ENS_SCATTER_NONE] = "none", [ENS_SCATTER_ADD] = "add", [ENS_SCATTER_MUL] = "mul",
    [ENS_SCATTER_MAX] = "max",   [ENS_SCATTER_MIN] = "min", NULL};

#define REDUCTION                                                              \
  {                                                                            \
    "reduction", ENS_ATTRIBUTE_NAME, ENS_MEMBER (EnsScatterParams, reduction), \
        .names = reductions, .since = 16                                       \
  }

static const EnsAttribute elements_attributes[] = {
    {"axis", ENS_ATTRIBUTE_INT, ENS_MEMBER (EnsScatterParams, axis)}, REDUCTION, ENS_ATTRIBUTE_END};
static const EnsAttribute tuples_attributes[] = {REDUCTION, ENS_ATTRIBUTE_END};

/* Shapes */

static gboolean
check_updates (EnsOperands *operands, const EnsShape *expected, GError **error)
{
  const EnsScatterParams *params = operands->params;
  const EnsView *data = operands->inputs[DATA], *updates = operands->inputs[UPDATES];

  if (updates->type != data->type)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input 2 is %s, expected %s as input 0",
                         ens_type_name (updates->type), ens_type_name (data->type));
  if (!ens_shape_equal (&updates->shape, expected)) {
    g_autofree char *found = ens_shape_to_string (&updates->shape);
    g_autofree char *text = ens_shape_to_string (expected);

    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "updates are %s, expected %s", found,
                         text);
  }
  return (params->reduction == ENS_SCATTER_NONE
          || ens_check_type (operands, DATA, ENS_TYPES_NUMBER, error))
         && ens_set_output_like_input (operands, error);
}

static gboolean
find_elements (const EnsOperands *operands, EnsIndexing *indexing, GError **error)
{
  const EnsScatterParams *params = operands->params;

  *indexing = (EnsIndexing) {0};
  return ens_check_axis (operands, params->axis, operands->inputs[DATA]->shape.rank,
                         &indexing->axis, error);
}

static gboolean
find_tuples (const EnsOperands *operands, EnsIndexing *indexing, GError **error)
{
  *indexing = (EnsIndexing) {.tuples = TRUE};
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
         && check_updates (operands, &shape, error);
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

/* One element */

static double
combine_reals (EnsScatterReduction reduction, double a, double b)
{
  switch (reduction) {
  case ENS_SCATTER_ADD:
    return a + b;
  case ENS_SCATTER_MUL:
    return a * b;
  case ENS_SCATTER_MAX:
    return fmax (a, b);
  case ENS_SCATTER_MIN:
    return fmin (a, b);
  default:
    return b;
  }
}

static gint64
combine_integers (EnsScatterReduction reduction, gint64 a, gint64 b)
{
  switch (reduction) {
  case ENS_SCATTER_ADD:
    return (gint64)((guint64)a + (guint64)b);
  case ENS_SCATTER_MUL:
    return (gint64)((guint64)a * (guint64)b);
  case ENS_SCATTER_MAX:
    return MAX (a, b);
  case ENS_SCATTER_MIN:
    return MIN (a, b);
  default:
    return b;
  }
}

static void
update (const EnsOperands *operands, gsize to, gsize from)
{
  const EnsScatterParams *params = operands->params;
  const EnsView *y = operands->outputs[0], *updates = operands->inputs[UPDATES];

  if (params->reduction == ENS_SCATTER_NONE)
    ens_view_copy_element (y, to, updates, from);
  else if (ens_type_is_real (y->type))
    ens_view_set_real (
        y, to,
        combine_reals (params->reduction, ens_view_real (y, to), ens_view_real (updates, from)));
  else
    ens_view_set_integer (y, to,
                          combine_integers (params->reduction, ens_view_integer (y, to),
                                            ens_view_integer (updates, from)));
}

static void
scatter (const EnsOperands *operands, FindFunc find)
{
  const EnsView *data = operands->inputs[DATA], *y = operands->outputs[0];
  EnsIndexing indexing;
  gsize run = find (operands, &indexing, NULL) ? ens_indexing_run (operands, &indexing) : 0;
  gsize n = run > 0 ? ens_view_elements (operands->inputs[UPDATES]) / run : 0;

  if (y->data != data->data)
    memcpy (y->data, data->data, ens_view_elements (y) * ens_type_size (y->type));
  for (gsize i = 0; i < n; i++) {
    gsize to = ens_indexing_find (operands, &indexing, i) * run;

    for (gsize k = 0; k < run; k++)
      update (operands, to + k, i * run + k);
  }
}

static void
elements_reference (const EnsOperands *operands)
{
  scatter (operands, find_elements);
}

static void
tuples_reference (const EnsOperands *operands)
{
  scatter (operands, find_tuples);
}

/* The shader follows, for each run of the output, the updates that go there. */

#define GROUP 128

/* For each run where its list begins in the table, and the end of the last; then the lists. */
static guint32 *
list_updates (const EnsOperands *operands, const EnsIndexing *indexing, gsize runs, gsize n)
{
  guint32 *table = g_new0 (guint32, runs + 1 + n);
  g_autofree guint32 *places = g_new (guint32, n + 1);

  for (gsize i = 0; i < n; i++) {
    places[i] = (guint32)ens_indexing_find (operands, indexing, i);
    table[places[i] + 1]++;
  }
  table[0] = (guint32)runs + 1;
  for (gsize i = 0; i < runs; i++)
    table[i + 1] += table[i];
  /* Each beginning moves to the end of its list, which is the beginning of the next. */
  for (gsize i = 0; i < n; i++)
    table[table[places[i]]++] = (guint32)i;
  for (gsize i = runs; i > 0; i--)
    table[i] = table[i - 1];
  table[0] = (guint32)runs + 1;
  return table;
}

static gboolean
record (const EnsOperands *operands, EnsCommands *commands, FindFunc find)
{
  const EnsScatterParams *params = operands->params;
  const EnsView *y = operands->outputs[0];
  EnsIndexing indexing;
  gsize run = find (operands, &indexing, NULL) ? ens_indexing_run (operands, &indexing) : 0;
  gsize runs = run > 0 ? ens_view_elements (y) / run : 0;
  gsize n = run > 0 ? ens_view_elements (operands->inputs[UPDATES]) / run : 0;
  EnsScatterPush push = {.n = (guint32)ens_view_elements (y), .run = (guint32)run};
  EnsDispatch dispatch = {
      .shader = "scatter",
      .n_bindings = 4,
      .constants = {params->reduction},
      .n_constants = 1,
      .push = &push,
      .push_size = sizeof push,
  };
  g_autofree guint32 *table = NULL;

  if (operands->inputs[INDICES]->data == NULL || !ens_record_takes (operands->inputs[UPDATES])
      || !ens_record_storage (operands, DATA, DATA + 1, &dispatch.storage))
    return FALSE;
  if (push.n == 0)
    return TRUE;
  table = list_updates (operands, &indexing, runs, n);
  dispatch.bindings[0] = (EnsBinding) {operands->inputs[DATA], ENS_ACCESS_READ};
  dispatch.bindings[1] = (EnsBinding) {
      ens_commands_table (commands, table, (runs + 1 + n) * sizeof *table), ENS_ACCESS_READ};
  dispatch.bindings[2] =
      (EnsBinding) {n > 0 ? operands->inputs[UPDATES] : operands->inputs[DATA], ENS_ACCESS_READ};
  dispatch.bindings[3] = (EnsBinding) {y, ENS_ACCESS_WRITE};
  ens_commands_cover (commands, &dispatch, push.n, GROUP);
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

/* Gradients. Of updates that replace elements, indices are taken to occur once. */

typedef struct {
  EnsGradient *gradient;
  const EnsOp *gathers; /* what reads the places that the operator writes to */
  gconstpointer params; /* its */
} Places;

static EnsValue *
gather (const Places *places, EnsValue *data)
{
  return ens_gradient_apply (places->gradient, places->gathers, places->params, data,
                             places->gradient->node->inputs[INDICES], NULL);
}

static EnsValue *
combine (const Places *places, EnsScatterReduction reduction, EnsValue *data, EnsValue *updates)
{
  const EnsNode *node = places->gradient->node;
  EnsScatterParams params = *(const EnsScatterParams *)node->params;

  params.reduction = reduction;
  return ens_gradient_apply (places->gradient, node->op, &params, data, node->inputs[INDICES],
                             updates, NULL);
}

static EnsValue *
choose (const Places *places, EnsValue *a, EnsValue *b, EnsValue *if_equal, EnsValue *otherwise)
{
  EnsValue *equal = ens_gradient_apply (places->gradient, &ens_op_equal, NULL, a, b, NULL);

  return ens_gradient_apply (places->gradient, &ens_op_where, NULL, equal, if_equal, otherwise,
                             NULL);
}

static EnsValue *
add_number (const Places *places, double number)
{
  return ens_gradient_number (places->gradient, places->gradient->outputs[0]->type, number);
}

static void
replace_back (const Places *places)
{
  EnsGradient *gradient = places->gradient;
  EnsValue *dy = gradient->outputs[0];

  if (gradient->wanted[UPDATES])
    gradient->inputs[UPDATES] = gather (places, dy);
  if (gradient->wanted[DATA])
    gradient->inputs[DATA] =
        combine (places, ENS_SCATTER_NONE, dy,
                 ens_gradient_zeroes (gradient, gradient->node->inputs[UPDATES]));
}

static void
add_back (const Places *places)
{
  if (places->gradient->wanted[UPDATES])
    places->gradient->inputs[UPDATES] = gather (places, places->gradient->outputs[0]);
  if (places->gradient->wanted[DATA])
    places->gradient->inputs[DATA] = places->gradient->outputs[0];
}

/* To all that are the largest, or the least. */
static void
extreme_back (const Places *places)
{
  EnsGradient *gradient = places->gradient;
  EnsValue *dy = gradient->outputs[0], *y = gradient->node->outputs[0];
  EnsValue *zero = add_number (places, 0);

  if (gradient->wanted[DATA])
    gradient->inputs[DATA] = choose (places, gradient->node->inputs[DATA], y, dy, zero);
  if (gradient->wanted[UPDATES])
    gradient->inputs[UPDATES] = choose (places, gradient->node->inputs[UPDATES], gather (places, y),
                                        gather (places, dy), zero);
}

/* Products of what is not 0, and how many zeroes were left out. */
typedef struct {
  EnsValue *product, *zeroes;
} Factors;

static Factors
split_zeroes (const Places *places, EnsValue *value)
{
  EnsValue *zero = add_number (places, 0), *one = add_number (places, 1);

  return (Factors) {choose (places, value, zero, one, value),
                    choose (places, value, zero, one, zero)};
}

/* dy times what all others come to: their product, or 0 where one of them is. */
static EnsValue *
factor_back (const Places *places, EnsValue *dy, const Factors *own, const Factors *all)
{
  EnsGradient *gradient = places->gradient;
  EnsValue *others =
      ens_gradient_apply (gradient, &ens_op_div, NULL, all->product, own->product, NULL);
  EnsValue *product = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, others, NULL);

  return choose (places, all->zeroes, own->zeroes, product, add_number (places, 0));
}

static void
product_back (const Places *places)
{
  EnsGradient *gradient = places->gradient;
  Factors data = split_zeroes (places, gradient->node->inputs[DATA]);
  Factors updates = split_zeroes (places, gradient->node->inputs[UPDATES]);
  Factors all = {combine (places, ENS_SCATTER_MUL, data.product, updates.product),
                 combine (places, ENS_SCATTER_ADD, data.zeroes, updates.zeroes)};
  Factors gathered = {gather (places, all.product), gather (places, all.zeroes)};
  EnsValue *dy = gradient->outputs[0];

  if (gradient->wanted[DATA])
    gradient->inputs[DATA] = factor_back (places, dy, &data, &all);
  if (gradient->wanted[UPDATES])
    gradient->inputs[UPDATES] = factor_back (places, gather (places, dy), &updates, &gathered);
}

static gboolean
differentiate (EnsGradient *gradient, const EnsOp *gathers, gconstpointer params)
{
  static void (*const back[]) (const Places *) = {
      [ENS_SCATTER_NONE] = replace_back, [ENS_SCATTER_ADD] = add_back,
      [ENS_SCATTER_MUL] = product_back,  [ENS_SCATTER_MAX] = extreme_back,
      [ENS_SCATTER_MIN] = extreme_back,
  };

  back[((const EnsScatterParams *)gradient->node->params)->reduction](
      &(Places) {gradient, gathers, params});
  return TRUE;
}

static gboolean
elements_gradient (EnsGradient *gradient, GError **error)
{
  const EnsScatterParams *params = gradient->node->params;

  return differentiate (gradient, &ens_op_gather_elements, &(EnsAxisParams) {params->axis});
}

static gboolean
tuples_gradient (EnsGradient *gradient, GError **error)
{
  return differentiate (gradient, &ens_op_gather_nd, NULL);
}

/* Each image has indices and updates of its own. */
static gboolean
elements_per_image (const EnsNode *node)
{
  for (guint i = DATA; i <= UPDATES; i++)
    if (node->inputs[i]->constant != NULL)
      return FALSE;
  return !ens_axis_is_batch (node, ((const EnsScatterParams *)node->params)->axis);
}

static const EnsOpExample elements_examples[] = {
    {"5 =[2,0,2] 3", &(const EnsScatterParams) {0, ENS_SCATTER_ADD}},
    {"5 =[2,0,4] 3", &(const EnsScatterParams) {0, ENS_SCATTER_NONE}},
    {NULL}};
static const EnsOpExample tuples_examples[] = {
    {"5x3x4 =[2,1] 4", &(const EnsScatterParams) {0, ENS_SCATTER_NONE}}, {NULL}};

#define SCATTER_OP(id, kind, onnx, ...)                                \
  const EnsOp ens_op_##id = {.name = onnx,                             \
                             .min_inputs = 3,                          \
                             .max_inputs = 3,                          \
                             .min_outputs = 1,                         \
                             .max_outputs = 1,                         \
                             .layout = ENS_LAYOUT_PLAIN,               \
                             .flags = ENS_OP_IN_PLACE,                 \
                             .params_size = sizeof (EnsScatterParams), \
                             .versions = {.since = 11},                \
                             .attributes = kind##_attributes,          \
                             .shape = kind##_shape,                    \
                             .reference = kind##_reference,            \
                             .gpu = kind##_gpu,                        \
                             .gradient = kind##_gradient,              \
                             .example = kind##_examples,               \
                             __VA_ARGS__}

SCATTER_OP (scatter_elements, elements, "ScatterElements", .per_image = elements_per_image);
SCATTER_OP (scatter_nd, tuples, "ScatterND", .per_image = NULL);
