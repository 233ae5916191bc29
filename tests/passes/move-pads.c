/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pads between Transposes: what is left, and that it computes the same. */
#include "build.h"

#include "check-main.h"
#include "passes/passes.h"

static const gint64 to_first[] = {0, 3, 1, 2}, to_last[] = {0, 2, 3, 1}, turned[] = {0, 2, 1, 3};

/* (N, C, H, W): one line above, two below, three pixels to the right. */
static EnsValue *
build_pad (Builder *b, EnsValue *x, EnsPadMode mode)
{
  const EnsPadParams params = {.mode = mode};
  const gint64 pads[] = {0, 0, 1, 0, 0, 0, 2, 3};
  g_autoptr (EnsTensor) list = ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (8), pads);

  return build (b, "Pad", &params, x, ens_graph_add_constant (b->graph, NULL, list), NULL);
}

typedef struct {
  EnsPadMode mode;
  const gint64 *before, *behind; /* orders of axes; NULL: no Transpose */
  const char *left;
} Row;

static const Row rows[] = {
    {ENS_PAD_CONSTANT, to_first, to_last, "Pad Transpose Transpose Relu"},
    {ENS_PAD_REFLECT, to_first, to_last, "Pad Transpose Transpose Relu"},
    {ENS_PAD_CONSTANT, to_first, turned, "Pad Transpose Transpose Relu"},
    {ENS_PAD_CONSTANT, to_first, NULL, "Transpose Pad Relu"},
    {ENS_PAD_CONSTANT, NULL, to_last, "Pad Transpose Relu"},
};

START_TEST (test_move)
{
  const Row *row = &rows[_i];
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 2);
  x = build_input (&b, &ENS_SHAPE (2, 6, 7, 5));
  x = row->before != NULL ? build_transpose (&b, x, row->before) : x;
  x = build_pad (&b, x, row->mode);
  x = row->behind != NULL ? build_transpose (&b, x, row->behind) : x;
  check_pass (&b, build (&b, "Relu", NULL, x, NULL), ens_pass_move_pads, row->left);
}
END_TEST

/* What reads the padded value in the file's order, too, keeps it. */
START_TEST (test_keep_shared)
{
  g_auto (Builder) b;
  EnsValue *x, *y;

  builder_init (&b, 2);
  x = build_transpose (&b, build_input (&b, &ENS_SHAPE (2, 6, 7, 5)), to_first);
  x = build_pad (&b, x, ENS_PAD_CONSTANT);
  y = build_transpose (&b, x, to_last);
  ens_graph_add_output (b.graph, build (&b, "Relu", NULL, x, NULL));
  check_pass (&b, build (&b, "Relu", NULL, y, NULL), ens_pass_move_pads,
              "Transpose Pad Transpose Relu Relu");
}
END_TEST

static gboolean
move_join_fold (EnsGraph *graph)
{
  gboolean progress = ens_pass_move_pads (graph);

  ens_graph_remove_unused (graph);
  progress |= ens_pass_remove_transposes (graph);
  ens_graph_remove_unused (graph);
  return ens_pass_fold_pads (graph) || progress;
}

/* Pads that are an input, between a convolution's Transposes. */
START_TEST (test_fold)
{
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 2);
  x = build_transpose (&b, build_input (&b, &ENS_SHAPE (2, 6, 7, 5)), to_first);
  x = build_transpose (&b, build_pad (&b, x, ENS_PAD_CONSTANT), to_last);
  check_pass (&b, build_conv (&b, x, (ConvRow) {.filters = 4, .kernel = 3}), move_join_fold,
              "Conv");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("passes/move-pads");
  TEST_ADD_LOOP ("move", test_move, rows);
  test_add ("shared", test_keep_shared);
  test_add ("fold", test_fold);
  return test_run ();
}
