/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks with float16 storage: near the float32 result, and after an overflow as exact as it,
 * from the first result on, even if the overflow would leave no trace in the output. */
#include <string.h>

#include "build.h"
#include "check-main.h"
#include "engine/device-private.h"
#include "engine/network-private.h"
#include "engine/plan-private.h"

#define SIZE 24
#define N_INPUT (SIZE * SIZE)

typedef struct {
  const char *name;
  const char *operators; /* one after the other; Mul multiplies by itself, * by large constants */
  float largest;         /* of the input */
  const char *warning;   /* a pattern, or NULL */
  double tolerance;
} Row;

#define ROUNDING 4e-3

static const Row rows[] = {
    {"fits", "Mul Sqrt", 10, NULL, ROUNDING},
    {"input", "Sqrt", 1e6, "fall back to float32.*“input”", ROUNDING},
    {"one value", "Mul Sqrt Tanh", 300, "fall back to float32.*“Mul", ROUNDING},
    /* An infinite number's reciprocal is finite, and wrong. */
    {"hidden", "Mul Reciprocal Sqrt", 3000, "fall back to float32.*“Mul", ROUNDING},
    {"several values", "Mul Mul Sqrt Sqrt", 300, "these layers fall back", ROUNDING},
    {"weights", "* Sqrt", 0.5, NULL, ROUNDING},
    {"weights and values", "* Sqrt", 3, "fall back to float32.*“MatMul", ROUNDING},
    {"result", "Mul", 300, "fall back to float32.*“Mul", ROUNDING},
    {"a long way", "Mul Neg Neg Neg Neg Neg Neg Neg Neg Sqrt", 300, "fall back to float32",
     ROUNDING},
};

/* A matrix of one number along its diagonal. */
static EnsValue *
build_large (Builder *b)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (SIZE, SIZE));

  memset (tensor->data, 0, ens_tensor_size (tensor));
  for (guint i = 0; i < SIZE; i++)
    ((float *)tensor->data)[i * SIZE + i] = 1e5F;
  return ens_graph_add_constant (b->graph, "large", tensor);
}

static EnsValue *
apply (Builder *b, const char *op, EnsValue *x)
{
  if (g_str_equal (op, "*"))
    return build (b, "MatMul", NULL, x, build_large (b), NULL);
  if (g_str_equal (op, "Mul"))
    return build (b, "Mul", NULL, x, x, NULL);
  return build (b, op, NULL, x, NULL);
}

static EnsPlan *
make_plan (const Row *row, EnsDevice *device)
{
  g_auto (GStrv) operators = g_strsplit (row->operators, " ", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsNetwork) network = NULL;
  g_auto (Builder) b;
  EnsValue *x;
  EnsPlan *plan;

  builder_init (&b, 1);
  x = build_input (&b, &ENS_SHAPE (SIZE, SIZE));
  for (char **op = operators; *op != NULL; op++)
    x = apply (&b, *op, x);
  ens_graph_add_output (b.graph, x);
  network = ens_network_new (g_steal_pointer (&b.graph), device, &error);
  ck_assert_no_error (error);
  plan = ens_network_plan (network, &ENS_SHAPE (SIZE, SIZE), &error);
  ck_assert_no_error (error);
  return plan;
}

static void
fill (float *input, float largest)
{
  for (guint i = 0; i < N_INPUT; i++)
    input[i] = largest * (0.01F + (float)(i % 97) / 97);
}

static EnsDevice *
open_gpu (void)
{
  g_autoptr (GError) error = NULL;
  EnsDevice *device = ens_device_open ("vulkan+float16", 2, &error);

  if (device == NULL)
    test_skip (error->message);
  else
    ck_assert (g_str_has_suffix (ens_device_get_name (device), "+float16"));
  return device;
}

static void
check_warning (EnsDevice *device, const char *pattern)
{
  g_autofree char *warning = ens_device_take_warning (device);

  if (pattern == NULL)
    ck_assert_ptr_null (warning);
  else
    ck_assert (g_regex_match_simple (pattern, warning, 0, 0));
}

/* Twice: what has been found out holds. */
START_TEST (check_row)
{
  const Row *row = &rows[_i];
  g_autoptr (EnsDevice) device = open_gpu (), cpu = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsPlan) plan = NULL, reference = make_plan (row, cpu);
  float input[N_INPUT], found[N_INPUT], expected[N_INPUT];
  const gconstpointer inputs[] = {input};
  g_autoptr (GError) error = NULL;

  if (device == NULL)
    return;
  plan = make_plan (row, device);
  fill (input, row->largest);
  ens_plan_run (reference, inputs, (const gpointer[]) {expected}, NULL);
  for (guint i = 0; i < 2; i++) {
    memset (found, 0xff, sizeof found);
    ens_plan_run (plan, inputs, (const gpointer[]) {found}, &error);
    ck_assert_no_error (error);
    ck_assert_double_lt (relative_error (found, expected, N_INPUT), row->tolerance);
    check_warning (device, i == 0 ? row->warning : NULL);
  }
}
END_TEST

/* The same, of two networks that run together. */
START_TEST (test_together)
{
  const Row *row[] = {&rows[0], &rows[3]};
  g_autoptr (EnsDevice) device = open_gpu (), cpu = ens_device_open ("cpu", 1, NULL);
  float input[N_INPUT], found[2][N_INPUT], expected[N_INPUT];
  const gconstpointer inputs[] = {input};
  const gpointer outputs[][1] = {{found[0]}, {found[1]}};
  EnsPlan *plans[2];
  g_autoptr (GError) error = NULL;

  if (device == NULL)
    return;
  fill (input, row[1]->largest);
  for (guint i = 0; i < 2; i++)
    plans[i] = make_plan (row[i], device);
  ens_plans_run (
      (const EnsPlanRun[]) {{plans[0], inputs, outputs[0]}, {plans[1], inputs, outputs[1]}}, 2,
      NULL, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (EnsPlan) reference = make_plan (row[i], cpu);

    ens_plan_run (reference, inputs, (const gpointer[]) {expected}, NULL);
    ck_assert_double_lt (relative_error (found[i], expected, N_INPUT), row[i]->tolerance);
    ens_plan_unref (plans[i]);
  }
  check_warning (device, "fall back to float32");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/half");
  TEST_ADD_ROWS (NULL, check_row, rows);
  test_add ("together", test_together);
  return test_run ();
}
