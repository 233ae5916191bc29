/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every operator with a gradient against finite differences.
 *
 * Of each row the loss L is the sum of all outputs, weighted at random. L is differentiated by
 * ens_graph_backward (), and once more in one random direction v by central differences:
 * (L (x + εv) − L (x − εv)) / 2ε = ∇L · v. All run by references in double precision.
 *
 * Numbers that a row writes out are shifted a little first: they stand on kinks on purpose. */
#include "case.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "ops/operands.h"
#include "ops/registry.h"
#include "passes/backward.h"

#define EPSILON 1e-6
#define TOLERANCE 1e-3

/* Of one input: references of gradients look at each element once for each of a window. */
#define MAX_ELEMENTS 65536

/* Inputs */

static EnsTensor *
new_like (const EnsTensor *tensor)
{
  return ens_tensor_new (ENS_TYPE_FLOAT64, &tensor->shape);
}

/* As float64; what is not constant away from kinks. (transfer full) */
static EnsTensor *
widen (const TestTensor *from, gboolean constant, GRand *random)
{
  const EnsTensor *tensor = from->tensor;
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
  EnsTensor *wide = new_like (tensor);
  gsize n = ens_view_elements (&view);

  for (gsize i = 0; i < n; i++) {
    double shift = from->has_values && !constant ? g_rand_double_range (random, 0.01, 0.03) : 0;

    ((double *)wide->data)[i] = ens_view_real (&view, i) + shift;
  }
  return wide;
}

static EnsTensor *
random_like (const EnsTensor *tensor, GRand *random)
{
  EnsTensor *drawn = new_like (tensor);
  gsize n = (gsize)ens_shape_elements (&drawn->shape);

  for (gsize i = 0; i < n; i++)
    ((double *)drawn->data)[i] = g_rand_double_range (random, -1, 1);
  return drawn;
}

/* tensor + factor · direction. (transfer full) */
static EnsTensor *
move (const EnsTensor *tensor, double factor, const EnsTensor *direction)
{
  EnsTensor *moved = new_like (tensor);
  gsize n = (gsize)ens_shape_elements (&moved->shape);

  for (gsize i = 0; i < n; i++)
    ((double *)moved->data)[i] =
        ((const double *)tensor->data)[i] + factor * ((const double *)direction->data)[i];
  return moved;
}

static double
dot (const EnsTensor *a, const EnsTensor *b)
{
  gsize n = (gsize)ens_shape_elements (&a->shape);
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += ((const double *)a->data)[i] * ((const double *)b->data)[i];
  return sum;
}

/* The graph of a row: inputs of real numbers are the graph's, all others constants. */

/* What of a row is differentiated. */
typedef struct {
  gboolean constants; /* what the row has as constants are constants */
  gboolean first;     /* the loss is made of the first output alone */
} Variant;

typedef struct {
  EnsGraph *graph;
  EnsNode *node;
  EnsValue *loss;
  GPtrArray *inputs;     /* EnsTensor of each graph input */
  GPtrArray *directions; /* EnsTensor, the same */
  GRand *random;
} Gradient;

static void
gradient_clear (Gradient *gradient)
{
  ens_graph_free (gradient->graph);
  g_ptr_array_unref (gradient->inputs);
  g_ptr_array_unref (gradient->directions);
  g_rand_free (gradient->random);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Gradient, gradient_clear)

static gboolean
is_float32 (const TestTensor *tensor)
{
  return !tensor->absent && tensor->tensor->type == ENS_TYPE_FLOAT32;
}

static EnsValue *
add_input (Gradient *gradient, const TestTensor *from, gboolean constant)
{
  g_autoptr (EnsTensor) tensor = NULL;

  if (from->absent)
    return NULL;
  if (!is_float32 (from))
    return ens_graph_add_constant (gradient->graph, "constant", from->tensor);
  tensor = widen (from, constant, gradient->random);
  if (constant)
    return ens_graph_add_constant (gradient->graph, "constant", tensor);
  g_ptr_array_add (gradient->inputs, ens_tensor_ref (tensor));
  g_ptr_array_add (gradient->directions, random_like (tensor, gradient->random));
  return ens_graph_add_input (gradient->graph, "input", ENS_TYPE_FLOAT64, &tensor->shape);
}

