/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a frame costs: counted beforehand, done, and bounded by a budget. */
#include "colour-fixture.h"
#include "ensemble/ensemble-private.h"
#include "toy.h"

/* Divided into 4 × 3 sub-images of 160 × 160; the bundle has ten windows and one scale. */
#define WIDTH 480
#define HEIGHT 320

/* On one thread. */
static void
set_up (void)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);

  fixture_write ();
  fixture->ensemble = ens_ensemble_open (fixture->bundle, device, NULL);
  ck_assert_ptr_nonnull (fixture->ensemble);
}

static const guint scales[] = {32, 64};
static const EnsRect regions[] = {{0, 0, 0.5F, 0.5F}, {0.5F, 0.5F, 0.25F, 0.5F}};

static const struct {
  EnsAnalyseOptions options;
  EnsExtent extent;
} work_rows[] = {
    {{.windows = -1, .threshold = -1}, {10, 12, 1, 1}},
    {{.windows = 3, .threshold = -1, .sub_images = ENS_SUB_IMAGES_OFF}, {3, 1, 1, 1}},
    {{.windows = 0, .threshold = -1, .max_sub_images = 2}, {0, 2, 1, 1}},
    {{.windows = 9, .threshold = -1, .sub_images = ENS_SUB_IMAGES_BOTH}, {9, 12, 1, 1}},
    {{.windows = 0, .threshold = -1, .scales = scales, .n_scales = 2}, {0, 12, 2, 1}},
    {{.windows = 0, .threshold = -1, .scales = scales, .n_scales = 2, .max_scales = 1},
     {0, 12, 1, 1}},
    {{.windows = -1, .threshold = -1, .regions = regions, .n_regions = 2}, {2, 12, 1, 1}},
};

/* What is counted beforehand is what is done. */
START_TEST (test_work)
{
  const EnsAnalyseOptions *options = &work_rows[_i].options;
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (fixture->ensemble);
  g_autoptr (EnsPicture) picture = toy_picture (4, 1, WIDTH, HEIGHT);
  const EnsFrameSettings settings = {fixture->ensemble, options, WIDTH, HEIGHT};
  const EnsExtent extent = ens_frame_get_extent (&settings);
  g_autoptr (EnsResult) result = ens_analysis_run (analysis, &picture->frame, 0, options, NULL);
  const EnsWork *done = ens_analysis_get_work (analysis);
  EnsStageTimes times;
  EnsWork counted;

  ck_assert_mem_eq (&extent, &work_rows[_i].extent, sizeof extent);
  ck_assert (ens_frame_count_work (&settings, &counted, NULL));
  for (guint i = 0; i < ENS_N_STAGES; i++) {
    test_message ("%s: %g counted, %g done", ens_stage_names[i], counted.amounts[i],
                  done->amounts[i]);
    ck_assert_double_eq (counted.amounts[i], done->amounts[i]);
  }
  ck_assert_double_gt (done->amounts[ENS_STAGE_WHOLE], 0);
  ck_assert_double_gt (done->amounts[ENS_STAGE_PREPARE], 0);
  times = ens_frame_estimate (fixture->ensemble, done);
  ck_assert_int_gt (ens_stage_times_sum (&times), 0);
  ck_assert_int_ge (result->timings.cpu, ens_stage_times_sum (&times));
}
END_TEST

START_TEST (test_fit)
{
  static const EnsAnalyseOptions options = {.windows = -1, .threshold = -1};
  const EnsFrameSettings settings = {fixture->ensemble, &options, WIDTH, HEIGHT};
  EnsExtent least = ens_frame_fit (&settings, 1, NULL);
  EnsExtent all = ens_frame_fit (&settings, 0, NULL);
  EnsAnalyseOptions limited = ens_frame_limit (&settings, &least);

  ck_assert_uint_eq (least.windows, 0);
  ck_assert_uint_eq (least.sub_images, 1);
  ck_assert_uint_eq (all.windows, 10);
  ck_assert_uint_eq (all.sub_images, 12);
  ck_assert_int_eq (limited.windows, 0);
  ck_assert_uint_eq (limited.max_sub_images, 1);
  limited = ens_frame_limit (&settings, &all);
  ck_assert_int_eq (limited.windows, -1);
  ck_assert_uint_eq (limited.max_sub_images, 0);
  ck_assert_uint_eq (limited.max_scales, 0);
}
END_TEST

/* What the user has set is kept, and only what differs from the bundle counts as set. */
START_TEST (test_fit_keeps)
{
  static const EnsAnalyseOptions windows = {.windows = 7, .threshold = -1};
  static const EnsAnalyseOptions tiles = {.windows = -1, .threshold = -1, .max_sub_images = 6};
  const EnsFrameSettings first = {fixture->ensemble, &windows, WIDTH, HEIGHT};
  const EnsFrameSettings second = {fixture->ensemble, &tiles, WIDTH, HEIGHT};
  EnsExtent extent = ens_frame_fit (&first, 1, NULL);

  ck_assert_uint_eq (extent.windows, 7);
  ck_assert_uint_eq (extent.sub_images, 1);
  extent = ens_frame_fit (&second, 1, NULL);
  ck_assert_uint_eq (extent.windows, 0);
  ck_assert_uint_eq (extent.sub_images, 6);
}
END_TEST

START_TEST (test_processors)
{
  g_autoptr (EnsAnalysis) first = ens_analysis_new (fixture->ensemble);
  g_autoptr (EnsAnalysis) second = NULL;

  ck_assert_double_eq (ens_ensemble_get_processors (fixture->ensemble), 1);
  second = ens_analysis_new (fixture->ensemble);
  ck_assert_double_eq (ens_ensemble_get_processors (fixture->ensemble), 0.5);
  g_clear_pointer (&second, ens_analysis_free);
  ck_assert_double_eq (ens_ensemble_get_processors (fixture->ensemble), 1);
}
END_TEST

/* Elements share an ensemble, and so its threads, where they want as many. */
START_TEST (test_threads)
{
  const char *folder = ens_ensemble_get_bundle (fixture->ensemble)->folder;
  g_autoptr (EnsDevice) one = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsDevice) two = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsEnsemble) same = ens_ensemble_open (folder, one, NULL);
  g_autoptr (EnsEnsemble) other = ens_ensemble_open (folder, two, NULL);

  ck_assert_ptr_eq (same, fixture->ensemble);
  ck_assert_ptr_ne (other, fixture->ensemble);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/frame-cost");
  test_fixture (set_up, fixture_tear_down);
  TEST_ADD_LOOP ("work", test_work, work_rows);
  test_add ("fit", test_fit);
  test_add ("fit-keeps", test_fit_keeps);
  test_add ("threads", test_threads);
  test_add ("processors", test_processors);
  return test_run ();
}
