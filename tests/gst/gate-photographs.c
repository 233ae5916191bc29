/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate on photographs, with a real network: clothing is known, and photographs of other things,
 * which took no part in choosing it, are withheld. */
#include <gst/gst.h>
#include <unistd.h>

#include "base/files.h"
#include "check-main.h"
#include "decode.h"
#include "train/fit.h"

static char *folder; /* temporary */

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Links to every second picture of DATA/NAME, from the first or the second on, in FOLDER/TO. */
static void
link_pictures (const char *data, const char *name, guint first, const char *to)
{
  g_autofree char *source = g_build_filename (data, name, NULL);
  g_autofree char *target = g_build_filename (folder, to, NULL);
  g_autoptr (GDir) dir = g_dir_open (source, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *entry;

  ck_assert_ptr_nonnull (dir);
  ck_assert_int_eq (g_mkdir_with_parents (target, 0700), 0);
  while ((entry = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (entry, ".jpg"))
      g_ptr_array_add (names, g_strdup (entry));
  g_ptr_array_sort (names, compare_names);
  for (guint i = first; i < names->len; i += 2) {
    g_autofree char *path = g_build_filename (source, names->pdata[i], NULL);
    g_autofree char *link = g_build_filename (target, names->pdata[i], NULL);

    ck_assert_int_eq (symlink (path, link), 0);
  }
}

static EnsEvaluation *
fit (const char *data, EnsDevice *device, const EnsFrameOpener *opener)
{
  static const guint scale = 192;
  g_autofree char *path = g_build_filename (data, "networks/mobilenet_v1_0.5_160.onnx", NULL);
  g_autofree char *photos = g_build_filename (data, "photos", NULL);
  g_autofree char *bundle = g_build_filename (folder, "clothing.ensemble", NULL);
  g_autofree char *unrelated = g_build_filename (folder, "unrelated", NULL);
  const EnsFitNetwork network = {
      .path = path,
      .role = ENS_ROLE_ORIGINAL,
      .normalise = {ENS_ORDER_RGB, {127.5F, 127.5F, 127.5F}, {1 / 127.5F, 1 / 127.5F, 1 / 127.5F}},
      .scales = &scale,
      .n_scales = 1};
  EnsFitParams params = ENS_FIT_DEFAULTS;
  g_autoptr (GError) error = NULL;
  EnsEvaluation *evaluation;

  params.dataset = photos;
  params.bundle = bundle;
  params.networks = &network;
  params.n_networks = 1;
  params.cache = folder;
  params.unrelated = unrelated;
  evaluation = ens_fit (&params, device, opener, NULL, &error);
  ck_assert_no_error (error);
  return evaluation;
}

static const EnsGateFigure *
find_figure (const EnsEvaluation *evaluation, const char *kind)
{
  guint k = 0;

  while (strcmp (evaluation->gate_figures[k].kind, kind) != 0)
    k++;
  return &evaluation->gate_figures[k];
}

/* Cross-fitted: the kind chosen tells unrelated photographs, and clothes of classes that were left
 * out better than their probability does. */
static void
check_figures (const EnsEvaluation *evaluation)
{
  const EnsGateFigure *chosen = find_figure (evaluation, evaluation->gate_kind);

  for (guint k = 0; k < evaluation->n_gate_figures; k++) {
    const EnsGateFigure *figure = &evaluation->gate_figures[k];

    test_message ("%-20s classes left out %.3f, unrelated photographs %.3f%s", figure->kind,
                  figure->left_out, figure->unrelated, figure == chosen ? " (chosen)" : "");
  }
  ck_assert_double_ge (chosen->unrelated, 0.97);
  ck_assert_double_ge (chosen->left_out, find_figure (evaluation, "probability")->left_out + 0.03);
  ck_assert_double_ge (chosen->mean, find_figure (evaluation, "label-cosine")->mean);
}

/* What the bundle says of the test split of a data set, whose counts are printed. */
static EnsGateCounts
count (EnsEnsemble *ensemble, const char *path, const EnsFrameOpener *opener)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDataset) dataset =
      ens_dataset_load (path, (const char *const *)bundle->classes, &error);
  g_autoptr (EnsEvaluation) evaluation = NULL;

  ck_assert_no_error (error);
  evaluation = ens_evaluate (ensemble, dataset, ENS_SPLIT_TEST, NULL, opener, NULL, &error);
  ck_assert_no_error (error);
  test_message ("%u photographs: %u correct tags, %u withheld; %u wrong tags, %u withheld",
                evaluation->n_images, evaluation->gate->correct, evaluation->gate->correct_withheld,
                evaluation->gate->wrong, evaluation->gate->wrong_withheld);
  return *evaluation->gate;
}

START_TEST (test_photographs)
{
  const char *data = g_getenv ("ENSEMBLE_TEST_DATA");
  g_autofree char *photos = NULL, *bundle = NULL, *others = NULL;
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  const EnsFrameOpener *opener;
  EnsGateCounts known, unknown;

  if (data == NULL) {
    test_skip ("ENSEMBLE_TEST_DATA is not set");
    return;
  }
  photos = g_build_filename (data, "photos", NULL);
  bundle = g_build_filename (folder, "clothing.ensemble", NULL);
  others = g_build_filename (folder, "others", NULL);
  link_pictures (data, "boxes/coco", 1, "unrelated");
  link_pictures (data, "boxes/coco", 0, "others/test/none");
  link_pictures (data, "boxes/raccoon/JPEGImages", 0, "others/test/none");
  device = ens_device_open ("cpu", 0, NULL);
  decoder = gst_ensemble_decoder_new ();
  opener = gst_ensemble_decoder_get_opener (decoder);
  evaluation = fit (data, device, opener);
  check_figures (evaluation);

  ensemble = ens_ensemble_open (bundle, device, NULL);
  known = count (ensemble, photos, opener);
  unknown = count (ensemble, others, opener);
  ck_assert_uint_gt (known.correct, 100);
  ck_assert_double_le (known.correct_withheld, 0.08 * known.correct);
  ck_assert_uint_gt (unknown.wrong, 40);
  ck_assert_double_ge (unknown.wrong_withheld, 0.9 * unknown.wrong);
}
END_TEST

static void
set_up (void)
{
  folder = g_dir_make_tmp ("ensemble-gate-XXXXXX", NULL);
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("gst/gate-photographs");
  test_fixture (set_up, tear_down);
  test_add ("photographs", test_photographs);
  return test_run ();
}
