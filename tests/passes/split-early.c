/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits behind Transposes: what is left, and that it computes the same. */
#include "build.h"

#include "check-main.h"
#include "graph/infer.h"
#include "passes/passes.h"

/* Queries, keys and values as one product gives them. */
START_TEST (test_split_early)
{
  const EnsSplitParams params = {0};
  g_auto (Builder) b;
  EnsValue *x;
  EnsNode *split;

  builder_init (&b, 2);
  x = build_reshape (&b, build_input (&b, &ENS_SHAPE (2, 5, 24)), &ENS_SHAPE (2, 5, 2, 3, 4));
  x = build_transpose (&b, x, (const gint64[]) {2, 0, 3, 1, 4});
  split = ens_graph_add_node (b.graph, ens_op_find ("Split"), NULL, &params, &x, 1, 2);
  ck_assert (ens_infer_node (split, FALSE, NULL));
  x = build_reshape (&b, split->outputs[0], &ENS_SHAPE (2, 3, 5, 4));
  x = build (&b, "Sub", NULL, x, split->outputs[1], NULL);
  check_pass (&b, x, ens_pass_split_early, "Split Reshape Transpose Reshape Transpose Reshape Sub");
}
END_TEST

/* Parts of other lengths than 1 stay, though there are as many parts as the axis is long. */
START_TEST (test_keep_unequal_split)
{
  const EnsSplitParams params = {0};
  const gint64 lengths[] = {1, 2, 0};
  g_autoptr (EnsTensor) list = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (3), lengths);
  g_auto (Builder) b;
  EnsValue *x, *inputs[2];
  EnsNode *split;

  builder_init (&b, 2);
  x = build_reshape (&b, build_input (&b, &ENS_SHAPE (2, 5, 24)), &ENS_SHAPE (2, 5, 3, 2, 4));
  inputs[0] = build_transpose (&b, x, (const gint64[]) {2, 0, 3, 1, 4});
  inputs[1] = ens_graph_add_constant (b.graph, "lengths", list);
  split = ens_graph_add_node (b.graph, ens_op_find ("Split"), NULL, &params, inputs, 2, 3);
  ck_assert (ens_infer_node (split, FALSE, NULL));
  x = build (&b, "Sub", NULL, split->outputs[0], split->outputs[1], NULL);
  check_pass (&b, x, ens_pass_split_early, "Reshape Transpose Split Sub");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/split-early");
  test_add ("early", test_split_early);
  test_add ("unequal", test_keep_unequal_split);
  return test_run ();
}
