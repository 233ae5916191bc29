/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/train-fused.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/fail.h"
#include "onnx/onnx.h"
#include "train/preprocess.h"

const char *const ens_fused_update_names[] = {"both", "head", "backbone", NULL};

/* Where the backbone's file leaves the size open. */
#define USUAL_SIZE 224

typedef struct {
  EnsTrainFusedParams params;
  const EnsMonitor *monitor;
  EnsDataset *dataset;
  EnsGraph *backbone, *contour, *graph;
  GHashTable *backbone_names; /* of its values */
  EnsClassifier *classifier;
  char *map; /* what the fusion made last */
  char *settings;
  const char *frozen[3]; /* values, up to a NULL */
} Training;

static void
training_clear (Training *training)
{
  g_clear_pointer (&training->classifier, ens_classifier_free);
  g_clear_pointer (&training->graph, ens_graph_free);
  g_clear_pointer (&training->contour, ens_graph_free);
  g_clear_pointer (&training->backbone, ens_graph_free);
  g_clear_pointer (&training->backbone_names, g_hash_table_unref);
  g_clear_pointer (&training->dataset, ens_dataset_free);
  g_free (training->map);
  g_free (training->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* -- the network -- */

static gboolean
import_backbone (Training *training, GError **error)
{
  EnsFusedParams *network = &training->params.network;
  const EnsOnnxOptions options = {.nominal_size = network->size};
  const EnsValue *input;

  training->backbone = ens_onnx_import (training->params.backbone, &options, error);
  if (training->backbone == NULL)
    return FALSE;
  input = ens_graph_only_input (training->backbone);
  if (network->size == 0)
    network->size = input != NULL && input->shape.rank == 4 && input->shape.dims[1] > 0
                        ? (guint)input->shape.dims[1]
                        : USUAL_SIZE;
  training->backbone_names = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < training->backbone->values->len; i++)
    g_hash_table_add (training->backbone_names,
                      ((EnsValue *)training->backbone->values->pdata[i])->name);
  return TRUE;
}

static gboolean
import_contour (Training *training, GError **error)
{
  g_autoptr (EnsPreprocess) preprocess = ens_preprocess_find (training->params.contour, error);

  if (preprocess == NULL)
    return FALSE;
  training->params.network.contour_pixels = preprocess->normalise;
  training->contour = ens_onnx_import (training->params.contour, NULL, error);
  return training->contour != NULL;
}

static gboolean
build (Training *training, GError **error)
{
  EnsFusedParams *network = &training->params.network;

  if (!import_backbone (training, error) || !import_contour (training, error))
    return FALSE;
  network->backbone = training->backbone;
  network->contour = training->contour;
  network->backbone_pixels = training->params.normalise;
  network->n_classes = training->dataset->n_classes;
  network->seed = training->params.recipe.seed;
  training->graph = ens_fused_new (network, error);
  training->map = ens_fused_name_map (network);
  return training->graph != NULL;
}

/* -- what learns -- */

static gboolean
is_trained (gpointer data, const char *name, EnsParameterKind kind)
{
  const Training *training = data;

  return training->params.update != ENS_FUSED_UPDATE_BACKBONE
         || g_hash_table_contains (training->backbone_names, name);
}

static void
set_groups (gpointer data, const EnsStep *step, EnsParameterGroup *groups)
{
  const Training *training = data;
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);

  for (guint i = 0; i < n; i++)
    if (g_hash_table_contains (training->backbone_names, parameters[i].name))
      groups[i].rate_factor = training->params.backbone_factor;
}

/* -- before -- */

static gboolean
describe_settings (Training *training, GError **error)
{
  const EnsTrainFusedParams *params = &training->params;
  gboolean done;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  done = ens_recipe_describe_file (&json, "backbone", params->backbone, error)
         && ens_recipe_describe_file (&json, "contour", params->contour, error);
  ens_normalise_write (&json, &params->normalise);
  ens_json_open_object (&json, "contour_pixels", ENS_JSON_FLAT);
  ens_normalise_write (&json, &params->network.contour_pixels);
  ens_json_close (&json);
  ens_json_unsigned (&json, "size", params->network.size);
  ens_json_string (&json, "tap", params->network.tap);
  ens_json_string (&json, "fusion", ens_fused_kind_names[params->network.kind]);
  ens_json_unsigned (&json, "layers", params->network.n_layers);
  ens_json_unsigned (&json, "filters", params->network.filters);
  ens_json_double (&json, "dropout", params->network.dropout);
  ens_json_boolean (&json, "without_contour", params->network.without_contour);
  ens_json_string (&json, "update", ens_fused_update_names[params->update]);
  ens_json_double (&json, "backbone_factor", params->backbone_factor);
  ens_json_string (&json, "augment", ens_classifier_augment_names[params->augment]);
  ens_recipe_describe (&params->recipe, training->dataset, &json);
  ens_json_close (&json);
  training->settings = ens_json_finish (&json);
  return done;
}

