/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Analyses that are cancelled, before they begin and at any time while they run: each ends with its
 * whole result or with an error of its own kind, and the next one is not the worse for it. */
#include "base/cancel.h"

#include <string.h>

#include "colour-fixture.h"
#include "ensemble/frame-fusion.h"
#include "ensemble/frame-windows.h"
#include "ensemble/member.h"
#include "ensemble/still-tiles.h"
#include "support/picture.h"

#define N_THREADS 2

static EnsEnsemble *
open_bundle (const char *device_name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (device_name, N_THREADS, &error);
  EnsEnsemble *ensemble;

  if (device == NULL) {
    test_skip (error->message);
    return NULL;
  }
  ensemble = ens_ensemble_open (fixture->bundle, device, &error);
  ck_assert_no_error (error);
  return ensemble;
}

static EnsPicture *
make_picture (void)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, 480, 320);

  test_picture_fill_random (picture, 3);
  return picture;
}

static void
check_same (const EnsResult *found, const EnsResult *expected)
{
  ck_assert_uint_eq (found->n_windows, expected->n_windows);
  for (guint c = 0; c < expected->n_classes; c++)
    ck_assert (memcmp (&found->classes[c].p, &expected->classes[c].p, 4 * sizeof (float)) == 0);
  if (found->n_windows > 0)
    ck_assert (memcmp (found->window_probabilities, expected->window_probabilities,
                       (gsize)found->n_windows * found->n_classes * sizeof (float))
               == 0);
}

static const char *const device_rows[] = {"cpu", "vulkan"};

START_TEST (test_before)
{
  g_autoptr (EnsEnsemble) ensemble = open_bundle (device_rows[_i]);
  g_autoptr (EnsPicture) picture = make_picture ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (EnsResult) expected = NULL, next = NULL;
  g_autoptr (GError) error = NULL;
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;

  if (ensemble == NULL)
    return;
  analysis = ens_analysis_new (ensemble);
  options.cancellable = cancellable;
  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < 2; i++) { /* nothing is planned; then all is */
    ck_assert_ptr_null (ens_analysis_run (analysis, &picture->frame, 0, &options, &error));
    ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
    g_clear_error (&error);
    g_clear_pointer (&expected, ens_result_unref);
    expected = ens_analysis_run (analysis, &picture->frame, 0, NULL, &error);
    ck_assert_no_error (error);
  }
  next = ens_analysis_run (analysis, &picture->frame, 0, NULL, &error);
  ck_assert_no_error (error);
  check_same (next, expected);
}
END_TEST

typedef struct {
  GCancellable *cancellable;
  guint delay; /* microseconds */
} Interruption;

static gpointer
interrupt (gpointer data)
{
  const Interruption *interruption = data;

  g_usleep (interruption->delay);
  g_cancellable_cancel (interruption->cancellable);
  return NULL;
}

/* Whether it was in time. */
static gboolean
run_interrupted (EnsAnalysis *analysis, const EnsPicture *picture, guint delay,
                 const EnsResult *expected)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Interruption interruption = {cancellable, delay};
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;
  GThread *thread = g_thread_new (NULL, interrupt, &interruption);
  g_autoptr (EnsResult) result = NULL;
  g_autoptr (GError) error = NULL;

  options.cancellable = cancellable;
  result = ens_analysis_run (analysis, &picture->frame, 0, &options, &error);
  g_thread_join (thread);
  ck_assert ((result == NULL) == (error != NULL));
  if (result != NULL)
    check_same (result, expected);
  else
    ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
  return result == NULL;
}

static const struct {
  const char *device;
  guint n_rounds; /* each opens the bundle again */
} while_running_rows[] = {{"cpu", 8}, {"vulkan", 1}};

START_TEST (test_while_running)
{
  g_autoptr (EnsPicture) picture = make_picture ();
  guint n_cancelled = 0;

  for (guint i = 0; i < while_running_rows[_i].n_rounds; i++) {
    g_autoptr (EnsEnsemble) ensemble = open_bundle (while_running_rows[_i].device);
    g_autoptr (EnsAnalysis) analysis = NULL, other = NULL;
    g_autoptr (EnsResult) expected = NULL;

    if (ensemble == NULL)
      return;
    analysis = ens_analysis_new (ensemble);
    other = ens_analysis_new (ensemble);
    expected = ens_analysis_run (other, &picture->frame, 0, NULL, NULL);
    for (guint delay = 0; delay < 8; delay++)
      n_cancelled += run_interrupted (analysis, picture, 150 * delay * (i + 1), expected);
    {
      g_autoptr (EnsResult) next = ens_analysis_run (analysis, &picture->frame, 0, NULL, NULL);

      check_same (next, expected);
    }
  }
  test_message ("%u were cancelled in time", n_cancelled);
  ck_assert_uint_gt (n_cancelled, 0);
}
END_TEST

/* ---- From inside ---- */

