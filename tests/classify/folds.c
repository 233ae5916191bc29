/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/folds.h"

#include "check-main.h"

#define N 23
#define CLASSES 3

/* Examples of class 0, 1, 2 and of none, in turn. */
static EnsLabels
make_labels (guint8 *labels)
{
  for (guint i = 0; i < N * CLASSES; i++)
    labels[i] = i / CLASSES % (CLASSES + 1) == i % CLASSES;
  return (EnsLabels) {N, CLASSES, labels};
}

/* Every fold has of each class as many as any other, or one more. */
START_TEST (test_deal)
{
  guint8 labels[N * CLASSES];
  EnsLabels truth = make_labels (labels);
  g_autofree guint *fold = ens_deal_folds (&truth);

  for (guint c = 0; c < CLASSES; c++) {
    guint n[ENS_FOLDS] = {0};

    for (guint i = 0; i < N; i++)
      n[fold[i]] += ens_labels_has (&truth, i, c);
    for (guint k = 1; k < ENS_FOLDS; k++)
      ck_assert_int_le (ABS ((gint)n[k] - (gint)n[k - 1]), 1);
  }
}
END_TEST

START_TEST (test_hide)
{
  guint8 labels[N * CLASSES];
  EnsLabels truth = make_labels (labels);
  g_autofree guint *fold = ens_deal_folds (&truth);
  g_autofree guint8 *hidden = ens_hide_fold (&truth, fold, 1);

  for (guint i = 0; i < N * CLASSES; i++)
    ck_assert_uint_eq (hidden[i], fold[i / CLASSES] == 1 ? ENS_LABEL_UNKNOWN : labels[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("classify/folds");
  test_add ("deal", test_deal);
  test_add ("hide", test_hide);
  return test_run ();
}