static gboolean
check_params (const EnsTrainFusedParams *params, GError **error)
{
  if (!ens_recipe_check (&params->recipe, error))
    return FALSE;
  if (params->network.kind == ENS_FUSED_CONVOLVE
      && (params->network.n_layers == 0 || params->network.filters == 0))
    return ens_fail (error, ENS_ERROR_DATA, params->recipe.output,
                     "expected at least 1 convolution of 1 filter, found %u of %u",
                     params->network.n_layers, params->network.filters);
  if (g_strcmp0 (params->recipe.output, params->backbone) == 0
      || g_strcmp0 (params->recipe.output, params->contour) == 0)
    return ens_fail (error, ENS_ERROR_FILE, params->recipe.output,
                     "is what the network is made of; choose another file for the result");
  return TRUE;
}

static gboolean
prepare (Training *training, EnsDevice *device, const EnsFrameOpener *opener, GError **error)
{
  const EnsTrainFusedParams *params = &training->params;
  EnsClassifierParams classifier = {.recipe = &params->recipe,
                                    .logits = ENS_FUSED_LOGITS,
                                    .normalise = params->normalise,
                                    .augment = params->augment,
                                    .frozen = training->frozen,
                                    .is_trained = is_trained,
                                    .set_groups = set_groups,
                                    .data = training};

  if (!check_params (params, error))
    return FALSE;
  training->dataset = ens_recipe_load_dataset (&params->recipe, training->monitor, error);
  if (training->dataset == NULL || !build (training, error) || !describe_settings (training, error))
    return FALSE;
  training->frozen[0] = ENS_FUSED_FEATURE;
  if (params->update == ENS_FUSED_UPDATE_HEAD)
    training->frozen[1] = ens_fused_get_tap (training->graph)->name;
  classifier.graph = training->graph;
  classifier.size = params->network.size;
  training->classifier = ens_classifier_new (&classifier, training->dataset, device, opener, error);
  return training->classifier != NULL;
}

/* -- after -- */

static gboolean
measure (Training *training, EnsTrainFusedResult *result, GError **error)
{
  result->exchanged_split =
      training->dataset->samples[ENS_SPLIT_TEST]->len > 0 ? ENS_SPLIT_TEST : ENS_SPLIT_VALIDATION;
  return ens_classifier_measure (training->classifier, training->monitor, result->measures, error)
         && ens_classifier_measure_exchanged (training->classifier, result->exchanged_split,
                                              training->monitor, &result->exchanged, error);
}

/* As it is in the file that was written, which is not kept if it differs. */
static gboolean
compare_contour (const Training *training, GError **error)
{
  const char *path = training->params.recipe.output;
  g_autoptr (EnsGraph) written = ens_onnx_import (path, NULL, error);

  if (written != NULL
      && ens_contour_compare_weights (written, ENS_FUSED_CONTOUR "/", training->contour, error))
    return TRUE;
  g_remove (path);
  return FALSE;
}

static gboolean
write_files (Training *training, GError **error)
{
  const EnsTrainFusedParams *params = &training->params;
  const char *const taps[] = {training->map, ENS_FUSED_LOGITS, NULL};

  if (!ens_classifier_export (training->classifier, error) || !compare_contour (training, error)
      || !ens_recipe_write_network (
          &params->recipe,
          &(EnsRecipeNetwork) {.role = "retrained",
                               .normalise = &params->normalise,
                               .size = params->network.size,
                               .taps = taps,
                               .classes = (const char *const *)training->dataset->classes},
          error))
    return FALSE;
  ens_recipe_finish (&params->recipe);
  return TRUE;
}

gboolean
ens_train_fused (const EnsTrainFusedParams *params, EnsDevice *device, const EnsFrameOpener *opener,
                 const EnsMonitor *monitor, EnsTrainFusedResult *result, GError **error)
{
  g_auto (Training) training = {.params = *params, .monitor = monitor};

  if (!prepare (&training, device, opener, error)
      || !ens_classifier_train (training.classifier, training.settings, monitor, &result->recipe,
                                error)
      || !measure (&training, result, error) || !write_files (&training, error))
    return FALSE;
  result->has_several = ens_classifier_has_several (training.classifier);
  return TRUE;
}
