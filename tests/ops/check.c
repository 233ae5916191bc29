/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold of every row:
 *
 * - params survive writing and reading attributes;
 * - the reference gives what the row expects, dense and, where the operator takes that, pitched;
 * - the kernel gives what the reference gives, dense, pitched and in place, with the same bits on
 *   one thread and on three;
 * - nothing is written but outputs (case.c), and views have their input's elements;
 * - in channels-last order, with axes renumbered by permute (), the result is the same. */
#include <string.h>

#include "case.h"
#include "check-main.h"
#include "compare.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/operands.h"

G_GNUC_NORETURN static void
fail_row (const char *what, const char *found, const char *expected)
{
  ck_abort_msg ("%s is %s, expected %s", what, found, expected);
}

/* Comparing */

static void
compare (const TestCase *test_case, const char *what, const EnsTensor *found,
         const EnsTensor *expected)
{
  g_autofree char *difference =
      test_compare (found, expected, test_row_tolerance (test_case->row), test_case->row->each);

  if (difference != NULL)
    ck_abort_msg ("%s%s", what, difference);
}

static void
compare_bits (const TestCase *test_case, const char *what, const EnsTensor *found,
              const EnsTensor *expected)
{
  if (memcmp (found->data, expected->data, ens_tensor_size (expected)) != 0)
    fail_row (what, "different in some bits", "the same");
}

static void
compare_shapes (const EnsValue *found, const EnsTensor *expected)
{
  g_autofree char *a = ens_shape_to_string (&found->shape);
  g_autofree char *b = ens_shape_to_string (&expected->shape);

  if (found->type != expected->type)
    fail_row ("the type", ens_type_name (found->type), ens_type_name (expected->type));
  else if (!ens_shape_equal (&found->shape, &expected->shape))
    fail_row ("the shape", a, b);
}

static void
compare_with_row (const TestCase *test_case, GPtrArray *outputs)
{
  g_autoptr (GRand) random = g_rand_new ();
  g_autoptr (GArray) expected = NULL;

  if (test_case->row->expected == NULL)
    return;
  expected = test_read_tensors (test_case->row->expected, random);
  ck_assert_uint_le (expected->len, outputs->len);
  for (guint i = 0; i < expected->len; i++) {
    const TestTensor *tensor = &g_array_index (expected, TestTensor, i);

    compare_shapes (test_case->node->outputs[i], tensor->tensor);
    if (tensor->has_values)
      compare (test_case, "the reference", g_ptr_array_index (outputs, i), tensor->tensor);
  }
}

/* Attributes */

static void
check_round_trip (const TestCase *test_case)
{
  const EnsNode *node = test_case->node;
  const EnsOp *op = node->op;
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();
  g_autofree gpointer params = g_malloc0 (op->params_size);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gint64 opset = MAX (test_case->row->opset, ENS_ONNX_OPSET);
  EnsParse parse = {.node = "row",
                    .internal = TRUE,
                    .opset = opset,
                    .n_outputs = node->n_outputs,
                    .attributes = attributes};

  ens_op_write_attributes (op, node->params, node->n_outputs, opset, attributes);
  text = ens_attributes_to_string (attributes);
  ens_op_read_attributes (op, &parse, params, &error);
  ck_assert_no_error (error);
  if (op->params_size > 0 && memcmp (params, node->params, op->params_size) != 0)
    fail_row ("what writing and reading attributes makes of params", text, "the same");
}

/* Kernels */

static void
check_against (const TestCase *test_case, const char *what, GPtrArray *found, GPtrArray *expected,
               gboolean bits)
{
  for (guint i = 0; i < expected->len; i++) {
    if (bits)
      compare_bits (test_case, what, g_ptr_array_index (found, i), g_ptr_array_index (expected, i));
    else
      compare (test_case, what, g_ptr_array_index (found, i), g_ptr_array_index (expected, i));
  }
}

static void
check_placement (const TestCase *test_case, const TestPlacement *placement, GPtrArray *reference)
{
  static const guint more_threads = 3;
  g_autofree char *what =
      g_strdup_printf ("the kernel's output%s%s", placement->pitched ? ", pitched" : "",
                       placement->in_place >= 0 ? ", in place" : "");
  g_autoptr (EnsThreadPool) one = ens_thread_pool_new (1);
  g_autoptr (EnsThreadPool) several = ens_thread_pool_new (more_threads);
  TestPlacement with_one = *placement, with_several = *placement;
  g_autoptr (GPtrArray) found = NULL, again = NULL;

  with_one.pool = one;
  with_several.pool = several;
  found = test_case_run (test_case, &with_one);
  check_against (test_case, what, found, reference, FALSE);
  again = test_case_run (test_case, &with_several);
  check_against (test_case, "on three threads, the kernel's output", again, found, TRUE);
}

