/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zero-shot classes beside trained ones, in one bundle. Files of classifiers have a value for every
 * class of the bundle: 0 where the network does not know it, which nobody reads. */
#include "train/zero-shot-private.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "classify/linear-classifier.h"
#include "onnx/onnx.h"
#include "train/fit-private.h"

/* A bundle on its way. */
typedef struct {
  const EnsZeroShotParams *params;
  EnsBundle *bundle; /* as it will be */
  guint n_before;    /* its classes so far */
  EnsBundleWriter *writer;
} Adding;

static void
adding_clear (Adding *adding)
{
  ens_bundle_free (adding->bundle);
  ens_bundle_writer_free (adding->writer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Adding, adding_clear)

/* ---- ensemble.json ---- */

static gboolean
check_classes (const EnsBundle *bundle, const EnsClassVectors *vectors, GError **error)
{
  if (bundle->n_zero_shot > 0)
    return ens_fail (error, ENS_ERROR_DATA, bundle->folder,
                     "has %u zero-shot classes already; train it again, or go back to how it was "
                     "before, and add all at once",
                     bundle->n_zero_shot);
  for (guint c = 0; c < vectors->n; c++)
    if (g_strv_contains ((const char *const *)bundle->classes, vectors->names[c]))
      return ens_fail (error, ENS_ERROR_DATA, bundle->folder,
                       "knows the class “%s” already; give it another name, or leave it out",
                       vectors->names[c]);
  if (bundle->n_classes + vectors->n > ENS_MAX_CLASSES || bundle->n_networks == ENS_MAX_NETWORKS)
    return ens_fail (error, ENS_ERROR_DATA, bundle->folder,
                     "a bundle has at most %u classes and %u networks", ENS_MAX_CLASSES,
                     ENS_MAX_NETWORKS);
  return TRUE;
}

static void
add_names (EnsBundle *bundle, const EnsClassVectors *vectors)
{
  guint n = bundle->n_classes;

  bundle->classes = g_renew (char *, bundle->classes, n + vectors->n + 1);
  for (guint c = 0; c < vectors->n; c++)
    bundle->classes[n + c] = g_strdup (vectors->names[c]);
  bundle->classes[n + vectors->n] = NULL;
  bundle->n_classes = n + vectors->n;
  bundle->n_zero_shot = vectors->n;
}

static void
add_thresholds (const EnsBundle *bundle, float **thresholds, float threshold)
{
  if (*thresholds == NULL)
    return;
  *thresholds = g_renew (float, *thresholds, bundle->n_classes);
  for (guint c = bundle->n_classes - bundle->n_zero_shot; c < bundle->n_classes; c++)
    (*thresholds)[c] = threshold;
}

static void
add_calibration (const EnsBundle *bundle, EnsCalibration **calibration)
{
  if (*calibration == NULL)
    return;
  *calibration = g_renew (EnsCalibration, *calibration, bundle->n_classes);
  for (guint c = bundle->n_classes - bundle->n_zero_shot; c < bundle->n_classes; c++)
    (*calibration)[c] = (EnsCalibration) {1, 0};
}

static void
add_ranges (const EnsBundle *bundle, EnsBundleGate *gate)
{
  if (gate == NULL)
    return;
  gate->ranges = g_renew (EnsGateRange, gate->ranges, bundle->n_classes);
  for (guint c = bundle->n_classes - bundle->n_zero_shot; c < bundle->n_classes; c++)
    gate->ranges[c] = (EnsGateRange) {NAN, NAN};
}

/* Where the classes come from, beside where the others do. */
static void
add_provenance (EnsBundle *bundle, const EnsZeroShotParams *params)
{
  g_autofree char *origin = ens_zero_shot_describe_origin (params);
  g_autofree char *before = g_steal_pointer (&bundle->provenance);
  const char *rest = before != NULL ? strchr (before, '{') : NULL;
  gboolean any = rest != NULL && rest[1 + strspn (rest + 1, " \n\r\t")] != '}';

  bundle->provenance = g_strdup_printf ("{\"zero_shot\": %s%s%s", origin, any ? "," : "",
                                        rest != NULL ? rest + 1 : "}");
}

static gboolean
add_network (Adding *adding, const EnsMonitor *monitor, GError **error)
{
  EnsBundle *bundle = adding->bundle;
  guint n = bundle->n_networks;

  bundle->networks = g_renew (EnsBundleNetwork, bundle->networks, n + 1);
  bundle->networks[n] = (EnsBundleNetwork) {0};
  if (!ens_zero_shot_set_up_network (adding->params, bundle, n, &bundle->networks[n], monitor,
                                     error)) {
    ens_bundle_network_clear (&bundle->networks[n]);
    return FALSE;
  }
  bundle->networks[n].role = ENS_ROLE_ZERO_SHOT;
  bundle->n_networks = n + 1;
  return TRUE;
}

static gboolean
extend_bundle (Adding *adding, const EnsMonitor *monitor, GError **error)
{
  EnsBundle *bundle = adding->bundle;
  float threshold = adding->params->threshold;

  add_names (bundle, adding->params->vectors);
  add_thresholds (bundle, &bundle->thresholds, threshold);
  add_thresholds (bundle, &bundle->whole_thresholds, threshold);
  add_calibration (bundle, &bundle->calibration);
  add_calibration (bundle, &bundle->whole_calibration);
  add_ranges (bundle, bundle->gate);
  for (guint n = 0; n < bundle->n_networks; n++) {
    add_calibration (bundle, &bundle->networks[n].calibration);
    add_calibration (bundle, &bundle->networks[n].window_calibration);
  }
  add_provenance (bundle, adding->params);
  /* The writer keeps those of the old bundle. */
  g_clear_pointer (&bundle->events, ens_bundle_events_free);
  return add_network (adding, monitor, error);
}

/* ---- Files ---- */

/* Puts a graph's n values among the bundle's classes, from the first-th on. */
static void
place_values (EnsGraph *graph, guint n, guint first, guint n_classes)
{
  g_autoptr (EnsLinearClassifier) places = ens_linear_classifier_new (n, n_classes);
  g_autoptr (EnsGraph) part = NULL;
  g_autoptr (GPtrArray) values = NULL;
  EnsValue *value = g_ptr_array_index (graph->outputs, 0);
  const EnsValue *output;

  for (guint i = 0; i < n; i++)
    places->weights[(gsize)(first + i) * n + i] = 1;
  part = ens_linear_classifier_to_graph (places);
  output = g_ptr_array_index (part->outputs, 0);
  values = ens_graph_embed (graph, part, "places/", &value);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, g_ptr_array_index (values, output->index));
}

