/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "colour-fixture.h"

#include "base/files.h"

Fixture *fixture;

void
fixture_write (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("ensemble-colours-XXXXXX", NULL);
  fixture->bundle = colour_bundle_make (fixture->folder);
}

void
fixture_set_up (void)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (GError) error = NULL;

  fixture_write ();
  fixture->ensemble = ens_ensemble_open (fixture->bundle, device, &error);
  ck_assert_no_error (error);
  fixture->analysis = ens_analysis_new (fixture->ensemble);
}

void
fixture_tear_down (void)
{
  g_clear_pointer (&fixture->analysis, ens_analysis_free);
  g_clear_pointer (&fixture->ensemble, ens_ensemble_unref);
  ens_remove_tree (fixture->folder);
  g_free (fixture->bundle);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

EnsResult *
fixture_analyse (EnsAnalysis *analysis, const EnsFrame *frame, const EnsAnalyseOptions *options)
{
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_analysis_run (analysis, frame, 7, options, &error);

  ck_assert_no_error (error);
  return result;
}
