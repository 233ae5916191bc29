/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "case.h"

#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "check-main.h"
#include "cpu/weights.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/operands.h"

/* Making */

static EnsValue *
add_input (EnsGraph *graph, const TestTensor *tensor)
{
  EnsValue *value;

  if (tensor->absent)
    return NULL;
  if (tensor->constant)
    return ens_graph_add_constant (graph, "constant", tensor->tensor);
  value = ens_graph_add_input (graph, "input", tensor->tensor->type, &tensor->tensor->shape);
  return value;
}

static void
make_node (TestCase *test_case, const EnsOp *op, gconstpointer params)
{
  g_autofree EnsValue **values = g_new0 (EnsValue *, test_case->inputs->len);
  guint n_outputs = MAX (test_case->row->outputs, 1);

  test_case->graph = ens_graph_new ("test");
  for (guint i = 0; i < test_case->inputs->len; i++)
    values[i] = add_input (test_case->graph, &g_array_index (test_case->inputs, TestTensor, i));
  test_case->node = ens_graph_add_node (test_case->graph, op, "row", params, values,
                                        test_case->inputs->len, n_outputs);
}

TestCase *
test_case_new_from (const char *op_name, const TestRow *row, EnsAttributes *attributes,
                    GArray *inputs, GError **error)
{
  g_autoptr (TestCase) test_case = g_new0 (TestCase, 1);
  const EnsOp *op = ens_op_find (op_name);
  g_autofree gpointer params = g_malloc0 (op->params_size);
  EnsParse parse = {.node = "row",
                    .internal = TRUE,
                    .opset = row->opset > 0 ? row->opset : ENS_ONNX_OPSET,
                    .n_outputs = MAX (row->outputs, 1),
                    .attributes = attributes};

  test_case->row = row;
  test_case->inputs = g_array_ref (inputs);
  g_assert_cmpuint (inputs->len, >=, op->min_inputs);
  g_assert_cmpuint (inputs->len, <=, op->max_inputs);
  if (!ens_op_read_attributes (op, &parse, params, error))
    return NULL;
  make_node (test_case, op, params);
  return g_steal_pointer (&test_case);
}

TestCase *
test_case_new (const char *op, const TestRow *row, const char *inputs, GError **error)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (EnsAttributes) attributes = test_read_attributes (row->attributes);
  g_autoptr (GArray) tensors = test_read_tensors (inputs, random);

  return test_case_new_from (op, row, attributes, tensors, error);
}

TestCase *
test_case_new_with (const TestCase *other, GArray *inputs, gconstpointer params)
{
  TestCase *test_case = g_new0 (TestCase, 1);

  test_case->row = other->row;
  test_case->inputs = g_array_ref (inputs);
  make_node (test_case, other->node->op, params);
  return test_case;
}

void
test_case_free (TestCase *test_case)
{
  g_clear_pointer (&test_case->graph, ens_graph_free);
  g_clear_pointer (&test_case->inputs, g_array_unref);
  g_free (test_case);
}

gboolean
test_case_is_fast (const TestCase *test_case)
{
  const EnsNode *node = test_case->node;
  const EnsValue *input = node->n_inputs > 0 ? node->inputs[0] : NULL;

  return node->op->cpu != NULL && node->outputs[0]->type == ENS_TYPE_FLOAT32
         && (input == NULL || input->type == ENS_TYPE_FLOAT32);
}

/* Memory. A block holds a tensor with gaps between its runs and guards at both ends, all of them
 * NaN whatever the element type. */

#define GUARD 64 /* bytes, so that tensors stay aligned */
#define MARK 0xff

typedef struct {
  EnsView view;
  char *memory, *before; /* `before`: a copy to compare with */
  gsize size;
} Block;

static gsize
row_size (const EnsView *view)
{
  return ens_view_columns (view) * ens_type_size (view->type);
}

static char *
row_at (const EnsView *view, gsize row)
{
  return (char *)view->data + row * (gsize)view->pitch * ens_type_size (view->type);
}

static void
block_init (Block *block, EnsType type, const EnsShape *shape, gboolean pitched)
{
  gsize rows, size;

  block->view = ens_view_dense (type, shape, NULL);
  if (pitched && shape->rank > 1)
    block->view.pitch += 3;
  rows = ens_view_rows (&block->view);
  size = rows * (gsize)block->view.pitch * ens_type_size (type);
  block->size = (size + GUARD - 1) / GUARD * GUARD + 2 * GUARD;
  block->memory = aligned_alloc (GUARD, block->size);
  memset (block->memory, MARK, block->size);
  block->view.data = block->memory + GUARD;
}

static void
block_fill (Block *block, const EnsTensor *tensor)
{
  gsize rows = ens_view_rows (&block->view), size = row_size (&block->view);

  for (gsize i = 0; i < rows && size > 0; i++)
    memcpy (row_at (&block->view, i), (const char *)tensor->data + i * size, size);
}

static void
block_remember (Block *block)
{
  block->before = g_memdup2 (block->memory, block->size);
}

/* Nothing changed; of an output, nothing outside its elements. */
static void
block_check (Block *block, gboolean output)
{
  gsize rows = output ? ens_view_rows (&block->view) : 0, size = row_size (&block->view);

  for (gsize i = 0; i < rows && size > 0; i++)
    memcpy (block->before + (row_at (&block->view, i) - block->memory), row_at (&block->view, i),
            size);
  ck_assert_bytes_eq (block->memory, block->size, block->before, block->size);
}

static EnsTensor *
block_take (const Block *block)
{
  EnsTensor *tensor = ens_tensor_new (block->view.type, &block->view.shape);
  gsize rows = ens_view_rows (&block->view), size = row_size (&block->view);

  for (gsize i = 0; i < rows && size > 0; i++)
    memcpy ((char *)tensor->data + i * size, row_at (&block->view, i), size);
  return tensor;
}

