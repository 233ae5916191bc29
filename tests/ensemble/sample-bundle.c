/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample-bundle.h"

#include <math.h>

#include "base/files.h"
#include "check-main.h"

BundleFixture *fixture;

void
sample_bundle_set_up (void)
{
  fixture = g_new0 (BundleFixture, 1);
  fixture->root = g_dir_make_tmp ("ensemble-bundle-XXXXXX", NULL);
  fixture->folder = g_build_filename (fixture->root, "shop.ensemble", NULL);
}

void
sample_bundle_tear_down (void)
{
  ens_remove_tree (fixture->root);
  g_free (fixture->folder);
  g_free (fixture->root);
  g_clear_pointer (&fixture, g_free);
}

static char **
strings (const char *first, const char *second)
{
  const char *const both[] = {first, second, NULL};

  return g_strdupv ((char **)both);
}

static EnsBundleNetwork
make_network (const char *name, EnsRole role)
{
  static const EnsCalibration calibration[] = {{1.5F, -0.25F}, {2, 0.1F}};
  static const guint scales[] = {256, 384}, window_sizes[] = {256};
  EnsBundleNetwork network = {.name = g_strdup (name),
                              .role = role,
                              .network = g_strconcat (name, ".onnx", NULL),
                              .classifier = g_strconcat (name, "-classifier.onnx", NULL),
                              .taps = strings ("fire9/concat", "pool10"),
                              .normalise = {ENS_ORDER_BGR, {104, 117, 123}, {1, 1, 0.017F}},
                              .size = 227,
                              .weight = 1,
                              .n_scales = 2};

  network.scales = g_memdup2 (scales, sizeof scales);
  network.calibration = g_memdup2 (calibration, sizeof calibration);
  if (role == ENS_ROLE_RETRAINED) {
    network.normalise = (EnsNormalise) {ENS_ORDER_GRAY, {127.5F}, {1 / 127.5F}};
    network.window_classifier = g_strconcat (name, "-windows.onnx", NULL);
    network.n_window_sizes = 1;
    network.window_sizes = g_memdup2 (window_sizes, sizeof window_sizes);
    network.window_calibration = g_memdup2 (calibration, sizeof calibration);
    network.framing = ENS_FRAMING_CROP;
    network.window_framing = ENS_FRAMING_LETTERBOX;
    network.crop = 0.875F;
    network.flip = TRUE;
  }
  return network;
}

EnsBundle *
sample_bundle_new (void)
{
  static const float thresholds[] = {0.5F, 0.375F};
  static const EnsGateRange ranges[] = {{0.625F, 1}, {NAN, NAN}};
  EnsBundle *bundle = g_new0 (EnsBundle, 1);

  bundle->name = g_strdup ("shop");
  bundle->version = g_strdup ("7");
  bundle->classes = strings ("dress \"A\"", "Hüte");
  bundle->n_classes = 2;
  bundle->networks = g_new0 (EnsBundleNetwork, 2);
  bundle->n_networks = 2;
  bundle->networks[0] = make_network ("wide", ENS_ROLE_ORIGINAL);
  bundle->networks[1] = make_network ("deep", ENS_ROLE_RETRAINED);
  bundle->window_weight = 0.6F;
  bundle->whole_weight = 0.4F;
  bundle->thresholds = g_memdup2 (thresholds, sizeof thresholds);
  bundle->windows = 100;
  bundle->windows_preset = ENS_WINDOWS_QUALITY;
  bundle->sub_images = (EnsSubImageSettings) {480, 0.375F, 1.5F, 24};
  bundle->gate = g_new0 (EnsBundleGate, 1);
  bundle->gate->network = g_strdup ("deep");
  bundle->gate->file = g_strdup ("gate.onnx");
  bundle->gate->kind = g_strdup ("nearest");
  bundle->gate->keep = 0.9375F;
  bundle->gate->ranges = g_memdup2 (ranges, sizeof ranges);
  bundle->events = g_new0 (EnsBundleEvents, 1);
  bundle->events->all = ENS_TIME_DEFAULTS;
  bundle->events->all.half_life = 2500000000;
  bundle->events->classes = g_new (EnsTimeSettings, 2);
  bundle->events->classes[0] = bundle->events->classes[1] = bundle->events->all;
  bundle->events->classes[1].consensus = 4;
  bundle->events->classes[1].consensus_of = 5;
  bundle->events->classes[1].min_present = 30000000000;
  bundle->provenance = g_strdup ("{\"made\":\"by hand\",\"accuracy\":0.5}");
  return bundle;
}

gboolean
sample_bundle_write (const EnsBundle *bundle, GError **error)
{
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fixture->folder, error);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("onnx", 4);

  if (writer == NULL)
    return FALSE;
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!ens_bundle_writer_add (writer, network->network, bytes, error)
        || !ens_bundle_writer_add (writer, network->classifier, bytes, error)
        || (network->window_classifier != NULL
            && !ens_bundle_writer_add (writer, network->window_classifier, bytes, error)))
      return FALSE;
  }
  return (bundle->gate == NULL || ens_bundle_writer_add (writer, bundle->gate->file, bytes, error))
         && ens_bundle_writer_commit (writer, bundle, error);
}

void
sample_bundle_save (void)
{
  g_autoptr (EnsBundle) bundle = sample_bundle_new ();
  g_autoptr (GError) error = NULL;

  sample_bundle_write (bundle, &error);
  ck_assert_no_error (error);
}
