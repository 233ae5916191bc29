/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/dense-map.h"

#include "build.h"
#include "check-main.h"
#include "passes/passes.h"

/* -- sub-images -- */

static const struct {
  const char *name;
  guint longer, size, step;
  guint n, offsets[8];
} squares[] = {
    {"256x341", 341, 256, 16, 7, {0, 16, 32, 48, 64, 80, 85}},
    {"exact", 288, 256, 16, 3, {0, 16, 32}},
    {"square", 256, 256, 16, 1, {0}},
    {"one-more", 257, 256, 16, 2, {0, 1}},
};

START_TEST (test_squares)
{
  guint longer = squares[_i].longer, size = squares[_i].size, step = squares[_i].step;

  ck_assert_uint_eq (ens_sub_image_count (longer, size, step), squares[_i].n);
  for (guint i = 0; i < squares[_i].n; i++)
    ck_assert_uint_eq (ens_sub_image_offset (longer, size, step, i), squares[_i].offsets[i]);
}
END_TEST

static const guint sizes[][2] = {{224, 256}, {227, 256}, {160, 192},
                                 {299, 352}, {32, 32},   {20, 32}};

START_TEST (test_size)
{
  ck_assert_uint_eq (ens_sub_image_size (sizes[_i][0]), sizes[_i][1]);
}
END_TEST

/* -- maps -- */

static EnsValue *
build_body (Builder *b, EnsValue *x)
{
  x = build_conv (b, x, (ConvRow) {.filters = 4, .kernel = 3, .stride = 2});
  x = build (b, "Relu", NULL, x, NULL);
  return build_conv (b, x, (ConvRow) {.filters = 4, .kernel = 3, .stride = 2});
}

static EnsValue *
build_matrix (Builder *b, EnsValue *x)
{
  return build_gemm (b, build_flatten (b, build_body (b, x)), 3);
}

static EnsValue *
build_average (Builder *b, EnsValue *x)
{
  x = build (b, "GlobalAveragePool", NULL, build_body (b, x), NULL);
  return build_gemm (b, build_flatten (b, x), 3);
}

/* Rounded up, which gives a first position too many. */
static EnsValue *
build_ceiling (Builder *b, EnsValue *x)
{
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT, .ceil_mode = TRUE};

  pool.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    pool.sliding.kernel[i] = 2;
    pool.sliding.strides[i] = 4;
  }
  return build_gemm (b, build_flatten (b, build (b, "MaxPool", &pool, x, NULL)), 3);
}

/* A maximum over the whole map at any size. */
static EnsValue *
build_global (Builder *b, EnsValue *x)
{
  const EnsReduceParams params = {.axes = {2, TRUE, {1, 2}}};

  return build (b, "ReduceMax", &params, build_body (b, x), NULL);
}

static const struct {
  const char *name;
  EnsValue *(*build) (Builder *builder, EnsValue *x);
  guint size, input;
  guint n, region; /* positions along a side, and what one stands for */
  double spacing;
  gboolean is_linear;
} maps[] = {
    {"matrix", build_matrix, 15, 29, 4, 15, 4, TRUE},
    {"matrix-same", build_matrix, 15, 15, 1, 15, 4, TRUE},
    {"matrix-between", build_matrix, 15, 22, 2, 15, 4, TRUE},
    {"average", build_average, 15, 23, 3, 15, 4, TRUE},
    {"ceiling", build_ceiling, 8, 16, 3, 8, 4, FALSE},
    {"ceiling-uneven", build_ceiling, 7, 16, 3, 7, 4.5, FALSE},
    {"global", build_global, 15, 29, 1, 29, 0, FALSE},
};

/* The network, applied convolutionally. */
static void
build_dense (Builder *b, guint row)
{
  const EnsShape nominal = ENS_SHAPE (1, maps[row].size, maps[row].size, 2);
  EnsValue *input;
  g_autoptr (GError) error = NULL;

  builder_init (b, 1);
  input = build_input (b, &nominal);
  ens_graph_add_output (b->graph, maps[row].build (b, input));
  input->shape = ENS_SHAPE (-1, -1, -1, 2);
  ens_pass_convolutionalise (b->graph, &nominal, &error);
  ck_assert_no_error (error);
}

START_TEST (test_find)
{
  g_auto (Builder) b = {0};
  g_autoptr (GError) error = NULL;
  EnsDenseMap map;
  EnsRect last;

  build_dense (&b, (guint)_i);
  ck_assert (ens_dense_map_find (b.graph, maps[_i].size, maps[_i].input, &map, &error));
  ck_assert_uint_eq (map.rows, maps[_i].n);
  ck_assert_uint_eq (map.columns, maps[_i].n);
  ck_assert_int_eq (map.is_linear, maps[_i].is_linear);
  ck_assert_double_eq_tol (map.spacing, maps[_i].spacing, 1e-9);
  last = ens_dense_map_get_rect (&map, 0, map.columns - 1);
  ck_assert_double_eq_tol (last.x * maps[_i].input, (maps[_i].n - 1) * map.spacing, 1e-4);
  ck_assert_double_eq_tol (last.y, 0, 1e-9);
  ck_assert_double_eq_tol (last.width * maps[_i].input, maps[_i].region, 1e-4);
}
END_TEST

START_TEST (test_too_small)
{
  g_auto (Builder) b = {0};
  g_autoptr (GError) error = NULL;
  EnsDenseMap map;

  build_dense (&b, 0);
  ck_assert (!ens_dense_map_find (b.graph, 15, 2, &map, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_SHAPE);
}
END_TEST

/* Whatever lies outside of the square that a position stands for does not change it. */
START_TEST (test_inside)
{
  g_auto (Builder) b = {0};
  g_autoptr (EnsTensor) input = NULL, before = NULL, after = NULL;
  EnsDenseMap map;
  const guint side = maps[0].input, row = 1, column = 2;
  const gsize at = (row * maps[0].n + column) * 3;

  build_dense (&b, 0);
  ck_assert (ens_dense_map_find (b.graph, maps[0].size, side, &map, NULL));
  input = random_tensor (b.rand, &ENS_SHAPE (1, side, side, 2));
  before = run_graph (b.graph, input);
  for (guint y = 0; y < side; y++)
    for (guint x = 0; x < side; x++)
      if (y < row * map.spacing || y >= row * map.spacing + map.size || x < column * map.spacing
          || x >= column * map.spacing + map.size)
        ((float *)input->data)[(y * side + x) * 2] += 10;
  after = run_graph (b.graph, input);
  ck_assert_bytes_eq ((float *)before->data + at, 3 * sizeof (float), (float *)after->data + at,
                      3 * sizeof (float));
  ck_assert (memcmp (before->data, after->data, 3 * sizeof (float)) != 0);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/dense-map");
  TEST_ADD_ROWS ("squares", test_squares, squares);
  TEST_ADD_LOOP ("size", test_size, sizes);
  TEST_ADD_ROWS ("find", test_find, maps);
  test_add ("too-small", test_too_small);
  test_add ("inside", test_inside);
  return test_run ();
}
