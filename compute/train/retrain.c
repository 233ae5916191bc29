/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retraining, step by step: data, network, training, the files. */
#include "train/retrain.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "classify/metrics.h"
#include "train/retrain-private.h"

typedef struct {
  EnsRetrainParams params;
  EnsDevice *device;
  const EnsFrameOpener *opener;
  const EnsMonitor *monitor;
  EnsDataset *dataset;
  EnsRetrainGraph graph;
  EnsRetrainFeatures *features; /* of frozen layers; NULL: they are not kept */
  EnsStep *step;
  EnsParameterGroup *groups;
  EnsRetrainSamples samples[ENS_N_SPLITS];
  EnsLoader *loaders[ENS_N_SPLITS];
  gsize n_targets; /* of a batch */
  float *weights;  /* n_targets: of a batch that has samples which don't count */
  float *y;        /* n_targets: a batch's probabilities */
  char *settings;
} Retrain;

static void
retrain_clear (Retrain *retrain)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_clear_pointer (&retrain->loaders[s], ens_loader_free);
    ens_retrain_samples_clear (&retrain->samples[s]);
  }
  g_clear_pointer (&retrain->features, ens_retrain_features_free);
  g_clear_pointer (&retrain->step, ens_step_free);
  ens_retrain_graph_clear (&retrain->graph);
  g_clear_pointer (&retrain->dataset, ens_dataset_free);
  g_free (retrain->groups);
  g_free (retrain->weights);
  g_free (retrain->y);
  g_free (retrain->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Retrain, retrain_clear)

/* -- data -- */

static gboolean
open_samples (Retrain *retrain, GError **error)
{
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++)
    if (!ens_retrain_samples_init (&retrain->samples[s], &retrain->graph, &retrain->params,
                                   retrain->dataset, (EnsSplit)s, retrain->opener, retrain->monitor,
                                   error))
      return FALSE;
  retrain->params.recipe.batch =
      MIN (retrain->params.recipe.batch, retrain->samples[ENS_SPLIT_TRAIN].n_items);
  return TRUE;
}

static void
open_loaders (Retrain *retrain)
{
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++) {
    EnsLoaderSource source = ens_retrain_samples_get_source (&retrain->samples[s], &retrain->graph);

    retrain->loaders[s] = ens_recipe_open_loader (&retrain->params.recipe, &source);
    retrain->n_targets = source.batch * source.sizes[ENS_RETRAIN_TARGETS];
  }
  retrain->weights = g_new (float, retrain->n_targets);
  retrain->y = g_new (float, retrain->n_targets);
}

/* -- the network -- */

static gboolean
is_trained (gpointer data, const char *name, EnsParameterKind kind)
{
  const Retrain *retrain = data;

  return kind != ENS_PARAMETER_SCALE || retrain->params.train_normalisation;
}

static gboolean
is_label_bias (const Retrain *retrain, const EnsParameter *parameter)
{
  return parameter->kind == ENS_PARAMETER_BIAS
         && strcmp (parameter->node, retrain->graph.label_node) == 0;
}

/* So that the first outputs are what targets are on average. */
static void
set_label_bias (Retrain *retrain)
{
  guint n_classes = retrain->dataset->n_classes, n_parameters;
  g_autofree double *means = g_new (double, n_classes);
  const EnsParameter *parameters = ens_step_get_parameters (retrain->step, &n_parameters);
  gsize n;
  float *values = ens_step_get_values (retrain->step, &n);

  ens_retrain_samples_get_means (&retrain->samples[ENS_SPLIT_TRAIN], means);
  for (guint i = 0; i < n_parameters; i++)
    for (guint c = 0; c < n_classes && is_label_bias (retrain, &parameters[i]); c++) {
      double mean = CLAMP (means[c], 0.01, 0.5);

      values[parameters[i].offset + c] = (float)log (mean / (1 - mean));
    }
}

static void
set_groups (Retrain *retrain)
{
  guint n;
  const EnsParameter *parameters = ens_step_get_parameters (retrain->step, &n);

  retrain->groups = ens_recipe_make_groups (retrain->step);
  for (guint i = 0; i < n; i++)
    if (strcmp (parameters[i].node, retrain->graph.label_node) == 0)
      retrain->groups[i].rate_factor = retrain->params.label_factor;
}

