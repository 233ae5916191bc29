/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/similarity.h"

#include "check-main.h"
#include "cpu/interpret.h"

#define CLASSES 2
#define FEATURES 2
#define QUERIES 5

static const float examples[][FEATURES] = {{1, 0},    {3, 0.25F}, {2, 1},     {2, 0.5F},
                                           {4, 1.5F}, {0, 2},     {0.25F, 4}, {1, 2},
                                           {1, 3},    {0.75F, 2}, {1, 4}};
static const guint8 labels[][CLASSES] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {0, 1},
                                         {0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}};
static const EnsExamples learnt = {
    {G_N_ELEMENTS (examples), CLASSES, labels[0]}, FEATURES, examples[0]};

/* The last is a zero vector. */
static const float queries[QUERIES][FEATURES] = {{2, 0}, {0, 3}, {-1, -1}, {3, 3}, {0, 0}};

static void
measure (EnsSimilarity kind, const EnsExamples *from, float *similarities)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("similarity");
  EnsValue *input =
      ens_graph_add_input (graph, "vectors", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, FEATURES));
  g_autoptr (EnsTensor) rows =
      ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (QUERIES, FEATURES), queries);
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (GError) error = NULL;
  const EnsTensor *output;

  ens_graph_add_output (graph, ens_similarity_append (graph, input, kind, from, NULL));
  outputs = ens_interpret (graph, &rows, &error);
  ck_assert_no_error (error);
  output = outputs->pdata[0];
  ck_assert (ens_shape_equal (&output->shape, &ENS_SHAPE (QUERIES, CLASSES)));
  memcpy (similarities, output->data, ens_tensor_size (output));
}

/* By NumPy, from the formulas in similarity.h; of the zero vector all cosines are 0, and that is
 * one neighbour. */
static const struct {
  const char *name;
  EnsSimilarity kind;
  float expected[QUERIES][CLASSES];
} rows[] = {
    {"cosine",
     ENS_SIMILARITY_COSINE,
     {{0.965226F, 0.229039F},
      {0.261415F, 0.973417F},
      {-0.867367F, -0.850265F},
      {0.867367F, 0.850265F},
      {0, 0}}},
    {"centred-cosine",
     ENS_SIMILARITY_CENTRED_COSINE,
     {{0.927566F, -0.927566F},
      {-0.974355F, 0.974355F},
      {0.186132F, -0.186132F},
      {0.027502F, -0.027502F},
      {0.229049F, -0.229049F}}},
    {"distance",
     ENS_SIMILARITY_DISTANCE,
     {{0.803334F, 0.006225F},
      {0.014385F, 0.783014F},
      {0.004657F, 0.000117F},
      {0.10954F, 0.058746F},
      {0.097857F, 0.012419F}}},
    {"mahalanobis",
     ENS_SIMILARITY_MAHALANOBIS,
     {{0.364652F, 0}, {0, 0.35886F}, {0, 0}, {0.011378F, 0.018381F}, {0, 0}}},
    {"nearest",
     ENS_SIMILARITY_NEAREST,
     {{0.959489F, 0.283896F},
      {0.224784F, 0.970642F},
      {-0.837407F, -0.823846F},
      {0.837407F, 0.872162F},
      {-0.8F, -0.8F}}},
};

START_TEST (test_formula)
{
  float similarities[QUERIES * CLASSES];

  measure (rows[_i].kind, &learnt, similarities);
  for (guint i = 0; i < QUERIES * CLASSES; i++)
    ck_assert_double_eq_tol (similarities[i], rows[_i].expected[i / CLASSES][i % CLASSES], 2e-5);
}
END_TEST

/* An example that is there twice is one neighbour. */
START_TEST (test_twice)
{
  static const float twice[][FEATURES] = {{1, 0}, {1, 0}, {2, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}};
  static const guint8 sides[][CLASSES] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}};
  const EnsExamples from = {{G_N_ELEMENTS (twice), CLASSES, sides[0]}, FEATURES, twice[0]};
  float similarities[QUERIES * CLASSES];

  measure (ENS_SIMILARITY_NEAREST, &from, similarities);
  ck_assert_double_eq_tol (similarities[0], (1 + M_SQRT1_2 + 0 - M_SQRT1_2 - 1) / 5, 1e-6);
  ck_assert_double_eq (similarities[1], -1); /* of the class that has no example */
}
END_TEST

/* More examples than are kept: every so many of them. */
START_TEST (test_many)
{
  const guint n = 4 * ENS_SIMILARITY_MAX_PER_CLASS;
  g_autofree float *many = g_new (float, n *FEATURES);
  g_autofree guint8 *sides = g_new0 (guint8, n * CLASSES);
  const EnsExamples from = {{n, CLASSES, sides}, FEATURES, many};
  float similarities[QUERIES * CLASSES];

  for (guint i = 0; i < n; i++) {
    many[i * FEATURES] = cosf ((float)i / n);
    many[i * FEATURES + 1] = sinf ((float)i / n);
    sides[i * CLASSES] = 1;
  }
  measure (ENS_SIMILARITY_NEAREST, &from, similarities);
  ck_assert_double_eq_tol (similarities[0], 1, 1e-3);
  ck_assert_double_eq_tol (similarities[2], sin (1), 1e-2);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/similarity");
  TEST_ADD_ROWS ("formula", test_formula, rows);
  test_add ("twice", test_twice);
  test_add ("many", test_many);
  return test_run ();
}
