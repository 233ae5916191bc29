/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/linear-classifier.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/op.h"

typedef struct {
  const char *name;
  guint n_samples, n_features, n_classes;
  gboolean root;
} Row;

static const Row rows[] = {
    {"one", 1, 1, 1},
    {"none", 0, 3, 2},
    {"few", 3, 7, 2},
    {"many", 100, 130, 70},
    {"root-none", 0, 3, 2, TRUE},
    {"root-many", 515, 13, 3, TRUE},
};

static EnsLinearClassifier *
make_linear (guint n_features, guint n_classes, gboolean root)
{
  EnsLinearClassifier *linear = ens_linear_classifier_new (n_features, n_classes);

  linear->root = root;
  for (guint i = 0; i < n_features * n_classes; i++)
    linear->weights[i] = (float)(i * 7919 % 1000) / 1000 - 0.5F;
  for (guint c = 0; c < n_classes; c++)
    linear->biases[c] = (float)c / 8 - 1;
  return linear;
}

/* Rounded once, so that they are what a plain loop in double precision gives. */
START_TEST (test_decide)
{
  const Row *row = &rows[_i];
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_autoptr (EnsLinearClassifier) linear = make_linear (row->n_features, row->n_classes, row->root);
  g_autofree float *features = g_new (float, row->n_samples * row->n_features + 1);
  g_autofree float *decisions = g_new (float, row->n_samples * row->n_classes + 1);

  for (guint i = 0; i < row->n_samples * row->n_features; i++)
    features[i] = (float)(i * 104729 % 1000) / 1000 - 0.5F;
  ens_linear_classifier_decide (linear, features, row->n_samples, decisions, pool);
  for (guint i = 0; i < row->n_samples * row->n_classes; i++) {
    guint sample = i / row->n_classes, class = i % row->n_classes;
    double sum = linear->biases[class];

    for (guint f = 0; f < row->n_features; f++) {
      float feature = features[sample * row->n_features + f];

      if (row->root)
        feature = feature < 0 ? -sqrtf (-feature) : sqrtf (feature);
      sum += (double)linear->weights[class * row->n_features + f] * feature;
    }
    ck_assert_float_eq (decisions[i], (float)sum);
  }
}
END_TEST

/* The graph, operator by operator, says what the classifier says; and is read back from it. */
START_TEST (test_graph)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsLinearClassifier) linear = make_linear (5, 3, _i);
  g_autoptr (EnsGraph) graph = ens_linear_classifier_to_graph (linear);
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autoptr (EnsLinearClassifier) found = ens_linear_classifier_from_graph (graph);

  const float features[] = {-4, 0, 0.25F, 9, -1};
  g_autoptr (EnsTensor) input = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 5), features);
  g_autoptr (GPtrArray) outputs = ens_interpret (graph, &input, NULL);
  const float *computed = ((const EnsTensor *)outputs->pdata[0])->data;
  float decisions[3];

  ens_linear_classifier_decide (linear, features, 1, decisions, pool);
  for (guint c = 0; c < 3; c++)
    ck_assert_float_eq_tol (computed[c], decisions[c], 1e-6);
  ck_assert_ptr_nonnull (found);
  ck_assert_int_eq (found->root, _i);
  ck_assert_uint_eq (found->n_features, 5);
  ck_assert_uint_eq (found->n_classes, 3);
  ck_assert_bytes_eq (found->weights, 15 * sizeof (float), linear->weights, 15 * sizeof (float));
  ck_assert_bytes_eq (found->biases, 3 * sizeof (float), linear->biases, 3 * sizeof (float));

  ens_graph_apply (copy, ens_op_find ("Sigmoid"), NULL, copy->outputs->pdata[0], NULL);
  ck_assert_ptr_null (ens_linear_classifier_from_graph (copy));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/linear-classifier");
  TEST_ADD_ROWS ("decide", test_decide, rows);
  test_add_row ("graph", "plain", test_graph, FALSE);
  test_add_row ("graph", "root", test_graph, TRUE);
  return test_run ();
}