static gboolean
make_step (Retrain *retrain, GError **error)
{
  const char *const frozen[] = {retrain->features == NULL ? retrain->params.freeze : NULL, NULL};
  const char *const outputs[] = {ENS_RETRAIN_PROBABILITIES, NULL};
  EnsShape shapes[ENS_RETRAIN_N_INPUTS];
  EnsStepParams params = {.graph = ens_retrain_graph_get_trained (&retrain->graph),
                          .loss = ENS_RETRAIN_LOSS,
                          .outputs = outputs,
                          .input_shapes = shapes,
                          .frozen = frozen,
                          .is_trained = is_trained,
                          .data = retrain,
                          .seed = retrain->params.recipe.seed,
                          .memory_limit = retrain->params.recipe.memory_limit};

  ens_retrain_graph_get_shapes (&retrain->graph, retrain->params.recipe.batch, shapes);
  retrain->step = ens_step_new (&params, retrain->device, error);
  if (retrain->step == NULL)
    return FALSE;
  set_label_bias (retrain);
  set_groups (retrain);
  return TRUE;
}

/* Frozen layers run once for each sub-image, if it comes up again as it is. */
static gboolean
keep_features (Retrain *retrain, GError **error)
{
  const EnsRetrainParams *params = &retrain->params;

  if (params->freeze == NULL || !ens_retrain_augment_is_repeated (params->augment))
    return TRUE;
  if (!ens_retrain_graph_cut (&retrain->graph, params->freeze, error))
    return FALSE;
  if (retrain->graph.tail == NULL)
    return TRUE;
  retrain->features =
      ens_retrain_features_new (&retrain->graph, params->freeze, retrain->device, error);
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++)
    retrain->samples[s].features = retrain->features;
  return retrain->features != NULL;
}

/* -- training -- */

/* The mean of each class over a sample's positions is added to its image's scores. */
static void
add_scores (const Retrain *retrain, const float *y, float *scores)
{
  guint n_classes = retrain->dataset->n_classes;
  gsize n = retrain->n_targets / retrain->params.recipe.batch;

  for (gsize i = 0; i < n; i++)
    scores[i % n_classes] += y[i] * (float)n_classes / (float)n;
}

/* The only class of an image without boxes, or n_classes. */
static guint
find_only_class (const EnsDatasetItem *item, guint n_classes)
{
  guint found = n_classes;

  for (guint c = 0; c < n_classes; c++) {
    if (item->labels[c] == ENS_LABEL_ABSENT)
      continue;
    if (item->boxes != NULL || item->labels[c] == ENS_LABEL_UNKNOWN || found < n_classes)
      return n_classes;
    found = c;
  }
  return found;
}

/* Samples whose highest score is their class's. NaN if one has no class, or several. */
static double
count_correct (const Retrain *retrain, const EnsLoaderBatch *batch)
{
  const EnsRetrainSamples *samples = &retrain->samples[ENS_SPLIT_TRAIN];
  guint n_classes = retrain->dataset->n_classes, n_correct = 0;
  g_autofree float *scores = g_new (float, n_classes);

  for (guint i = 0; i < retrain->params.recipe.batch; i++) {
    guint image = ens_retrain_samples_find_image (samples, batch->items[i]);
    guint class = find_only_class (samples->images->pdata[image], n_classes), highest = 0;

    if (class == n_classes)
      return NAN;
    memset (scores, 0, n_classes * sizeof *scores);
    add_scores (retrain, retrain->y + i * retrain->n_targets / retrain->params.recipe.batch,
                scores);
    for (guint c = 1; c < n_classes; c++)
      highest = scores[c] > scores[highest] ? c : highest;
    n_correct += highest == class;
  }
  return n_correct;
}

