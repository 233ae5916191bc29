/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "ensemble/bundle-private.h"
#include "base/json-reader.h"

/* Of means, scales and calibrations: numbers beyond overflow what they are multiplied with. */
#define MAX_NUMBER 1e6

static const EnsJsonRange side_range = {1, ENS_MAX_SCALES, 1, ENS_MAX_SIDE};

/* "gst-ensemble/bundle/3" is readable only to a later version. */
static void
read_schema (EnsJsonReader *reader)
{
  static const char stem[] = "gst-ensemble/bundle/";
  g_autofree char *schema = ens_json_reader_string (reader, "schema");

  if (schema == NULL || strcmp (schema, ENS_BUNDLE_SCHEMA) == 0
      || strcmp (schema, ENS_BUNDLE_SCHEMA_1) == 0)
    return;
  if (g_str_has_prefix (schema, stem) && atoi (schema + strlen (stem)) > 2)
    ens_json_reader_fail (reader, "schema",
                          "this bundle was made by a newer version, which writes “%s”; this one "
                          "reads “%s”; update gst-ensemble, or train the bundle again",
                          schema, ENS_BUNDLE_SCHEMA);
  else
    ens_json_reader_fail (reader, "schema", "expected “%s”, found “%s”", ENS_BUNDLE_SCHEMA, schema);
}

/* Goes in and returns the number of elements, 0 after an error. */
static guint
enter_array (EnsJsonReader *reader, const char *name, guint max)
{
  guint n = ens_json_reader_enter_array (reader, name);

  if (n > 0 && n <= max)
    return n;
  ens_json_reader_fail (reader, NULL, "expected 1 to %u %s, found %u", max, name, n);
  return 0;
}

/* Of the class at hand, whether it is one; they come last. */
static void
read_zero_shot (EnsJsonReader *reader, EnsBundle *bundle)
{
  gboolean zero_shot =
      ens_json_reader_has (reader, "zero_shot") && ens_json_reader_boolean (reader, "zero_shot");

  if (zero_shot)
    bundle->n_zero_shot++;
  else if (bundle->n_zero_shot > 0)
    ens_json_reader_fail (reader, "zero_shot", "expected such classes behind all others");
}

static void
read_classes (EnsJsonReader *reader, EnsBundle *bundle)
{
  guint n = enter_array (reader, "classes", ENS_MAX_CLASSES);

  bundle->classes = g_new0 (char *, n + 1);
  bundle->thresholds = g_new0 (float, n + 1);
  bundle->whole_thresholds = g_new0 (float, n + 1);
  bundle->n_classes = n;
  for (guint c = 0; c < n && !ens_json_reader_failed (reader); c++) {
    ens_json_reader_enter_element (reader, c);
    bundle->classes[c] = ens_json_reader_string (reader, "name");
    for (guint d = 0; d < c && bundle->classes[c] != NULL; d++)
      if (strcmp (bundle->classes[c], bundle->classes[d]) == 0)
        ens_json_reader_fail (reader, "name", "found “%s” twice", bundle->classes[c]);
    bundle->thresholds[c] = (float)ens_json_reader_number (reader, "threshold", 0, 1);
    bundle->whole_thresholds[c] =
        ens_json_reader_has (reader, "whole_threshold")
            ? (float)ens_json_reader_number (reader, "whole_threshold", 0, 1)
            : bundle->thresholds[c];
    read_zero_shot (reader, bundle);
    ens_json_reader_leave (reader);
  }
  ens_json_reader_leave (reader);
}

/* [a, b] */
static EnsCalibration
read_pair (EnsJsonReader *reader, const char *name)
{
  static const EnsJsonRange range = {2, 2, -MAX_NUMBER, MAX_NUMBER};
  guint n;
  g_autofree float *values = ens_json_reader_numbers (reader, name, &range, &n);

  if (values == NULL)
    return (EnsCalibration) {1, 0};
  if (!(values[0] > 0))
    ens_json_reader_fail (reader, name, "expected a first number above 0, found %g", values[0]);
  return (EnsCalibration) {values[0], values[1]};
}

/* "CLASS": [a, b] for every class. */
static EnsCalibration *
read_calibration (EnsJsonReader *reader, const char *name, const EnsBundle *bundle)
{
  EnsCalibration *calibration = g_new0 (EnsCalibration, bundle->n_classes + 1);

  ens_json_reader_enter_object (reader, name);
  for (guint c = 0; c < bundle->n_classes && !ens_json_reader_failed (reader); c++)
    calibration[c] = read_pair (reader, bundle->classes[c]);
  ens_json_reader_leave (reader);
  return calibration;
}

