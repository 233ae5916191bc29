/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows with attributes and shapes changed at random: reading or shape () refuses them, or kernels
 * run within their memory. Most useful under the sanitizers. */
#include "case.h"

#include "check-main.h"
#include "graph/infer.h"
#include "ops/operands.h"

#include <string.h>

#define VARIATIONS 12
/* What is larger is not run. */
#define MAX_ELEMENTS 20000

static gint64
choose_integer (GRand *random)
{
  static const gint64 values[] = {0,  1,  2,  3,          5,          8,          100,
                                  -1, -2, -3, G_MAXINT32, G_MAXINT64, G_MININT64, G_MAXINT64 / 2};

  return values[g_rand_int_range (random, 0, G_N_ELEMENTS (values))];
}

typedef struct {
  EnsAttributes *attributes;
  GRand *random;
} Variation;

static gboolean
happens (GRand *random)
{
  return g_rand_int_range (random, 0, 4) == 0;
}

static void
vary_list (const char *name, const EnsAttributeValue *attribute, Variation *variation)
{
  gint64 values[80];
  guint n = MIN (attribute->n_values, 64);

  memcpy (values, attribute->integers, n * sizeof *values);
  if (happens (variation->random))
    values[n++] = choose_integer (variation->random);
  for (guint i = 0; i < n; i++)
    if (happens (variation->random))
      values[i] = choose_integer (variation->random);
  ens_attributes_set_ints (variation->attributes, name, values, n);
}

static void
vary_attribute (const char *name, const EnsAttributeValue *attribute, gpointer data)
{
  Variation *variation = data;
  gboolean vary = happens (variation->random);

  switch (attribute->kind) {
  case ENS_ATTRIBUTE_VALUE_INT:
    ens_attributes_set_int (variation->attributes, name,
                            vary ? choose_integer (variation->random) : attribute->integer);
    break;
  case ENS_ATTRIBUTE_VALUE_INTS:
    vary_list (name, attribute, variation);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    ens_attributes_set_float (variation->attributes, name, attribute->real);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    ens_attributes_set_floats (variation->attributes, name, attribute->reals, attribute->n_values);
    break;
  case ENS_ATTRIBUTE_VALUE_STRING:
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    ens_attributes_set_string (variation->attributes, name, attribute->string);
    break;
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    ens_attributes_set_tensor (variation->attributes, name, attribute->tensor);
    break;
  }
}

static EnsShape
vary_shape (const EnsShape *shape, GRand *random)
{
  EnsShape varied = *shape;

  if (happens (random) && varied.rank > 0)
    varied.rank--;
  else if (happens (random) && varied.rank < ENS_MAX_RANK)
    varied.dims[varied.rank++] = 1;
  for (guint i = 0; i < varied.rank; i++)
    if (happens (random))
      varied.dims[i] = g_rand_int_range (random, 0, 6);
  return varied;
}

static void
fill (const EnsView *view, GRand *random)
{
  gsize n = ens_view_elements (view);

  for (gsize i = 0; i < n; i++)
    if (ens_type_is_real (view->type))
      ens_view_set_real (view, i, g_rand_double_range (random, -2, 2));
    else
      ens_view_set_integer (
          view, i, happens (random) ? choose_integer (random) : g_rand_int_range (random, 0, 6));
}

static void
vary_tensor (TestTensor *tensor, GRand *random)
{
  EnsShape shape;
  EnsView view;

  if (tensor->absent || happens (random))
    return;
  shape = vary_shape (&tensor->tensor->shape, random);
  if (ens_shape_elements (&shape) > MAX_ELEMENTS)
    return;
  view.type = tensor->tensor->type;
  ens_tensor_unref (tensor->tensor);
  tensor->tensor = ens_tensor_new (view.type, &shape);
  view = ens_view_dense (view.type, &shape, tensor->tensor->data);
  fill (&view, random);
}

static TestCase *
vary (const char *op, const TestRow *row, GRand *random)
{
  g_autoptr (EnsAttributes) original = test_read_attributes (row->attributes);
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();
  g_autoptr (GArray) inputs = test_read_tensors (row->inputs, random);
  g_autoptr (GError) error = NULL;
  TestCase *test_case;

  ens_attributes_foreach (original, vary_attribute, &(Variation) {attributes, random});
  for (guint i = 0; i < inputs->len; i++)
    vary_tensor (&g_array_index (inputs, TestTensor, i), random);
  test_case = test_case_new_from (op, row, attributes, inputs, &error);
  if (test_case == NULL)
    ck_assert_ptr_nonnull (error);
  return test_case;
}

static gboolean
is_small (const EnsNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (ens_shape_elements (&node->outputs[i]->shape) > MAX_ELEMENTS)
      return FALSE;
  return TRUE;
}

static void
run_variation (const char *op, const TestRow *row, GRand *random, EnsThreadPool *pool)
{
  g_autoptr (TestCase) test_case = vary (op, row, random);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) reference = NULL, fast = NULL;

  if (test_case == NULL)
    return;
  if (!ens_infer_node (test_case->node, FALSE, &error)) {
    ck_assert_ptr_nonnull (error);
    ck_assert (strlen (error->message) > 0);
    return;
  }
  if (!is_small (test_case->node))
    return;
  reference = test_case_run (test_case, &(TestPlacement) {.in_place = -1});
  if (test_case_is_fast (test_case))
    fast = test_case_run (test_case, &(TestPlacement) {.pool = pool, .in_place = -1});
}

static GPtrArray *operators; /* TestOperator */

START_TEST (check_operator)
{
  const TestOperator *operator= g_ptr_array_index (operators, _i);
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);

  for (const TestRow *row = operator->rows; row->inputs != NULL; row++)
    for (guint i = 0; i < VARIATIONS; i++)
      run_variation (operator->op, row, random, pool);
}
END_TEST

void
test_add_hostile (void)
{
  operators = g_ptr_array_new ();
  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++) {
      test_add_row (operator->op, "hostile", check_operator, operators->len);
      g_ptr_array_add (operators, (gpointer) operator);
    }
}