/* Takes the graph over. */
static gboolean
write_classifier (Adding *adding, const char *file, EnsGraph *graph, guint n, guint first,
                  GError **error)
{
  g_autoptr (EnsGraph) owned = graph;
  g_autoptr (GBytes) bytes = NULL;

  if (owned == NULL)
    return FALSE;
  place_values (owned, n, first, adding->bundle->n_classes);
  bytes = ens_onnx_export_bytes (owned, error);
  return bytes != NULL && ens_bundle_writer_add (adding->writer, file, bytes, error);
}

static gboolean
widen (Adding *adding, const char *file, GError **error)
{
  g_autofree char *path = NULL;

  if (file == NULL)
    return TRUE;
  path = ens_bundle_resolve (adding->bundle->folder, file, error);
  return path != NULL
         && write_classifier (adding, file,
                              ens_onnx_import (path, &(EnsOnnxOptions) {.confined = TRUE}, error),
                              adding->n_before, 0, error);
}

/* The network, with its weights if they are in files of their own. */
static gboolean
copy (Adding *adding, const char *file, GError **error)
{
  g_autofree char *path = ens_bundle_resolve (adding->bundle->folder, file, error);
  g_autoptr (GBytes) bytes = path != NULL ? ens_fit_read_network (path, TRUE, NULL, error) : NULL;

  return bytes != NULL && ens_bundle_writer_add (adding->writer, file, bytes, error);
}

static gboolean
write_old (Adding *adding, GError **error)
{
  const EnsBundle *bundle = adding->bundle;

  for (guint n = 0; n + 1 < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!copy (adding, network->network, error) || !widen (adding, network->classifier, error)
        || !widen (adding, network->window_classifier, error))
      return FALSE;
  }
  return bundle->gate == NULL || widen (adding, bundle->gate->file, error);
}

static gboolean
write_new (Adding *adding, const EnsMonitor *monitor, GError **error)
{
  const EnsBundle *bundle = adding->bundle;
  const EnsBundleNetwork *network = &bundle->networks[bundle->n_networks - 1];
  g_autoptr (GBytes) bytes =
      ens_fit_read_network (adding->params->network->path, FALSE, monitor, error);

  return bytes != NULL && ens_bundle_writer_add (adding->writer, network->network, bytes, error)
         && write_classifier (adding, network->classifier,
                              ens_zero_shot_make_classifier (adding->params),
                              adding->params->vectors->n, adding->n_before, error);
}

gboolean
ens_zero_shot_add (const EnsZeroShotParams *params, const EnsMonitor *monitor, GError **error)
{
  g_auto (Adding) adding = {.params = params};

  adding.bundle = ens_bundle_load (params->bundle, error);
  if (adding.bundle == NULL || !check_classes (adding.bundle, params->vectors, error))
    return FALSE;
  adding.n_before = adding.bundle->n_classes;
  if (!extend_bundle (&adding, monitor, error)
      || !ens_bundle_check (adding.bundle, params->bundle, error))
    return FALSE;
  adding.writer = ens_bundle_writer_new (params->bundle, error);
  return adding.writer != NULL && write_old (&adding, error) && write_new (&adding, monitor, error)
         && ens_bundle_writer_commit (adding.writer, adding.bundle, error);
}