static void
read_normalise (EnsJsonReader *reader, EnsNormalise *normalise)
{
  EnsJsonRange range = {.min = -MAX_NUMBER, .max = MAX_NUMBER};
  g_autofree float *mean = NULL, *scale = NULL;
  guint n;

  ens_json_reader_enter_object (reader, "normalise");
  normalise->order = ens_json_reader_choice (reader, "order", ens_order_names);
  range.min_length = range.max_length = ens_order_channels (normalise->order);
  mean = ens_json_reader_numbers (reader, "mean", &range, &n);
  scale = ens_json_reader_numbers (reader, "scale", &range, &n);
  for (guint i = 0; mean != NULL && scale != NULL && i < n; i++) {
    normalise->mean[i] = mean[i];
    normalise->scale[i] = scale[i];
  }
  ens_json_reader_leave (reader);
}

/* An object that most bundles do without. */
static void
read_framing (EnsJsonReader *reader, EnsBundleNetwork *network)
{
  network->framing = ENS_FRAMING_SCALE;
  network->window_framing = ENS_FRAMING_STRETCH;
  network->crop = 1;
  if (!ens_json_reader_has (reader, "framing"))
    return;
  ens_json_reader_enter_object (reader, "framing");
  network->framing = ens_json_reader_choice (reader, "whole", ens_framing_names);
  network->window_framing = 1 + ens_json_reader_choice (reader, "windows", ens_framing_names + 1);
  network->crop = (float)ens_json_reader_number (reader, "crop", 0.01, 1);
  ens_json_reader_leave (reader);
}

static void
read_network (EnsJsonReader *reader, const EnsBundle *bundle, EnsBundleNetwork *network)
{
  network->name = ens_json_reader_string (reader, "name");
  network->role = ens_json_reader_choice (reader, "role", ens_role_names);
  network->network = ens_json_reader_string (reader, "network");
  network->classifier = ens_json_reader_string (reader, "classifier");
  network->taps = ens_json_reader_strings (reader, "taps", 1);
  read_normalise (reader, &network->normalise);
  read_framing (reader, network);
  network->size = ens_json_reader_integer (reader, "size", 1, ENS_MAX_SIDE);
  network->scales = ens_json_reader_integers (reader, "scales", &side_range, &network->n_scales);
  if (ens_json_reader_has (reader, "flip"))
    network->flip = ens_json_reader_boolean (reader, "flip");
  network->weight = (float)ens_json_reader_number (reader, "weight", 0, 1);
  network->calibration = read_calibration (reader, "calibration", bundle);
  if (network->role == ENS_ROLE_RETRAINED && ens_json_reader_has (reader, "window_classifier")) {
    network->window_classifier = ens_json_reader_string (reader, "window_classifier");
    network->window_sizes =
        ens_json_reader_integers (reader, "window_sizes", &side_range, &network->n_window_sizes);
    network->window_calibration = read_calibration (reader, "window_calibration", bundle);
  }
}

static void
read_networks (EnsJsonReader *reader, EnsBundle *bundle)
{
  guint n = enter_array (reader, "networks", ENS_MAX_NETWORKS);

  bundle->networks = g_new0 (EnsBundleNetwork, n + 1);
  bundle->n_networks = n;
  for (guint i = 0; i < n && !ens_json_reader_failed (reader); i++) {
    ens_json_reader_enter_element (reader, i);
    read_network (reader, bundle, &bundle->networks[i]);
    ens_json_reader_leave (reader);
  }
  ens_json_reader_leave (reader);
}

/* Version 1 knows one kind, and does not name it. */
static void
read_fusion (EnsJsonReader *reader, EnsBundle *bundle)
{
  ens_json_reader_enter_object (reader, "fusion");
  if (ens_json_reader_has (reader, "kind"))
    bundle->fusion = ens_json_reader_choice (reader, "kind", ens_fusion_kind_names);
  bundle->window_weight = (float)ens_json_reader_number (reader, "window_weight", 0, 1);
  bundle->whole_weight = (float)ens_json_reader_number (reader, "whole_weight", 0, 1);
  if (bundle->fusion == ENS_FUSION_LOG_ODDS) {
    bundle->window_share = (float)ens_json_reader_number (reader, "window_share", 0, 1);
    bundle->exclusive = ens_json_reader_choice (reader, "link", ens_link_names);
    bundle->calibration = read_calibration (reader, "calibration", bundle);
    bundle->whole_calibration = read_calibration (reader, "whole_calibration", bundle);
    if (bundle->exclusive) {
      bundle->softmax = read_pair (reader, "softmax");
      bundle->whole_softmax = read_pair (reader, "whole_softmax");
    }
  }
  ens_json_reader_leave (reader);
}

