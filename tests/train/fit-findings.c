/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fitting and evaluation say of a data set: what is wrong with it, what to label next, false
 * alarms. */
#include "fit-fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check-main.h"
#include "ensemble/bundle-private.h"
#include "train/label-next.h"

static void
copy_image (const char *from, const char *to)
{
  g_autofree char *source = g_build_filename (fixture->dataset, from, NULL);
  g_autofree char *target = g_build_filename (fixture->dataset, to, NULL);
  g_autofree char *contents = NULL;
  gsize size;

  ck_assert (g_file_get_contents (source, &contents, &size, NULL));
  ck_assert (g_file_set_contents (target, contents, (gssize)size, NULL));
}

static const EnsFinding *
find_finding (const EnsEvaluation *evaluation, EnsFindingKind kind)
{
  for (guint i = 0; i < evaluation->findings->len; i++)
    if (((const EnsFinding *)evaluation->findings->pdata[i])->kind == kind)
      return evaluation->findings->pdata[i];
  ck_abort_msg ("nothing is said of %s", ens_finding_name (kind));
  return NULL;
}

static const struct {
  EnsFindingKind kind;
  const char *text;    /* a part of it */
  const char *picture; /* one of those that are shown */
} spoilt_rows[] = {
    {ENS_FINDING_BALANCE, "“disc” has 6.0 times as many training pictures as “triangle” (12 and 2)",
     "train/triangle/000.ppm"},
    {ENS_FINDING_NONE, "Only 1 of the training pictures shows none of the classes: add 7 more",
     "train/none/000.ppm"},
    {ENS_FINDING_SMALL, "pictures have fewer than 100 pixels along a side", "train/disc/000.ppm"},
    {ENS_FINDING_LEAK,
     "0 of the 24 validation pictures and 1 of the 17 test pictures are near copies",
     "test/square/900.ppm"},
    {ENS_FINDING_CONTRADICT, "1 pair of near copies has different labels", "test/square/900.ppm"},
    {ENS_FINDING_COPIES, "2 pictures are near copies of another one of their split, in 1 group",
     "train/disc/901.ppm"},
    {ENS_FINDING_LABELS, "looks like another class than its label says", "train/disc/902.ppm"},
    {ENS_FINDING_CURVE, "classifiers reach an accuracy of", "train/disc/902.ppm"},
};

/* A set with everything wrong with it. */
START_TEST (test_diagnosis)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;

  copy_image ("train/disc/000.ppm", "test/square/900.ppm");
  copy_image ("train/disc/001.ppm", "train/disc/901.ppm");
  copy_image ("train/triangle/009.ppm", "train/disc/902.ppm");
  for (guint i = 1; i < TRAIN; i++) {
    g_autofree char *triangle = g_strdup_printf ("%s/train/triangle/%03u.ppm", fixture->dataset, i);
    g_autofree char *none = g_strdup_printf ("%s/train/none/%03u.ppm", fixture->dataset, i);

    if (i > 1)
      g_remove (triangle);
    g_remove (none);
  }
  evaluation = fit_well ();
  for (guint i = 0; i < G_N_ELEMENTS (spoilt_rows); i++) {
    const EnsFinding *finding = find_finding (evaluation, spoilt_rows[i].kind);
    gboolean shown = FALSE;

    ck_assert_contains (finding->text, spoilt_rows[i].text);
    for (guint j = 0; j < finding->pictures->len; j++)
      shown |= g_str_has_suffix (g_array_index (finding->pictures, EnsFindingPicture, j).path,
                                 spoilt_rows[i].picture);
    ck_assert_msg (shown, "%s is not shown", spoilt_rows[i].picture);
  }
}
END_TEST

/* How near P is to the threshold of the class that is nearest to its own. */
static double
measure_margin (const EnsEvaluation *evaluation, guint image)
{
  const EnsEvaluationRow *row = &evaluation->rows[evaluation->n_rows - 1];
  double least = 2;

  for (guint c = 0; c < evaluation->n_classes; c++) {
    double threshold = (double)row->classes[c].threshold;
    double p = (double)row->scores[image * evaluation->n_classes + c];

    least = fmin (least,
                  p < threshold ? (threshold - p) / threshold : (p - threshold) / (1 - threshold));
  }
  return least;
}