/* Which input output 0 may overwrite; −1: none. */
static int
find_overwritten (const TestCase *test_case)
{
  const EnsNode *node = test_case->node;
  guint i = node->op->flags & ENS_OP_RESIDUAL_IN_PLACE ? node->op->max_inputs - 1 : 0;

  if (!(node->op->flags & (ENS_OP_IN_PLACE | ENS_OP_RESIDUAL_IN_PLACE)) || i >= node->n_inputs
      || node->inputs[i] == NULL || node->inputs[i]->constant != NULL
      || node->inputs[i]->type != node->outputs[0]->type
      || !ens_shape_equal (&node->inputs[i]->shape, &node->outputs[0]->shape))
    return -1;
  return (int)i;
}

static void
check_kernel (const TestCase *test_case, GPtrArray *reference)
{
  gboolean takes_pitch = (test_case->node->op->flags & ENS_OP_PITCHED) != 0;
  int overwritten = find_overwritten (test_case);

  for (int pitched = 0; pitched <= takes_pitch; pitched++) {
    check_placement (test_case, &(TestPlacement) {.pitched = pitched, .in_place = -1}, reference);
    if (overwritten >= 0)
      check_placement (test_case, &(TestPlacement) {.pitched = pitched, .in_place = overwritten},
                       reference);
  }
}

static void
check_reference (const TestCase *test_case, GPtrArray *reference)
{
  int overwritten = find_overwritten (test_case);

  if (test_case->node->op->flags & ENS_OP_PITCHED) {
    g_autoptr (GPtrArray) pitched =
        test_case_run (test_case, &(TestPlacement) {.pitched = TRUE, .in_place = -1});

    check_against (test_case, "pitched, the reference", pitched, reference, TRUE);
  }
  if (overwritten >= 0) {
    g_autoptr (GPtrArray) in_place =
        test_case_run (test_case, &(TestPlacement) {.in_place = overwritten});

    check_against (test_case, "in place, the reference", in_place, reference, TRUE);
  }
}

static void
check_view (const TestCase *test_case, GPtrArray *reference)
{
  const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, 0);
  const EnsTensor *output = g_ptr_array_index (reference, 0);

  if (test_case->node->op->kind != ENS_KIND_VIEW)
    return;
  ck_assert_uint_eq (ens_tensor_size (input->tensor), ens_tensor_size (output));
  compare_bits (test_case, "the view", output, input->tensor);
}

/* Channels last: axis 1 of rank 3 and more moves to the end. */

static void
map_axes (guint rank, guint *map)
{
  map[0] = 0;
  map[1] = rank - 1;
  for (guint i = 2; i < rank; i++)
    map[i] = i - 1;
}

static EnsTensor *
move_channels (const EnsTensor *tensor)
{
  guint rank = tensor->shape.rank, map[ENS_MAX_RANK];
  EnsShape shape = {.rank = rank};
  EnsTensor *moved;
  EnsView from = ens_view_dense (tensor->type, &tensor->shape, tensor->data), to;
  gint64 strides[ENS_MAX_RANK];
  EnsWalk walk;

  map_axes (rank, map);
  for (guint i = 0; i < rank; i++)
    shape.dims[map[i]] = tensor->shape.dims[i];
  moved = ens_tensor_new (tensor->type, &shape);
  to = ens_view_dense (moved->type, &moved->shape, moved->data);
  ens_view_strides (&to, strides);
  for (ens_walk_begin (&walk, &tensor->shape, (const EnsView *[]) {&from}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gint64 at = 0;

    for (guint i = 0; i < rank; i++)
      at += walk.index[i] * strides[map[i]];
    ens_view_copy_element (&to, (gsize)at, &from, walk.offsets[0]);
  }
  return moved;
}

static guint
max_rank (const TestCase *test_case)
{
  guint rank = 0;

  for (guint i = 0; i < test_case->inputs->len; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);

    if (!input->absent)
      rank = MAX (rank, input->tensor->shape.rank);
  }
  return rank;
}