static gboolean
take_step (gpointer data, const EnsLoopPosition *position, float *gradients, EnsLoopStep *result,
           GError **error)
{
  Retrain *retrain = data;
  EnsLoaderBatch batch;
  float loss;

  if (!ens_loader_next (retrain->loaders[ENS_SPLIT_TRAIN], position->epoch, position->batch,
                        retrain->monitor, &batch, error))
    return FALSE;
  if (!ens_step_run (retrain->step,
                     &(EnsStepArrays) {
                         .inputs = (const gconstpointer *)batch.tensors,
                         .outputs = (const gpointer[]) {retrain->y},
                         .gradients = gradients,
                         .number = position->step,
                     },
                     &loss, error))
    return FALSE;
  result->loss = loss;
  result->n_samples = retrain->params.recipe.batch;
  result->n_correct = count_correct (retrain, &batch);
  return TRUE;
}

/* -- validation -- */

/* What is summed over the batches. */
typedef struct {
  double loss, weight;
  float *scores; /* n_images × n_classes */
} Sums;

/* The network with the parameters as they are. (transfer full) */
static EnsPlan *
plan_forward (Retrain *retrain, GError **error)
{
  g_autoptr (EnsNetwork) network = ens_step_open_network (
      retrain->step, ens_retrain_graph_get_trained (&retrain->graph), NULL, error);
  EnsShape shapes[ENS_RETRAIN_N_INPUTS];

  if (network == NULL)
    return NULL;
  ens_retrain_graph_get_shapes (&retrain->graph, retrain->params.recipe.batch, shapes);
  return ens_network_plan (network, shapes, error);
}

/* Items beyond `n_items` do not count. Returns the sum of the others' weights. */
static double
mask_weights (Retrain *retrain, const EnsLoaderBatch *batch, guint n_items)
{
  const float *weights = batch->tensors[ENS_RETRAIN_WEIGHTS];
  gsize n = retrain->n_targets / retrain->params.recipe.batch * n_items;
  double sum = 0;

  for (gsize i = 0; i < retrain->n_targets; i++) {
    retrain->weights[i] = i < n ? weights[i] : 0;
    sum += retrain->weights[i];
  }
  return sum;
}

static gboolean
measure_batch (Retrain *retrain, EnsPlan *plan, guint number, Sums *sums, GError **error)
{
  const EnsRetrainSamples *samples = &retrain->samples[ENS_SPLIT_VALIDATION];
  guint first = number * retrain->params.recipe.batch, n_classes = retrain->dataset->n_classes;
  guint n = MIN (retrain->params.recipe.batch, samples->n_items - first);
  EnsLoaderBatch batch;
  float loss;
  double weight;

  if (!ens_loader_next (retrain->loaders[ENS_SPLIT_VALIDATION], 0, number, retrain->monitor, &batch,
                        error))
    return FALSE;
  weight = mask_weights (retrain, &batch, n);
  if (!ens_plan_run (plan,
                     (const gconstpointer[]) {batch.tensors[ENS_RETRAIN_PIXELS],
                                              batch.tensors[ENS_RETRAIN_TARGETS], retrain->weights},
                     (const gpointer[]) {&loss, retrain->y}, error))
    return FALSE;
  sums->loss += weight * loss;
  sums->weight += weight;
  for (guint i = 0; i < n; i++)
    add_scores (retrain, retrain->y + i * retrain->n_targets / retrain->params.recipe.batch,
                sums->scores
                    + ens_retrain_samples_find_image (samples, batch.items[i]) * n_classes);
  return TRUE;
}

/* NaN where there is nothing to take a class for. */
static double
measure_accuracy (const Retrain *retrain, const float *scores)
{
  const EnsDataset *dataset = retrain->dataset;
  g_autofree guint8 *labels = ens_dataset_copy_labels (dataset, ENS_SPLIT_VALIDATION);
  const EnsLabels truth = {dataset->samples[ENS_SPLIT_VALIDATION]->len, dataset->n_classes, labels};

  return dataset->n_classes > 1 ? ens_accuracy (&truth, scores, NULL) : NAN;
}

