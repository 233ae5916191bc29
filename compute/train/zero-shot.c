/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/zero-shot-private.h"

#include <string.h>

#include "base/fail.h"
#include "base/json.h"
#include "ensemble/member-graph.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "train/fit-private.h"

/* Probabilities stay so far from 0 and 1, that their log odds are finite. */
#define MARGIN 1e-6F

/* ---- The classifier ---- */

static EnsValue *
apply (EnsGraph *graph, const char *op, gconstpointer params, EnsValue *a, EnsValue *b)
{
  return ens_graph_apply (graph, ens_op_find (op), params, a, b, NULL);
}

static EnsValue *
add_number (EnsGraph *graph, float number)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE_SCALAR, &number);

  return ens_graph_add_constant (graph, NULL, tensor);
}

/* Decision values whose sigmoid is the softmax of the scores: log p − log (1 − p). */
static EnsValue *
append_log_odds (EnsGraph *graph, EnsValue *scores)
{
  static const EnsBinaryParams plain = {0};
  EnsValue *p = apply (graph, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, scores, NULL), *rest;

  p = apply (graph, "Clip", &(EnsClipParams) {MARGIN, 1 - MARGIN}, p, NULL);
  rest = apply (graph, "Sub", &plain, add_number (graph, 1), p);
  return apply (graph, "Sub", &plain, apply (graph, "Log", NULL, p, NULL),
                apply (graph, "Log", NULL, rest, NULL));
}

EnsGraph *
ens_zero_shot_make_classifier (const EnsZeroShotParams *params)
{
  const EnsClassVectors *vectors = params->vectors;
  const EnsGemmParams product = {
      .trans_b = TRUE, .alpha = params->temperature, .beta = params->bias};
  EnsGraph *graph = ens_graph_new ("zero-shot");
  EnsValue *x =
      ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, vectors->length));
  g_autoptr (EnsTensor) weights = ens_tensor_new_copy (
      ENS_TYPE_FLOAT32, &ENS_SHAPE (vectors->n, vectors->length), vectors->values);

  x = apply (graph, "LpNormalization", &(EnsLpNormalizationParams) {.axis = 1, .p = 2}, x, NULL);
  x = ens_graph_apply (graph, ens_op_find ("Gemm"), &product, x,
                       ens_graph_add_constant (graph, "vectors", weights), add_number (graph, 1),
                       NULL);
  ens_graph_add_output (graph, params->exclusive ? append_log_odds (graph, x) : x);
  return graph;
}

/* ---- The bundle ---- */

static EnsCalibration *
make_calibration (guint n)
{
  EnsCalibration *calibration = g_new (EnsCalibration, n);

  for (guint c = 0; c < n; c++)
    calibration[c] = (EnsCalibration) {1, 0};
  return calibration;
}

char *
ens_zero_shot_describe_origin (const EnsZeroShotParams *params)
{
  g_autofree char *name = g_path_get_basename (params->source);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "vectors", name);
  ens_json_string (&json, "link", ens_link_names[params->exclusive]);
  ens_json_double (&json, "temperature", (double)params->temperature);
  ens_json_double (&json, "bias", (double)params->bias);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

char *
ens_zero_shot_find_tap (const char *network, const EnsClassVectors *vectors, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_onnx_import (network, NULL, error);
  const EnsValue *tap;

  if (graph == NULL)
    return NULL;
  tap = graph->outputs->pdata[0];
  for (guint i = graph->outputs->len; i-- > 0;) {
    const EnsValue *output = graph->outputs->pdata[i];

    if (output->shape.rank == 2 && output->shape.dims[1] == vectors->length)
      tap = output;
  }
  return g_strdup (tap->name);
}

static gboolean
check_length (const EnsZeroShotParams *params, const EnsBundleNetwork *network, GError **error)
{
  EnsMemberGeometry geometry;
  guint n_features;
  g_autoptr (EnsGraph) body =
      ens_member_body (params->network->path, FALSE, network, &n_features, &geometry, error);

  if (body == NULL)
    return FALSE;
  return n_features == params->vectors->length
         || ens_fail (
             error, ENS_ERROR_SHAPE, params->network->path,
             "the layer “%s” has %u values, the vectors of %s have %u; name the layer that "
             "gives the embedding (taps=LAYER)",
             network->taps[0], n_features, params->source, params->vectors->length);
}

gboolean
ens_zero_shot_set_up_network (const EnsZeroShotParams *params, const EnsBundle *bundle, guint n,
                              EnsBundleNetwork *settings, const EnsMonitor *monitor, GError **error)
{
  EnsFitNetwork network = *params->network;
  g_autofree char *output = NULL;
  const char *taps[2] = {NULL};
  guint size;

  if (network.taps == NULL) {
    output = ens_zero_shot_find_tap (network.path, params->vectors, error);
    if (output == NULL)
      return FALSE;
    taps[0] = output;
    network.taps = taps;
  }
  size = network.size > 0 ? network.size : ens_member_standard_size (network.path, error);
  network.role = ENS_ROLE_ORIGINAL;
  network.size = size;
  if (network.n_scales == 0) {
    network.scales = &size;
    network.n_scales = 1;
  }
  if (size == 0 || !ens_fit_set_up_network (&network, bundle, n, settings, monitor, error))
    return FALSE;
  g_free (settings->calibration);
  settings->calibration = make_calibration (bundle->n_classes);
  settings->weight = 1;
  return check_length (params, settings, error);
}

/* (transfer full) */
static EnsBundle *
make_bundle (const EnsZeroShotParams *params, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (EnsBundle) bundle = g_new0 (EnsBundle, 1);
  guint n = params->vectors->n;

  bundle->name = ens_fit_choose_name (params->bundle, params->name);
  bundle->version = g_strdup ("1");
  bundle->classes = g_strdupv (params->vectors->names);
  bundle->n_classes = n;
  bundle->thresholds = g_new (float, n);
  for (guint c = 0; c < n; c++)
    bundle->thresholds[c] = params->threshold;
  bundle->sub_images = ENS_SUB_IMAGE_DEFAULTS;
  bundle->networks = g_new0 (EnsBundleNetwork, 1);
  bundle->n_networks = 1;
  bundle->provenance = ens_zero_shot_describe_origin (params);
  if (!ens_zero_shot_set_up_network (params, bundle, 0, &bundle->networks[0], monitor, error))
    return NULL;
  return g_steal_pointer (&bundle);
}

gboolean
ens_zero_shot (const EnsZeroShotParams *params, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (EnsBundle) bundle = make_bundle (params, monitor, error);
  g_autoptr (EnsBundleWriter) writer = NULL;
  g_autoptr (EnsGraph) classifier = NULL;
  g_autoptr (GBytes) network = NULL;
  g_autoptr (GBytes) head = NULL;

  if (bundle == NULL
      || (network = ens_fit_read_network (params->network->path, FALSE, monitor, error)) == NULL)
    return FALSE;
  classifier = ens_zero_shot_make_classifier (params);
  head = ens_onnx_export_bytes (classifier, error);
  writer = head != NULL ? ens_bundle_writer_new (params->bundle, error) : NULL;
  return writer != NULL
         && ens_bundle_writer_add (writer, bundle->networks[0].network, network, error)
         && ens_bundle_writer_add (writer, bundle->networks[0].classifier, head, error)
         && ens_bundle_writer_commit (writer, bundle, error);
}