static EnsValue *
apply (EnsGraph *graph, const EnsOp *op, gconstpointer params, EnsValue *a, EnsValue *b)
{
  EnsValue *value = ens_graph_apply (graph, op, params, a, b, NULL);
  g_autoptr (GError) error = NULL;

  ens_infer_node (value->producer, FALSE, &error);
  ck_assert_no_error (error);
  return value;
}

/* Adds the weighted sum of a value to the loss. */
static void
add_to_loss (Gradient *gradient, EnsValue *value)
{
  g_autoptr (EnsTensor) shape = ens_tensor_new (ENS_TYPE_FLOAT64, &value->shape);
  g_autoptr (EnsTensor) weights = random_like (shape, gradient->random);
  EnsGraph *graph = gradient->graph;
  EnsValue *part = ens_graph_add_constant (graph, "weights", weights);

  part = apply (graph, &ens_op_mul, &(EnsBinaryParams) {0}, value, part);
  part = apply (graph, &ens_op_reduce_sum, &(EnsReduceParams) {0}, part, NULL);
  gradient->loss = gradient->loss == NULL
                       ? part
                       : apply (graph, &ens_op_add, &(EnsBinaryParams) {0}, gradient->loss, part);
}

/* FALSE: there is nothing to differentiate, or the row is about other types. */
static gboolean
gradient_init (Gradient *gradient, const TestCase *test_case, const Variant *variant)
{
  const EnsNode *node = test_case->node;
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs);
  g_autoptr (GError) error = NULL;

  *gradient = (Gradient) {
      .graph = ens_graph_new ("row"),
      .inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref),
      .directions = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref),
      .random = g_rand_new_with_seed (2),
  };
  for (guint i = 0; i < node->n_inputs; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);

    inputs[i] = add_input (gradient, input, input->constant && variant->constants);
  }
  gradient->node = ens_graph_add_node (gradient->graph, node->op, "row", node->params, inputs,
                                       node->n_inputs, node->n_outputs);
  if (gradient->inputs->len == 0 || !ens_infer_node (gradient->node, FALSE, &error))
    return FALSE;
  for (guint i = 0; i < (variant->first ? 1 : node->n_outputs); i++)
    if (gradient->node->outputs[i]->type == ENS_TYPE_FLOAT64)
      add_to_loss (gradient, gradient->node->outputs[i]);
  return gradient->loss != NULL;
}

/* Comparing */

static GPtrArray *
interpret (const EnsGraph *graph, const GPtrArray *inputs)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *outputs = ens_interpret (graph, (EnsTensor *const *)inputs->pdata, &error);

  ck_assert_no_error (error);
  return outputs;
}

static double
loss_at (const Gradient *gradient, double factor)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (gradient->graph);
  g_autoptr (GPtrArray) moved = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  g_autoptr (GPtrArray) outputs = NULL;

  ens_graph_add_output (copy, g_ptr_array_index (copy->values, gradient->loss->index));
  for (guint i = 0; i < gradient->inputs->len; i++)
    g_ptr_array_add (moved,
                     move (gradient->inputs->pdata[i], factor, gradient->directions->pdata[i]));
  outputs = interpret (copy, moved);
  return *(const double *)((EnsTensor *)outputs->pdata[0])->data;
}

static double
differentiate_by_steps (const Gradient *gradient)
{
  return (loss_at (gradient, EPSILON) - loss_at (gradient, -EPSILON)) / (2 * EPSILON);
}

/* ∇L · v */
static double
differentiate (Gradient *gradient, GError **error)
{
  EnsGraph *graph = gradient->graph;
  guint n = graph->inputs->len;
  g_autofree EnsValue **gradients = g_new0 (EnsValue *, n);
  g_autoptr (GPtrArray) outputs = NULL;
  double sum = 0;

  if (!ens_graph_backward (graph, gradient->loss, (EnsValue **)graph->inputs->pdata, n, gradients,
                           error))
    return 0;
  for (guint i = 0; i < n; i++)
    if (gradients[i] != NULL)
      ens_graph_add_output (graph, gradients[i]);
  outputs = interpret (graph, gradient->inputs);
  for (guint i = 0, k = 0; i < n; i++)
    if (gradients[i] != NULL) {
      const EnsTensor *found = outputs->pdata[k++], *direction = gradient->directions->pdata[i];

      ck_assert (ens_shape_equal (&found->shape, &direction->shape));
      sum += dot (found, direction);
    }
  return sum;
}

