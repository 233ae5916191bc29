/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times kernels: milliseconds and, where operations are counted, GFLOP/s. */
#include "case.h"

#include "graph/infer.h"
#include "ops/operands.h"

#include <stdio.h>
#include <string.h>

static gint64
bytes_moved (const TestCase *test_case)
{
  const EnsNode *node = test_case->node;
  gint64 bytes = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL)
      bytes += ens_shape_elements (&node->inputs[i]->shape)
               * (gint64)ens_type_size (node->inputs[i]->type);
  for (guint i = 0; i < node->n_outputs; i++)
    bytes += ens_shape_elements (&node->outputs[i]->shape)
             * (gint64)ens_type_size (node->outputs[i]->type);
  return bytes;
}

static void
print_row (const TestCase *test_case, EnsThreadPool *pool)
{
  const char *kernel;
  double seconds = test_case_time (test_case, pool, &kernel);
  double flops = ens_node_count_flops (test_case->node);

  printf ("%-18s %-34s %-12s %7u %10.4f", test_case->node->op->name, test_case->row->name, kernel,
          ens_thread_pool_get_threads (pool), seconds * 1e3);
  if (flops > 0)
    printf (" %9.1f", flops / seconds / 1e9);
  else
    printf (" %9s", "");
  printf (" %8.1f\n", (double)bytes_moved (test_case) / seconds / 1e9);
}

static void
benchmark_row (const char *op, const TestRow *row)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TestCase) test_case = NULL;
  guint threads = g_get_num_processors ();

  if (row->benchmark == NULL)
    return;
  test_case = test_case_new (op, row, row->benchmark, &error);
  if (test_case == NULL || !ens_infer_node (test_case->node, FALSE, &error))
    g_error ("%s", error->message);
  if (!test_case_is_fast (test_case))
    return;
  for (guint n = 1; n <= threads; n += MAX (threads - 1, 1)) {
    g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (n);

    print_row (test_case, pool);
  }
}

int
test_benchmark (const char *op)
{
  gboolean found = FALSE;

  printf ("%-18s %-34s %-12s %7s %10s %9s %8s\n", "operator", "row", "kernel", "threads", "ms",
          "GFLOP/s", "GB/s");
  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++)
      for (const TestRow *row = operator->rows; row->inputs != NULL; row++)
        if (op == NULL || strcmp (op, operator->op) == 0) {
          benchmark_row (operator->op, row);
          found = TRUE;
        }
  return found ? 0 : 1;
}

static const char *
yes (gboolean value)
{
  return value ? "yes" : "-";
}

void
test_support (void)
{
  const EnsOp *const *ops = ens_op_list ();

  printf ("%-22s %-10s %-10s %-10s %-10s\n", "operator", "reference", "cpu", "gpu", "gradient");
  for (guint i = 0; ops[i] != NULL; i++)
    printf ("%-22s %-10s %-10s %-10s %-10s\n", ops[i]->name, yes (ops[i]->reference != NULL),
            ops[i]->kind == ENS_KIND_VIEW ? "free" : yes (ops[i]->cpu != NULL),
            yes (ops[i]->gpu != NULL), yes (ops[i]->gradient != NULL));
}
