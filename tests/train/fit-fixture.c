/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fit-fixture.h"

#include "base/files.h"
#include "check-main.h"

FitFixture *fixture;

static void
on_progress (const char *stage, guint done, guint total, gpointer data)
{
  FitFixture *state = data;

  ck_assert_uint_le (done, total);
  if (state->cancel_after > 0 && done == state->cancel_after)
    g_cancellable_cancel (state->cancellable);
}

static void
on_note (const char *text, gpointer data)
{
  g_string_append_printf (((FitFixture *)data)->notes, "%s\n", text);
}

void
fit_set_up (void)
{
  fixture = g_new0 (FitFixture, 1);
  fixture->folder = g_dir_make_tmp ("ensemble-fit-XXXXXX", NULL);
  fixture->dataset = g_build_filename (fixture->folder, "shapes", NULL);
  fixture->cache = g_build_filename (fixture->folder, "cache", NULL);
  fixture->bundle = g_build_filename (fixture->folder, "shapes.ensemble", NULL);
  toy_dataset (fixture->dataset, TRAIN, VALIDATION, TEST);
  for (guint n = 0; n < 2; n++) {
    g_autoptr (EnsGraph) network = toy_network (40 + n, 32, 6, n == 0);

    fixture->networks[n] =
        toy_save_network (network, fixture->folder, n == 0 ? "a.onnx" : "b.onnx");
    fixture->fit_networks[n] = (EnsFitNetwork) {
        .path = fixture->networks[n],
        .role = n == 0 ? ENS_ROLE_ORIGINAL : ENS_ROLE_RETRAINED,
        .normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}},
    };
  }
  fixture->params = ENS_FIT_DEFAULTS;
  fixture->params.dataset = fixture->dataset;
  fixture->params.bundle = fixture->bundle;
  fixture->params.cache = fixture->cache;
  fixture->params.networks = fixture->fit_networks;
  fixture->params.n_networks = 2;
  fixture->params.windows = 20;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = toy_opener (&fixture->n_opened);
  fixture->notes = g_string_new (NULL);
  fixture->cancellable = g_cancellable_new ();
  fixture->monitor = (EnsMonitor) {.progress = on_progress,
                                   .note = on_note,
                                   .data = fixture,
                                   .cancellable = fixture->cancellable};
}

void
fit_tear_down (void)
{
  g_object_unref (fixture->cancellable);
  g_string_free (fixture->notes, TRUE);
  ens_device_unref (fixture->device);
  for (guint n = 0; n < 2; n++)
    g_free (fixture->networks[n]);
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->cache);
  g_free (fixture->dataset);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

EnsEvaluation *
fit_run (GError **error)
{
  fixture->n_opened = 0;
  return ens_fit (&fixture->params, fixture->device, &fixture->opener, &fixture->monitor, error);
}

EnsEvaluation *
fit_well (void)
{
  g_autoptr (GError) error = NULL;
  EnsEvaluation *evaluation = fit_run (&error);

  ck_assert_no_error (error);
  return evaluation;
}

EnsEvaluation *
fit_evaluate (EnsSplit split)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (fixture->bundle, fixture->device, &error);
  g_autoptr (EnsDataset) dataset = NULL;
  EnsEvaluation *evaluation;

  ck_assert_no_error (error);
  dataset = ens_dataset_load (
      fixture->dataset, (const char *const *)ens_ensemble_get_bundle (ensemble)->classes, &error);
  ck_assert_no_error (error);
  evaluation =
      ens_evaluate (ensemble, dataset, split, NULL, &fixture->opener, &fixture->monitor, &error);
  ck_assert_no_error (error);
  return evaluation;
}