/* Whether the row tells anything: it is differentiable, and so are its numbers. */
static gboolean
compare (const TestCase *test_case, const Variant *variant)
{
  g_auto (Gradient) gradient;
  g_autoptr (GError) error = NULL;
  double expected, found;

  if (!gradient_init (&gradient, test_case, variant))
    return FALSE;
  expected = differentiate_by_steps (&gradient);
  found = differentiate (&gradient, &error);
  if (g_error_matches (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED) || !isfinite (expected))
    return FALSE;
  ck_assert_no_error (error);
  if (!(fabs (found - expected) <= TOLERANCE * fabs (expected) + 1e-8)) /* also of a NaN */
    ck_abort_msg ("the gradient in a random direction is %.9g, expected %.9g", found, expected);
  return TRUE;
}

/* Rows */

typedef struct {
  const char *op;
  const TestRow *row;
} Check;

static GArray *checks; /* Check, of all rows */

/* Activations are fused after gradients have been made. */
static gboolean
has_activation (const TestRow *row)
{
  return row->attributes != NULL && strstr (row->attributes, "activation=") != NULL;
}

/* Gradients that are made up: rounding has none. */
static gboolean
is_estimated (const char *op)
{
  return g_str_has_prefix (op, "FakeQuantize");
}

static gboolean
is_large (const TestCase *test_case)
{
  for (guint i = 0; i < test_case->inputs->len; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);

    if (!input->absent && ens_shape_elements (&input->tensor->shape) > MAX_ELEMENTS)
      return TRUE;
  }
  return FALSE;
}

/* Whether any variant tells anything. Constants are differentiated, too, where the operator can do
 * without knowing them, and further outputs, unless they stand beside the gradient. */
static gboolean
check (const Check *row)
{
  static const Variant variants[] = {{TRUE, FALSE}, {TRUE, TRUE}, {FALSE, FALSE}, {FALSE, TRUE}};
  g_autoptr (GError) error = NULL;
  g_autoptr (TestCase) test_case = test_case_new (row->op, row->row, row->row->inputs, &error);
  gboolean any = FALSE;

  if (test_case == NULL || !ens_infer_node (test_case->node, FALSE, NULL)
      || has_activation (row->row) || is_estimated (row->op) || is_large (test_case))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++)
    any = compare (test_case, &variants[i]) || any;
  return any;
}

START_TEST (check_row)
{
  check (&g_array_index (checks, Check, _i));
}
END_TEST

static gboolean
any_row_tells (const char *op)
{
  for (guint i = 0; i < checks->len; i++)
    if (strcmp (g_array_index (checks, Check, i).op, op) == 0
        && check (&g_array_index (checks, Check, i)))
      return TRUE;
  return FALSE;
}

START_TEST (check_all_have_rows)
{
  const EnsOp *const *ops = ens_op_list ();

  for (guint i = 0; ops[i] != NULL; i++)
    if (ops[i]->gradient != NULL && !is_estimated (ops[i]->name) && !any_row_tells (ops[i]->name))
      ck_abort_msg ("no row checks the gradient of operator %s", ops[i]->name);
}
END_TEST

void
test_add_gradients (void)
{
  checks = g_array_new (FALSE, FALSE, sizeof (Check));
  test_suite ("gradients");
  test_add ("every-gradient-has-rows", check_all_have_rows);
  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++)
      for (const TestRow *row = operator->rows; row->inputs != NULL; row++) {
        Check check = {operator->op, row};

        if (row->error != NULL || ens_op_find (operator->op)->gradient == NULL)
          continue;
        test_add_row (operator->op, row->name, check_row, checks->len);
        g_array_append_val (checks, check);
      }
}