/* The inputs in channels-last order. NULL if one has to be broadcast from a lower rank. */
static GArray *
move_inputs (const TestCase *test_case, guint rank)
{
  g_autoptr (GRand) random = g_rand_new ();
  GArray *moved = test_read_tensors (test_case->row->inputs, random);

  for (guint i = 0; i < moved->len; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);
    TestTensor *to = &g_array_index (moved, TestTensor, i);

    if (input->absent)
      continue;
    if (input->tensor->shape.rank < rank && input->tensor->shape.rank > 0
        && test_case->node->op->permute == NULL) {
      g_array_unref (moved);
      return NULL;
    }
    ens_tensor_unref (to->tensor);
    to->tensor = input->tensor->shape.rank == rank ? move_channels (input->tensor)
                                                   : ens_tensor_ref (input->tensor);
  }
  return moved;
}

static void
check_permuted (const TestCase *test_case, GPtrArray *reference)
{
  const EnsOp *op = test_case->node->op;
  guint rank = max_rank (test_case), map[ENS_MAX_RANK];
  g_autofree gpointer params = g_memdup2 (test_case->node->params, op->params_size);
  g_autoptr (GArray) inputs = NULL;
  g_autoptr (TestCase) moved = NULL;
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (GError) error = NULL;

  if (op->layout != ENS_LAYOUT_FOLLOWS || rank < 3)
    return;
  map_axes (rank, map);
  if (op->permute != NULL && !op->permute (params, rank, map))
    return;
  inputs = move_inputs (test_case, rank);
  if (inputs == NULL)
    return;
  moved = test_case_new_with (test_case, inputs, params);
  ens_infer_node (moved->node, FALSE, &error);
  ck_assert_no_error (error);
  outputs = test_case_run (moved, &(TestPlacement) {.in_place = -1});
  for (guint i = 0; i < outputs->len; i++) {
    const EnsTensor *plain = g_ptr_array_index (reference, i);
    g_autoptr (EnsTensor) expected =
        plain->shape.rank == rank ? move_channels (plain) : ens_tensor_ref ((EnsTensor *)plain);

    compare_shapes (moved->node->outputs[i], expected);
    compare (moved, "with channels last, the output", g_ptr_array_index (outputs, i), expected);
  }
}

/* Rows */

static void
check_error (const TestRow *row, const GError *error)
{
  if (error == NULL)
    fail_row ("the error", "absent", row->error);
  else if (strstr (error->message, row->error) == NULL)
    fail_row ("the error", error->message, row->error);
}

typedef struct {
  const char *op;
  const TestRow *row;
} Check;

static GArray *checks; /* Check, of all rows */

START_TEST (check_row)
{
  const Check *check = &g_array_index (checks, Check, _i);
  g_autoptr (GError) error = NULL;
  g_autoptr (TestCase) test_case =
      test_case_new (check->op, check->row, check->row->inputs, &error);
  g_autoptr (GPtrArray) reference = NULL;

  if (test_case != NULL)
    ens_infer_node (test_case->node, FALSE, &error);
  if (check->row->error != NULL) {
    check_error (check->row, error);
    return;
  }
  ck_assert_no_error (error);
  check_round_trip (test_case);
  reference = test_case_run (test_case, &(TestPlacement) {.in_place = -1});
  compare_with_row (test_case, reference);
  check_reference (test_case, reference);
  check_view (test_case, reference);
  check_permuted (test_case, reference);
  if (test_case_is_fast (test_case))
    check_kernel (test_case, reference);
}
END_TEST

static guint
count_rows (const char *op)
{
  guint n = 0;

  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++)
      for (const TestRow *row = operator->rows; row->inputs != NULL; row++)
        n += strcmp (operator->op, op) == 0 && row->error == NULL;
  return n;
}

START_TEST (check_all_have_rows)
{
  const EnsOp *const *ops = ens_op_list ();

  for (guint i = 0; ops[i] != NULL; i++) {
    if (count_rows (ops[i]->name) == 0)
      ck_abort_msg ("operator %s has no rows", ops[i]->name);
    ck_assert (ens_op_find (ops[i]->name) == ops[i]);
    ck_assert_ptr_nonnull (ops[i]->reference);
    ck_assert_ptr_nonnull (ops[i]->shape);
    if (i > 0)
      ck_assert_str_lt (ops[i - 1]->name, ops[i]->name);
  }
}
END_TEST

static void
add_operator (const TestOperator *operator)
{
  for (const TestRow *row = operator->rows; row->inputs != NULL; row++) {
    Check check = {operator->op, row};

    test_add_row (operator->op, row->name, check_row, checks->len);
    g_array_append_val (checks, check);
  }
}

void
test_add_checks (void)
{
  checks = g_array_new (FALSE, FALSE, sizeof (Check));
  test_suite ("ops");
  test_add ("every-operator-has-rows", check_all_have_rows);
  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++)
      add_operator (operator);
}