/* In their order. Networks on images and on windows are entered once for each network. */
typedef enum { SEARCH, WHOLE, WINDOWS, FUSE, KEEP, N_STAGES } Stage;

static guint n_entered[N_STAGES];
static GCancellable *to_cancel; /* NULL: nothing is */
static Stage cancelled_in;

static void
enter (Stage stage)
{
  n_entered[stage]++;
  if (to_cancel != NULL && stage == cancelled_in)
    g_cancellable_cancel (to_cancel);
}

EnsFrameWindows *__real_ens_frame_windows_search (const EnsFrameWindowsSource *source);
EnsFrameWindows *__wrap_ens_frame_windows_search (const EnsFrameWindowsSource *source);

EnsFrameWindows *
__wrap_ens_frame_windows_search (const EnsFrameWindowsSource *source)
{
  enter (SEARCH);
  return __real_ens_frame_windows_search (source);
}

gboolean __real_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images,
                                           float *values, GError **error);
gboolean __wrap_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images,
                                           float *values, GError **error);

gboolean
__wrap_ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images, float *values,
                                  GError **error)
{
  enter (WHOLE);
  return __real_ens_member_jobs_run_whole (jobs, images, values, error);
}

gboolean __real_ens_member_jobs_run_windows (EnsMemberJobs *jobs, const EnsMemberImages *windows,
                                             float *values, GError **error);
gboolean __wrap_ens_member_jobs_run_windows (EnsMemberJobs *jobs, const EnsMemberImages *windows,
                                             float *values, GError **error);

gboolean
__wrap_ens_member_jobs_run_windows (EnsMemberJobs *jobs, const EnsMemberImages *windows,
                                    float *values, GError **error)
{
  enter (WINDOWS);
  return __real_ens_member_jobs_run_windows (jobs, windows, values, error);
}

void __real_ens_frame_fuse (const EnsFrameFusion *frame, EnsThreadPool *pool);
void __wrap_ens_frame_fuse (const EnsFrameFusion *frame, EnsThreadPool *pool);

void
__wrap_ens_frame_fuse (const EnsFrameFusion *frame, EnsThreadPool *pool)
{
  enter (FUSE);
  __real_ens_frame_fuse (frame, pool);
}

void __real_ens_still_tiles_keep (EnsStillTiles *tiles, const EnsFrame *frame,
                                  EnsTileValues *values);
void __wrap_ens_still_tiles_keep (EnsStillTiles *tiles, const EnsFrame *frame,
                                  EnsTileValues *values);

void
__wrap_ens_still_tiles_keep (EnsStillTiles *tiles, const EnsFrame *frame, EnsTileValues *values)
{
  enter (KEEP);
  __real_ens_still_tiles_keep (tiles, frame, values);
}

static const struct {
  const char *device;
  Stage stage;
} inside_rows[] = {{"cpu", SEARCH},    {"cpu", WHOLE},    {"cpu", WINDOWS},    {"cpu", FUSE},
                   {"vulkan", SEARCH}, {"vulkan", WHOLE}, {"vulkan", WINDOWS}, {"vulkan", FUSE}};

/* Cancelled in a stage, it enters none of those behind it, nor the same one for another network. */
START_TEST (test_inside)
{
  const Stage stage = inside_rows[_i].stage;
  g_autoptr (EnsEnsemble) ensemble = open_bundle (inside_rows[_i].device);
  g_autoptr (EnsPicture) picture = make_picture ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (EnsResult) expected = NULL, result = NULL, next = NULL;
  g_autoptr (GError) error = NULL;
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;

  if (ensemble == NULL)
    return;
  analysis = ens_analysis_new (ensemble);
  expected = ens_analysis_run (analysis, &picture->frame, 0, NULL, NULL);
  for (guint i = 0; i < N_STAGES; i++)
    ck_assert_uint_gt (n_entered[i], 0);
  memset (n_entered, 0, sizeof n_entered);
  options.cancellable = to_cancel = cancellable;
  cancelled_in = stage;
  result = ens_analysis_run (analysis, &picture->frame, 0, &options, &error);
  to_cancel = NULL;
  ck_assert_ptr_null (result);
  ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
  for (guint i = 0; i < N_STAGES; i++)
    test_message ("stage %u was entered %u times", i, n_entered[i]);
  for (guint i = 0; i < N_STAGES; i++)
    ck_assert (i < stage ? n_entered[i] > 0 : n_entered[i] == (i == stage));
  next = ens_analysis_run (analysis, &picture->frame, 0, NULL, NULL);
  check_same (next, expected);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/cancel");
  test_fixture (fixture_write, fixture_tear_down);
  TEST_ADD_LOOP ("before", test_before, device_rows);
  TEST_ADD_LOOP ("inside", test_inside, inside_rows);
  TEST_ADD_LOOP ("while-running", test_while_running, while_running_rows);
  return test_run ();
}