/* The pictures that are shown are the least sure ones, in order; of a picture and its copy one. */
START_TEST (test_next_labels)
{
  g_autoptr (EnsEvaluation) promised = NULL;
  g_autoptr (EnsEvaluation) found = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autofree char *folder = g_build_filename (fixture->dataset, "test", NULL);
  g_autoptr (GError) error = NULL;
  gboolean seen[TEST * CLASSES] = {FALSE};
  const EnsFinding *finding;
  double last = 0;

  for (guint i = 0; i < TRAIN / 2; i++) { /* so that not everything is certain */
    g_autofree char *from = g_strdup_printf ("train/square/%03u.ppm", i);
    g_autofree char *to = g_strdup_printf ("train/disc/9%02u.ppm", i);

    copy_image (from, to);
  }
  promised = fit_well ();
  found = fit_evaluate (ENS_SPLIT_TEST);
  ensemble = ens_ensemble_open (fixture->bundle, fixture->device, NULL);
  for (guint i = 0; i < found->n_images; i++) {
    g_autofree char *copy = g_strdup_printf ("test/copy-%u.ppm", i);

    copy_image (found->paths[i] + strlen (fixture->dataset) + 1, copy);
  }
  ens_add_next_labels (found->findings, ensemble, folder, &fixture->opener, &fixture->monitor,
                       &error);
  ck_assert_no_error (error);
  finding = find_finding (found, ENS_FINDING_NEXT);
  ck_assert_contains (finding->text, "Of the 32 pictures in ");
  ck_assert_contains (finding->text, "the ensemble is least sure of 12: label these next (");
  ck_assert_uint_eq (finding->pictures->len, ENS_FINDING_PICTURES);
  for (guint i = 0; i < finding->pictures->len; i++) {
    const char *path = g_array_index (finding->pictures, EnsFindingPicture, i).path;
    guint image = 0;
    double margin;

    if (sscanf (path + strlen (folder), "/copy-%u.ppm", &image) != 1)
      while (strcmp (found->paths[image], path) != 0)
        image++;
    ck_assert (!seen[image]);
    seen[image] = TRUE;
    margin = measure_margin (found, image);
    ck_assert_double_ge (margin, last - 1e-6);
    last = margin;
  }
  for (guint i = 0, n = 0; i < found->n_images; i++) {
    n += measure_margin (found, i) < last - 1e-6;
    ck_assert_uint_lt (n, ENS_FINDING_PICTURES);
  }
}
END_TEST

static const struct {
  EnsGateRange first, others; /* of classes */
  guint false_alarms;
} alarm_rows[] = {
    {{-1, 1}, {-1, 1}, TEST}, /* nothing is withheld */
    {{2, 3}, {2, 3}, 0},      /* everything is */
    {{2, 3}, {-1, 1}, TEST},  /* one class is enough for an alarm */
};

/* At thresholds of 0 every picture of no class is an alarm, but for what the gate withholds. */
START_TEST (test_false_alarms)
{
  g_autoptr (EnsEvaluation) promised = fit_well ();
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, fixture->device, NULL);
  EnsBundle *bundle = (EnsBundle *)ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsDataset) dataset =
      ens_dataset_load (fixture->dataset, (const char *const *)bundle->classes, NULL);
  g_autoptr (EnsEvaluation) found = NULL;
  guint n_none;

  for (guint c = 0; c < bundle->n_classes; c++) {
    bundle->gate->ranges[c] = c == 0 ? alarm_rows[_i].first : alarm_rows[_i].others;
    bundle->thresholds[c] = 0;
    if (bundle->whole_thresholds != NULL)
      bundle->whole_thresholds[c] = 0;
  }
  found = ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, NULL, &fixture->opener,
                        &fixture->monitor, NULL);
  ck_assert_uint_eq (
      ens_evaluation_count_false_alarms (found, &found->rows[found->n_rows - 1], &n_none), TEST);
  ck_assert_uint_eq (n_none, TEST);
  ck_assert_uint_eq (found->gate->false_alarms, alarm_rows[_i].false_alarms);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/fit-findings");
  test_fixture (fit_set_up, fit_tear_down);
  test_add ("diagnosis", test_diagnosis);
  test_add ("next-labels", test_next_labels);
  TEST_ADD_LOOP ("false-alarms", test_false_alarms, alarm_rows);
  return test_run ();
}