static void
read_windows (EnsJsonReader *reader, EnsBundle *bundle)
{
  const char *presets[ENS_N_WINDOWS_PRESETS + 1] = {NULL};

  for (guint p = 0; p < ENS_N_WINDOWS_PRESETS; p++)
    presets[p] = ens_windows_preset_name (p);
  ens_json_reader_enter_object (reader, "windows");
  bundle->windows = ens_json_reader_integer (reader, "count", 0, ENS_MAX_WINDOWS);
  bundle->windows_preset = ens_json_reader_choice (reader, "preset", presets);
  ens_json_reader_leave (reader);
}

static void
read_sub_images (EnsJsonReader *reader, EnsSubImageSettings *settings)
{
  ens_json_reader_enter_object (reader, "sub_images");
  settings->size =
      ens_json_reader_integer (reader, "size", ENS_MIN_SUB_IMAGE_SIZE, ENS_FRAME_MAX_SIZE);
  settings->overlap = (float)ens_json_reader_number (reader, "overlap", 0, ENS_MAX_OVERLAP);
  settings->large_from =
      (float)ens_json_reader_number (reader, "large_from", 1, ENS_FRAME_MAX_SIZE);
  settings->count = ens_json_reader_integer (reader, "count", 1, ENS_MAX_SUB_IMAGES);
  ens_json_reader_leave (reader);
}

static void
read_bundle (EnsJsonReader *reader, EnsBundle *bundle)
{
  read_schema (reader);
  bundle->name = ens_json_reader_string (reader, "name");
  bundle->version = ens_json_reader_string (reader, "version");
  read_classes (reader, bundle);
  read_fusion (reader, bundle);
  read_windows (reader, bundle);
  bundle->sub_images = ENS_SUB_IMAGE_DEFAULTS;
  if (ens_json_reader_has (reader, "sub_images"))
    read_sub_images (reader, &bundle->sub_images);
  read_networks (reader, bundle);
  if (ens_json_reader_has (reader, "gate"))
    bundle->gate = ens_bundle_gate_read (reader, bundle);
  if (ens_json_reader_has (reader, "events"))
    bundle->events = ens_bundle_events_read (reader, bundle);
  if (ens_json_reader_has (reader, "provenance"))
    bundle->provenance = ens_json_reader_text (reader, "provenance");
}

static gboolean
check_file (const EnsBundle *bundle, const char *file, GError **error)
{
  g_autofree char *path = ens_bundle_resolve (bundle->folder, file, error);

  return path != NULL;
}

static gboolean
check_files (const EnsBundle *bundle, GError **error)
{
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!check_file (bundle, network->network, error)
        || !check_file (bundle, network->classifier, error)
        || (network->window_classifier != NULL
            && !check_file (bundle, network->window_classifier, error)))
      return FALSE;
  }
  return bundle->gate == NULL || check_file (bundle, bundle->gate->file, error);
}

/* What people name instead of a bundle. */
static gboolean
check_folder (const char *folder, const char *path, GError **error)
{
  const char *found = NULL;

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!g_file_test (folder, G_FILE_TEST_EXISTS))
    found = "there is nothing of this name";
  else if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    found = "found a file";
  else
    found = "found a folder without " ENS_BUNDLE_FILE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
               "%s: expected a bundle, a folder that gst-ensemble-1.0 train has written; %s",
               folder, found);
  return FALSE;
}

EnsBundle *
ens_bundle_load (const char *folder, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (EnsJsonReader) reader = NULL;
  g_autoptr (EnsBundle) bundle = NULL;

  g_return_val_if_fail (folder != NULL, NULL);

  path = g_build_filename (folder, ENS_BUNDLE_FILE, NULL);
  reader = check_folder (folder, path, error) ? ens_json_reader_open (path, error) : NULL;
  if (reader == NULL)
    return NULL;
  bundle = g_new0 (EnsBundle, 1);
  bundle->folder = g_canonicalize_filename (folder, NULL);
  read_bundle (reader, bundle);
  if (!ens_json_reader_finish (reader, error) || !ens_bundle_check (bundle, path, error)
      || !check_files (bundle, error))
    return NULL;
  return g_steal_pointer (&bundle);
}