static gboolean
validate (gpointer data, EnsLoopMeasure *measure, GError **error)
{
  Retrain *retrain = data;
  guint n_batches = ens_loader_get_batches (retrain->loaders[ENS_SPLIT_VALIDATION]);
  g_autofree float *scores = g_new0 (float, retrain->dataset->samples[ENS_SPLIT_VALIDATION]->len
                                                * retrain->dataset->n_classes);
  g_autoptr (EnsPlan) plan = plan_forward (retrain, error);
  Sums sums = {.scores = scores};

  if (plan == NULL)
    return FALSE;
  for (guint i = 0; i < n_batches; i++)
    if (!measure_batch (retrain, plan, i, &sums, error))
      return FALSE;
  measure->loss = sums.weight > 0 ? sums.loss / sums.weight : NAN;
  measure->accuracy = measure_accuracy (retrain, scores);
  measure->score = -measure->loss;
  return TRUE;
}

/* -- the result -- */

static gboolean
write_files (Retrain *retrain, GError **error)
{
  const EnsRetrainParams *params = &retrain->params;
  const char *const *classes = (const char *const *)retrain->dataset->classes;

  if (!ens_retrain_graph_export (&retrain->graph, retrain->step, params, classes, error)
      || !ens_recipe_write_network (&params->recipe,
                                    &(EnsRecipeNetwork) {.role = "retrained",
                                                         .normalise = &params->normalise,
                                                         .size = retrain->graph.size,
                                                         .taps = params->taps,
                                                         .classes = classes},
                                    error))
    return FALSE;
  ens_recipe_finish (&params->recipe);
  return TRUE;
}

/* -- all of it -- */

static gboolean
check_params (const EnsRetrainParams *params, GError **error)
{
  if (!ens_recipe_check (&params->recipe, error))
    return FALSE;
  if (params->sub_image_step == 0 || !(params->positive_weight > 0))
    return ens_fail (
        error, ENS_ERROR_DATA, params->network,
        "step between sub-images and the weight of positive targets must be larger than 0");
  if (g_strcmp0 (params->network, params->recipe.output) == 0)
    return ens_fail (error, ENS_ERROR_FILE, params->recipe.output,
                     "is the network to be retrained; choose another file for the result");
  return TRUE;
}

static gboolean
load_dataset (Retrain *retrain, GError **error)
{
  retrain->dataset = ens_recipe_load_dataset (&retrain->params.recipe, retrain->monitor, error);
  return retrain->dataset != NULL
         && ens_dataset_read_masks (retrain->dataset, retrain->opener, retrain->monitor, error);
}

static gboolean
prepare (Retrain *retrain, GError **error)
{
  EnsLoopParams *loop = &retrain->params.recipe.loop;

  if (!check_params (&retrain->params, error) || !load_dataset (retrain, error)
      || !ens_retrain_graph_init (&retrain->graph, &retrain->params, retrain->dataset->n_classes,
                                  error)
      || !open_samples (retrain, error) || !keep_features (retrain, error)
      || !make_step (retrain, error))
    return FALSE;
  retrain->settings = ens_retrain_describe_settings (&retrain->params, retrain->graph.size,
                                                     retrain->dataset, error);
  if (retrain->settings == NULL)
    return FALSE;
  open_loaders (retrain);
  if (loop->optimiser.kind == ENS_OPTIMISER_SGD)
    loop->rate *= retrain->dataset->n_classes;
  return TRUE;
}

static gboolean
train (Retrain *retrain, EnsRetrainResult *result, GError **error)
{
  EnsLoopTask task = {.groups = retrain->groups,
                      .n_batches = ens_loader_get_batches (retrain->loaders[ENS_SPLIT_TRAIN]),
                      .step = take_step,
                      .validate = validate,
                      .data = retrain};

  result->recipe.n_classes = retrain->dataset->n_classes;
  result->recipe.n_images = retrain->dataset->samples[ENS_SPLIT_TRAIN]->len;
  result->map = retrain->graph.map;
  return ens_recipe_train (&retrain->params.recipe, retrain->step, &task, retrain->settings,
                           retrain->monitor, &result->recipe, error);
}

gboolean
ens_retrain (const EnsRetrainParams *params, EnsDevice *device, const EnsFrameOpener *opener,
             const EnsMonitor *monitor, EnsRetrainResult *result, GError **error)
{
  g_auto (Retrain)
      retrain = {.params = *params, .device = device, .opener = opener, .monitor = monitor};

  return prepare (&retrain, error) && train (&retrain, result, error)
         && write_files (&retrain, error);
}
