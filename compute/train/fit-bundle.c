/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "ensemble/bundle-private.h"
#include "onnx/onnx.h"
#include "train/fit-private.h"

static void
write_figures (EnsJson *json, const EnsEvaluation *evaluation)
{
  ens_json_open_array (json, "validation", ENS_JSON_FLAT);
  for (guint r = 0; r < evaluation->n_rows; r++) {
    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "name", evaluation->rows[r].name);
    ens_json_double (json, "mean_average_precision", evaluation->rows[r].mean_average_precision);
    ens_json_double (json, "accuracy", evaluation->rows[r].accuracy);
    ens_json_close (json);
  }
  ens_json_close (json);
}

/* AUROC by kind. */
static void
write_gate (EnsJson *json, const EnsFittedGate *gate)
{
  ens_json_open_array (json, "gate_kinds", ENS_JSON_FLAT);
  for (guint k = 0; k < gate->n_figures; k++) {
    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "kind", gate->figures[k].kind);
    ens_json_double (json, "classes_left_out", gate->figures[k].left_out);
    ens_json_double (json, "unrelated_images", gate->figures[k].unrelated);
    ens_json_close (json);
  }
  ens_json_close (json);
}

/* How the gate was learnt. */
static void
write_gate_options (EnsJson *json, const EnsGateSettings *settings)
{
  ens_json_open_object (json, "gate_options", ENS_JSON_FLAT);
  ens_json_string (json, "asked_for", settings->kind);
  for (guint i = 0; ens_gate_options[i].name != NULL; i++)
    ens_json_double (json, ens_gate_options[i].name, settings->options[i]);
  ens_json_close (json);
}

/* The head's options, each with its value for every network. */
static void
write_options (EnsJson *json, const EnsFit *fit)
{
  for (guint i = 0; fit->head->options[i].name != NULL; i++) {
    ens_json_open_object (json, fit->head->options[i].name, ENS_JSON_FLAT);
    for (guint n = 0; n < fit->bundle->n_networks; n++)
      ens_json_double (json, fit->bundle->networks[n].name, fit->networks[n].options[i]);
    ens_json_close (json);
  }
}

char *
ens_fit_describe_origin (const EnsFit *fit, const EnsFitFeatures *features,
                         const EnsEvaluation *evaluation)
{
  g_autofree char *dataset = ens_dataset_get_name (fit->params->dataset);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "dataset", dataset);
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++) {
    g_autofree char *images = g_strconcat (ens_split_name (s), "_images", NULL);
    g_autofree char *broken = g_strconcat (ens_split_name (s), "_skipped", NULL);

    ens_json_unsigned (&json, images, ens_fit_features_get_truth (features, s)->n_samples);
    ens_json_unsigned (&json, broken, ens_fit_features_get_n_broken (features, s));
  }
  write_options (&json, fit);
  write_figures (&json, evaluation);
  if (fit->bundle->gate != NULL) {
    write_gate (&json, &fit->gate);
    write_gate_options (&json, &fit->gate_settings);
  }
  ens_json_close (&json);
  return ens_json_finish (&json);
}

static gboolean
add_graph (EnsBundleWriter *writer, const char *name, const EnsGraph *graph, GError **error)
{
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, error);

  return bytes != NULL && ens_bundle_writer_add (writer, name, bytes, error);
}

gboolean
ens_fit_write_bundle (EnsFit *fit, GError **error)
{
  const EnsBundle *bundle = fit->bundle;
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fit->params->bundle, error);

  if (writer == NULL)
    return FALSE;
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!ens_bundle_writer_add (writer, network->network, fit->contents[n], error)
        || !add_graph (writer, network->classifier, fit->networks[n].graphs.images, error)
        || (network->window_classifier != NULL
            && !add_graph (writer, network->window_classifier, fit->networks[n].graphs.windows,
                           error)))
      return FALSE;
  }
  if (bundle->gate != NULL && !add_graph (writer, bundle->gate->file, fit->gate.graph, error))
    return FALSE;
  return ens_bundle_writer_commit (writer, bundle, error);
}
