/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/train-network.h"

#include <math.h>

#include "base/fail.h"

const char *const ens_network_regulariser_names[] = {"sum", "mean", "mean-as-written", "off", NULL};

/* As networks/residual.h calls it. */
#define LOGITS "logits"

typedef struct {
  EnsTrainNetworkParams params;
  const EnsMonitor *monitor;
  EnsDataset *dataset;
  EnsGraph *graph;
  EnsClassifier *classifier;
  char *settings;
} Training;

static void
training_clear (Training *training)
{
  g_clear_pointer (&training->classifier, ens_classifier_free);
  g_clear_pointer (&training->graph, ens_graph_free);
  g_clear_pointer (&training->dataset, ens_dataset_free);
  g_free (training->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* Values of 0 … 255 to about -1 … 1. */
static const EnsNormalise normalise = {
    ENS_ORDER_RGB, {127.5F, 127.5F, 127.5F}, {0.015625F, 0.015625F, 0.015625F}};

/* -- the regulariser -- */

/* Scales and shifts do not decay where the regulariser is off. */
static EnsRegulariser
get_regulariser (const EnsTrainNetworkParams *params, gsize n_normalisation)
{
  EnsRegulariser regulariser = {ENS_REGULARISER_MEAN, params->regulariser_share};

  if (params->regulariser == ENS_NETWORK_REGULARISER_SUM)
    regulariser.form = ENS_REGULARISER_SUM;
  if (params->regulariser == ENS_NETWORK_REGULARISER_MEAN)
    regulariser.share *= (double)n_normalisation / 2;
  if (params->regulariser == ENS_NETWORK_REGULARISER_OFF)
    regulariser.share = 0;
  return regulariser;
}

static void
set_groups (gpointer data, const EnsStep *step, EnsParameterGroup *groups)
{
  const Training *training = data;
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);
  const EnsRegulariser regulariser =
      get_regulariser (&training->params, ens_regulariser_count (training->graph, parameters, n));

  ens_regulariser_set_decay (&regulariser, training->graph, parameters, n, groups);
}

/* Of the scales, or the shifts, of all batch normalisations. */
static double
measure_norm (Training *training, EnsParameterKind kind)
{
  EnsStep *step = ens_classifier_get_step (training->classifier);
  guint n_parameters;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n_parameters);
  gsize n, count = 0;
  const float *values = ens_step_get_values (step, &n);
  double sum = 0;

  for (guint i = 0; i < n_parameters; i++) {
    const EnsParameter *parameter = &parameters[i];

    if (parameter->kind != kind || ens_regulariser_count (training->graph, parameter, 1) == 0)
      continue;
    for (gsize k = 0; k < parameter->size; k++)
      sum += (double)values[parameter->offset + k] * values[parameter->offset + k];
    count += parameter->size;
  }
  return count > 0 ? sqrt (sum / (double)count) : NAN;
}

/* -- before -- */

static char *
describe_settings (const Training *training)
{
  const EnsTrainNetworkParams *params = &training->params;
  const EnsResidualParams *network = &params->network;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_unsigned (&json, "size", network->height);
  ens_json_open_array (&json, "stages", ENS_JSON_FLAT);
  for (guint i = 0; i < network->n_stages; i++) {
    ens_json_unsigned (&json, NULL, network->stages[i].n_blocks);
    ens_json_unsigned (&json, NULL, network->stages[i].channels);
    ens_json_unsigned (&json, NULL, network->stages[i].stride);
  }
  ens_json_close (&json);
  ens_json_open_array (&json, "initial", ENS_JSON_FLAT);
  ens_json_unsigned (&json, NULL, network->initial.filters);
  ens_json_unsigned (&json, NULL, network->initial.kernel);
  ens_json_unsigned (&json, NULL, network->initial.stride);
  ens_json_close (&json);
  ens_json_boolean (&json, "stride_everywhere", network->stride_everywhere);
  ens_json_boolean (&json, "plain", network->plain);
  ens_json_string (&json, "regulariser", ens_network_regulariser_names[params->regulariser]);
  ens_json_double (&json, "regulariser_share", params->regulariser_share);
  ens_json_string (&json, "augment", ens_classifier_augment_names[params->augment]);
  ens_recipe_describe (&params->recipe, training->dataset, &json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

static gboolean
build (Training *training, GError **error)
{
  EnsResidualParams *network = &training->params.network;

  network->n_classes = training->dataset->n_classes;
  network->seed = training->params.recipe.seed;
  training->graph = ens_residual_build (network, error);
  return training->graph != NULL;
}

static gboolean
prepare (Training *training, EnsDevice *device, const EnsFrameOpener *opener, GError **error)
{
  const EnsTrainNetworkParams *params = &training->params;
  EnsClassifierParams classifier = {.recipe = &params->recipe,
                                    .logits = LOGITS,
                                    .normalise = normalise,
                                    .size = params->network.height,
                                    .augment = params->augment,
                                    .set_groups = set_groups,
                                    .data = training};

  if (!ens_recipe_check (&params->recipe, error))
    return FALSE;
  training->dataset = ens_recipe_load_dataset (&params->recipe, training->monitor, error);
  if (training->dataset == NULL || !build (training, error))
    return FALSE;
  classifier.graph = training->graph;
  training->classifier = ens_classifier_new (&classifier, training->dataset, device, opener, error);
  if (training->classifier == NULL)
    return FALSE;
  training->settings = describe_settings (training);
  return TRUE;
}

/* -- after -- */

static void
describe_result (Training *training, EnsTrainNetworkResult *result)
{
  const EnsTrainNetworkParams *params = &training->params;
  EnsStep *step = ens_classifier_get_step (training->classifier);
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (step, &n);
  EnsRegulariser regulariser;

  result->has_several = ens_classifier_has_several (training->classifier);
  result->n_normalisation = ens_regulariser_count (training->graph, parameters, n);
  regulariser = get_regulariser (params, result->n_normalisation);
  result->regulariser = params->recipe.loop.optimiser.decay * regulariser.share;
  result->regulariser_as_sum = result->regulariser;
  if (regulariser.form == ENS_REGULARISER_MEAN)
    result->regulariser_as_sum *= 2 / (double)result->n_normalisation;
  result->scale_norm = measure_norm (training, ENS_PARAMETER_SCALE);
  result->shift_norm = measure_norm (training, ENS_PARAMETER_BIAS);
}

static gboolean
write_files (Training *training, GError **error)
{
  const EnsTrainNetworkParams *params = &training->params;

  if (!ens_classifier_export (training->classifier, error)
      || !ens_recipe_write_network (
          &params->recipe,
          &(EnsRecipeNetwork) {.role = "retrained",
                               .normalise = &normalise,
                               .size = params->network.height,
                               .classes = (const char *const *)training->dataset->classes},
          error))
    return FALSE;
  ens_recipe_finish (&params->recipe);
  return TRUE;
}

gboolean
ens_train_network (const EnsTrainNetworkParams *params, EnsDevice *device,
                   const EnsFrameOpener *opener, const EnsMonitor *monitor,
                   EnsTrainNetworkResult *result, GError **error)
{
  g_auto (Training) training = {.params = *params, .monitor = monitor};

  if (!prepare (&training, device, opener, error)
      || !ens_classifier_train (training.classifier, training.settings, monitor, &result->recipe,
                                error)
      || !ens_classifier_measure (training.classifier, monitor, result->measures, error))
    return FALSE;
  describe_result (&training, result);
  return write_files (&training, error);
}