static void
block_clear (gpointer data)
{
  Block *block = data;

  free (block->memory);
  g_free (block->before);
}

/* Running */

typedef struct {
  GArray *blocks; /* inputs, then outputs */
  const EnsView **inputs;
  EnsView **outputs;
  EnsOperands operands;
} Run;

static void
run_init (Run *run, const TestCase *test_case, const TestPlacement *placement)
{
  const EnsNode *node = test_case->node;
  guint n = node->n_inputs + node->n_outputs;

  run->blocks = g_array_new (FALSE, TRUE, sizeof (Block));
  g_array_set_clear_func (run->blocks, block_clear);
  g_array_set_size (run->blocks, n);
  run->inputs = g_new0 (const EnsView *, node->n_inputs);
  run->outputs = g_new0 (EnsView *, node->n_outputs);
  for (guint i = 0; i < node->n_inputs; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);
    Block *block = &g_array_index (run->blocks, Block, i);

    if (input->absent)
      continue;
    /* Constants are always dense. */
    block_init (block, input->tensor->type, &input->tensor->shape,
                placement->pitched && !input->constant);
    block_fill (block, input->tensor);
    block_remember (block);
    run->inputs[i] = &block->view;
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    Block *block = &g_array_index (run->blocks, Block, node->n_inputs + i);

    block_init (block, node->outputs[i]->type, &node->outputs[i]->shape, placement->pitched);
    block_remember (block);
    run->outputs[i] = &block->view;
  }
  if (placement->in_place >= 0)
    run->outputs[0] = &g_array_index (run->blocks, Block, placement->in_place).view;
  run->operands = (EnsOperands) {.node = node,
                                 .params = node->params,
                                 .n_inputs = node->n_inputs,
                                 .n_outputs = node->n_outputs,
                                 .inputs = run->inputs,
                                 .outputs = run->outputs};
}

static void
run_clear (Run *run)
{
  g_array_unref (run->blocks);
  g_free (run->inputs);
  g_free (run->outputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static EnsCpuPlan
make_plan (const Run *run, EnsThreadPool *pool, EnsPackedWeights *weights)
{
  EnsCpuPlan plan = {
      .n_threads = ens_thread_pool_get_threads (pool), .weights = weights, .kernel = "vector"};
  g_autofree gpointer *data = g_new0 (gpointer, run->blocks->len);

  /* While planning nothing but constants has contents. */
  for (guint i = 0; i < run->blocks->len; i++) {
    Block *block = &g_array_index (run->blocks, Block, i);

    data[i] = block->view.data;
    if (i >= run->operands.n_inputs || block->memory == NULL
        || run->operands.node->inputs[i]->constant == NULL)
      block->view.data = NULL;
  }
  if (run->operands.node->op->cpu_plan != NULL)
    run->operands.node->op->cpu_plan (&run->operands, &plan);
  for (guint i = 0; i < run->blocks->len; i++)
    g_array_index (run->blocks, Block, i).view.data = data[i];
  return plan;
}

static void
run_cpu (const Run *run, EnsThreadPool *pool)
{
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  EnsCpuPlan plan = make_plan (run, pool, weights);
  Block scratch = {0};

  block_init (&scratch, ENS_TYPE_UINT8, &ENS_SHAPE ((gint64)plan.scratch_size), FALSE);
  block_remember (&scratch);
  run->operands.node->op->cpu (
      &run->operands,
      &(EnsCpuContext) {.pool = pool, .scratch = scratch.view.data, .state = plan.state});
  block_check (&scratch, TRUE);
  block_clear (&scratch);
  if (plan.free_state != NULL)
    plan.free_state (plan.state);
}

GPtrArray *
test_case_run (const TestCase *test_case, const TestPlacement *placement)
{
  const EnsNode *node = test_case->node;
  GPtrArray *outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  g_auto (Run) run;

  run_init (&run, test_case, placement);
  if (placement->pool != NULL)
    run_cpu (&run, placement->pool);
  else
    node->op->reference (&run.operands);
  for (guint i = 0; i < run.blocks->len; i++) {
    Block *block = &g_array_index (run.blocks, Block, i);
    gboolean output = i >= node->n_inputs || (int)i == placement->in_place;

    if (block->memory != NULL)
      block_check (block, output);
  }
  for (guint i = 0; i < node->n_outputs; i++) {
    guint from =
        i == 0 && placement->in_place >= 0 ? (guint)placement->in_place : node->n_inputs + i;

    g_ptr_array_add (outputs, block_take (&g_array_index (run.blocks, Block, from)));
  }
  return outputs;
}

#define MIN_SECONDS 0.2

double
test_case_time (const TestCase *test_case, EnsThreadPool *pool, const char **kernel)
{
  const EnsNode *node = test_case->node;
  g_autoptr (EnsPackedWeights) weights = ens_packed_weights_new ();
  EnsCpuContext context = {.pool = pool};
  double best = G_MAXDOUBLE, total = 0;
  EnsCpuPlan plan;
  g_auto (Run) run;

  run_init (&run, test_case, &(TestPlacement) {.pool = pool, .in_place = -1});
  plan = make_plan (&run, pool, weights);
  *kernel = plan.kernel;
  context.state = plan.state;
  context.scratch = ens_block_new (plan.scratch_size + 1);
  for (guint i = 0; i < 3 || total < MIN_SECONDS; i++) {
    gint64 start = g_get_monotonic_time ();
    double seconds;

    node->op->cpu (&run.operands, &context);
    seconds = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
    best = MIN (best, seconds);
    total += seconds;
  }
  ens_block_free (context.scratch);
  if (plan.free_state != NULL)
    plan.free_state (plan.state);
  return best;
}
