/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toy-bundle.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "ensemble/bundle-private.h"
#include "support/folder.h"
#include "toy.h"

#define CLASSES TOY_BUNDLE_CLASSES

char *toy_bundle_path;

static EnsBundleNetwork
make_network (const char *name, EnsRole role, float weight)
{
  static const char *const taps[] = {"relu2", "scores", NULL};
  static const guint scales[] = {32, 48}, window_sizes[] = {32};
  static const EnsCalibration own[CLASSES] = {{1, 0}, {0.5F, -0.5F}, {2, 0.25F}};
  EnsBundleNetwork network = {.name = g_strdup (name),
                              .role = role,
                              .network = g_strconcat (name, ".onnx", NULL),
                              .classifier = g_strconcat (name, "-classifier.onnx", NULL),
                              .taps = g_strdupv ((char **)taps),
                              .normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}},
                              .size = 32,
                              .n_scales = 2,
                              .weight = weight};

  network.scales = g_memdup2 (scales, sizeof scales);
  network.calibration = g_memdup2 (own, sizeof own);
  if (role == ENS_ROLE_RETRAINED) {
    network.window_classifier = g_strconcat (name, "-windows.onnx", NULL);
    network.n_window_sizes = 1;
    network.window_sizes = g_memdup2 (window_sizes, sizeof window_sizes);
    network.window_calibration = g_memdup2 (own, sizeof own);
  }
  return network;
}

static void
add_file (EnsBundleWriter *writer, const char *name, char *path)
{
  g_autofree char *owned = path;
  g_autofree char *contents = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  ck_assert (g_file_get_contents (owned, &contents, &size, NULL));
  bytes = g_bytes_new (contents, size);
  ck_assert (ens_bundle_writer_add (writer, name, bytes, NULL));
}

/* The gate's similarities are the decision values of the second network, which then alone counts
 * among the retrained ones, and classifies windows like whole images. A disc is always similar
 * enough, a triangle never, and of squares the gate says nothing. */
static void
add_gate (EnsBundle *bundle)
{
  static const EnsGateRange ranges[CLASSES] = {{-1e9F, 1e9F}, {NAN, NAN}, {1e9F, 2e9F}};

  bundle->gate = g_new0 (EnsBundleGate, 1);
  bundle->gate->network = g_strdup ("second");
  bundle->gate->file = g_strdup ("second-classifier.onnx");
  bundle->gate->kind = g_strdup ("decision");
  bundle->gate->keep = 0.95F;
  bundle->gate->ranges = g_memdup2 (ranges, sizeof ranges);
  bundle->networks[1].weight = 1;
  bundle->networks[3].weight = 0;
  g_free (bundle->networks[1].window_classifier);
  bundle->networks[1].window_classifier = g_strdup ("second-classifier.onnx");
}

const float toy_bundle_thresholds[CLASSES] = {0.5F, 0.25F, 0.75F};
const float toy_bundle_whole_thresholds[CLASSES] = {0.125F, 0.5F, 0.625F};
const EnsCalibration toy_bundle_calibration[CLASSES] = {{1.5F, 0.5F}, {0.75F, -0.25F}, {2, 0}};
const EnsCalibration toy_bundle_whole_calibration[CLASSES] = {{1, -0.5F}, {0.5F, 0.25F}, {1, 1}};
const EnsCalibration toy_bundle_softmax = {0.75F, -0.5F}, toy_bundle_whole_softmax = {1.25F, 0.5F};

static void
set_log_odds (EnsBundle *bundle)
{
  bundle->fusion = ENS_FUSION_LOG_ODDS;
  bundle->exclusive = TRUE;
  bundle->softmax = toy_bundle_softmax;
  bundle->whole_softmax = toy_bundle_whole_softmax;
  bundle->window_share = 0.5F;
  bundle->whole_thresholds =
      g_memdup2 (toy_bundle_whole_thresholds, sizeof toy_bundle_whole_thresholds);
  bundle->calibration = g_memdup2 (toy_bundle_calibration, sizeof toy_bundle_calibration);
  bundle->whole_calibration =
      g_memdup2 (toy_bundle_whole_calibration, sizeof toy_bundle_whole_calibration);
}

/* Two original networks and two retrained ones. */
void
toy_bundle_write (const char *version, gboolean gated)
{
  const char *const classes[] = {"disc", "square", "triangle", NULL};
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (toy_bundle_path, NULL);
  g_autoptr (EnsBundle) bundle = g_new0 (EnsBundle, 1);
  g_autoptr (GError) error = NULL;

  bundle->name = g_strdup ("toy");
  bundle->version = g_strdup (version);
  bundle->classes = g_strdupv ((char **)classes);
  bundle->n_classes = CLASSES;
  bundle->thresholds = g_memdup2 (toy_bundle_thresholds, sizeof toy_bundle_thresholds);
  bundle->n_networks = 4;
  bundle->networks = g_new0 (EnsBundleNetwork, 4);
  bundle->networks[0] = make_network ("first", ENS_ROLE_ORIGINAL, 0.75F);
  bundle->networks[1] = make_network ("second", ENS_ROLE_RETRAINED, 0.5F);
  bundle->networks[2] = make_network ("third", ENS_ROLE_ORIGINAL, 0.25F);
  bundle->networks[3] = make_network ("fourth", ENS_ROLE_RETRAINED, 0.5F);
  bundle->window_weight = 0.3F;
  bundle->whole_weight = 0.6F;
  bundle->windows = TOY_BUNDLE_WINDOWS;
  bundle->windows_preset = ENS_WINDOWS_FAST;
  bundle->sub_images = (EnsSubImageSettings) {48, 0.25F, 2, 16};
  if (gated)
    add_gate (bundle);
  if (strcmp (version, "log odds") == 0)
    set_log_odds (bundle);
  for (guint n = 0; n < 4; n++) {
    g_autoptr (EnsGraph) network = toy_network (10 + n, 32, 4, n == 1);

    add_file (writer, bundle->networks[n].network,
              toy_save_network (network, test_folder, "network"));
    add_file (writer, bundle->networks[n].classifier,
              toy_save_classifier (20 + n, 12, CLASSES, test_folder, "classifier"));
    if (bundle->networks[n].window_classifier != NULL && !(gated && n == 1))
      add_file (writer, bundle->networks[n].window_classifier,
                toy_save_classifier (30 + n, 12, CLASSES, test_folder, "windows"));
  }
  ens_bundle_writer_commit (writer, bundle, &error);
  ck_assert_no_error (error);
}

void
toy_bundle_set_up (void)
{
  test_folder_set_up ();
  toy_bundle_path = g_build_filename (test_folder, "toy.ensemble", NULL);
  toy_bundle_write ("1", FALSE);
}

void
toy_bundle_tear_down (void)
{
  g_clear_pointer (&toy_bundle_path, g_free);
  test_folder_tear_down ();
}

EnsEnsemble *
toy_bundle_open (guint n_threads)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, NULL);
  g_autoptr (GError) error = NULL;
  EnsEnsemble *ensemble = ens_ensemble_open (toy_bundle_path, device, &error);

  ck_assert_no_error (error);
  return ensemble;
}

EnsResult *
toy_bundle_analyse (EnsEnsemble *ensemble, const EnsPicture *picture,
                    const EnsAnalyseOptions *options)
{
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_analysis_run (analysis, &picture->frame, 7, options, &error);

  ck_assert_no_error (error);
  return result;
}
