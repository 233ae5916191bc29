/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/classifier-private.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "classify/metrics.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "ops/registry.h"
#include "train/losses.h"

#define LOSS "classifier/loss"
#define MOMENTUM 0.1

struct _EnsClassifier {
  EnsClassifierParams params;
  const EnsDataset *dataset;
  EnsDevice *device;
  const EnsMonitor *monitor; /* while it trains or measures */
  gboolean has_several;
  guint batch;
  EnsGraph *graph; /* with the loss */
  EnsStep *step;
  EnsParameterGroup *groups;
  EnsClassifierSamples samples[ENS_N_SPLITS];
  EnsLoader *loaders[ENS_N_SPLITS];
  float *logits; /* of a batch */
};

/* -- the data -- */

static gboolean
shows_one (const EnsDatasetItem *item, guint n_classes)
{
  guint n = 0;

  for (guint c = 0; c < n_classes; c++) {
    if (item->labels[c] == ENS_LABEL_UNKNOWN)
      return FALSE;
    n += item->labels[c] == ENS_LABEL_PRESENT;
  }
  return n == 1 && item->boxes == NULL;
}

static gboolean
has_several (const EnsDataset *dataset)
{
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++)
      if (!shows_one (dataset->samples[s]->pdata[i], dataset->n_classes))
        return TRUE;
  return FALSE;
}

/* With one class and nothing else the loss is 0 whatever the network says. */
static gboolean
check_classes (const EnsClassifier *classifier, GError **error)
{
  const EnsDataset *dataset = classifier->dataset;

  if (dataset->n_classes > 1 || classifier->has_several)
    return TRUE;
  return ens_fail (error, ENS_ERROR_DATA, dataset->folder,
                   "all pictures show the only class, “%s”; there have to be others, such as in a "
                   "class folder “none”",
                   dataset->classes[0]);
}

static void
open_loader (EnsClassifier *classifier, EnsSplit split)
{
  EnsLoaderSource source;

  if (classifier->loaders[split] != NULL)
    return;
  source = ens_classifier_samples_get_source (&classifier->samples[split]);
  classifier->loaders[split] = ens_recipe_open_loader (classifier->params.recipe, &source);
}

/* -- the loss -- */

/* (transfer full) */
static EnsGraph *
append_loss (const EnsClassifier *classifier)
{
  EnsGraph *graph = ens_graph_copy (classifier->params.graph);
  EnsValue *logits = ens_graph_find (graph, classifier->params.logits), *targets, *loss;
  const EnsShape shape = ENS_SHAPE (-1, classifier->dataset->n_classes);

  targets = ens_graph_add_input (graph, "classifier/targets", ENS_TYPE_FLOAT32, &shape);
  if (classifier->has_several)
    loss = ens_loss_binary_cross_entropy (
        graph, logits, targets,
        ens_graph_add_input (graph, "classifier/weights", ENS_TYPE_FLOAT32, &shape));
  else
    loss = ens_loss_cross_entropy (graph, logits, targets, NULL);
  ens_graph_rename (graph, loss, LOSS);
  return graph;
}

static void
get_shapes (const EnsClassifier *classifier, EnsShape *shapes)
{
  const EnsClassifierParams *params = &classifier->params;

  shapes[ENS_CLASSIFIER_PIXELS] = ENS_SHAPE (classifier->batch, params->size, params->size,
                                             ens_order_channels (params->normalise.order));
  shapes[ENS_CLASSIFIER_TARGETS] = shapes[ENS_CLASSIFIER_WEIGHTS] =
      ENS_SHAPE (classifier->batch, classifier->dataset->n_classes);
}

static gboolean
make_step (EnsClassifier *classifier, GError **error)
{
  const EnsClassifierParams *params = &classifier->params;
  const char *const outputs[] = {params->logits, NULL};
  EnsShape shapes[ENS_CLASSIFIER_N_INPUTS];
  const EnsStepParams step = {.graph = classifier->graph,
                              .loss = LOSS,
                              .outputs = outputs,
                              .input_shapes = shapes,
                              .frozen = params->frozen,
                              .is_trained = params->is_trained,
                              .data = params->data,
                              .batch_statistics = TRUE,
                              .momentum = MOMENTUM,
                              .seed = params->recipe->seed,
                              .memory_limit = params->recipe->memory_limit};

  get_shapes (classifier, shapes);
  classifier->step = ens_step_new (&step, classifier->device, error);
  if (classifier->step == NULL)
    return FALSE;
  classifier->groups = ens_recipe_make_groups (classifier->step);
  if (params->set_groups != NULL)
    params->set_groups (params->data, classifier->step, classifier->groups);
  return TRUE;
}

EnsClassifier *
ens_classifier_new (const EnsClassifierParams *params, const EnsDataset *dataset, EnsDevice *device,
                    const EnsFrameOpener *opener, GError **error)
{
  g_autoptr (EnsClassifier) classifier = g_new0 (EnsClassifier, 1);

  classifier->params = *params;
  classifier->dataset = dataset;
  classifier->device = device;
  classifier->has_several = has_several (dataset);
  classifier->batch = MIN (params->recipe->batch, dataset->samples[ENS_SPLIT_TRAIN]->len);
  classifier->logits = g_new (float, (gsize)classifier->batch * dataset->n_classes);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    ens_classifier_samples_init (&classifier->samples[s], &classifier->params, dataset, (EnsSplit)s,
                                 opener, classifier->batch);
  classifier->graph = append_loss (classifier);
  return check_classes (classifier, error) && make_step (classifier, error)
             ? g_steal_pointer (&classifier)
             : NULL;
}

void
ens_classifier_free (EnsClassifier *classifier)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    g_clear_pointer (&classifier->loaders[s], ens_loader_free);
  g_clear_pointer (&classifier->step, ens_step_free);
  g_clear_pointer (&classifier->graph, ens_graph_free);
  g_free (classifier->groups);
  g_free (classifier->logits);
  g_free (classifier);
}

EnsStep *
ens_classifier_get_step (EnsClassifier *classifier)
{
  return classifier->step;
}

gboolean
ens_classifier_has_several (const EnsClassifier *classifier)
{
  return classifier->has_several;
}

/* -- training -- */

static guint
find_highest (const float *values, guint n)
{
  guint highest = 0;

  for (guint i = 1; i < n; i++)
    highest = values[i] > values[highest] ? i : highest;
  return highest;
}

/* NaN with several classes. */
static double
count_correct (const EnsClassifier *classifier, const float *targets)
{
  guint n_classes = classifier->dataset->n_classes, n = 0;

  if (classifier->has_several)
    return NAN;
  for (guint i = 0; i < classifier->batch; i++)
    n += targets[i * n_classes + find_highest (classifier->logits + i * n_classes, n_classes)] > 0;
  return n;
}

static gboolean
take_step (gpointer data, const EnsLoopPosition *position, float *gradients, EnsLoopStep *result,
           GError **error)
{
  EnsClassifier *classifier = data;
  EnsLoaderBatch batch;
  float loss;

  if (!ens_loader_next (classifier->loaders[ENS_SPLIT_TRAIN], position->epoch, position->batch,
                        classifier->monitor, &batch, error)
      || !ens_step_run (classifier->step,
                        &(EnsStepArrays) {.inputs = (const gconstpointer *)batch.tensors,
                                          .outputs = (const gpointer[]) {classifier->logits},
                                          .gradients = gradients,
                                          .number = position->step},
                        &loss, error))
    return FALSE;
  result->loss = loss;
  result->n_samples = classifier->batch;
  result->n_correct = count_correct (classifier, batch.tensors[ENS_CLASSIFIER_TARGETS]);
  return TRUE;
}

/* -- measuring -- */

typedef struct {
  EnsClassifier *classifier;
  const EnsClassifierSamples *samples;
  EnsLoader *loader;
  EnsPlan *plan;
  double loss, weight;
  float *scores;  /* images × classes */
  guint8 *labels; /* the same; of what was loaded in the place of a broken image, its own */
} Measuring;

/* The network with its parameters as they are. (transfer full) */
static EnsPlan *
plan_forward (EnsClassifier *classifier, GError **error)
{
  g_autoptr (EnsNetwork) network = ens_step_open_network (
      classifier->step, classifier->params.graph, classifier->params.logits, error);
  EnsShape shapes[ENS_CLASSIFIER_N_INPUTS];

  if (network == NULL)
    return NULL;
  get_shapes (classifier, shapes);
  return ens_network_plan (network, shapes, error);
}

/* log (1 + eˣ) */
static double
softplus (double x)
{
  return MAX (x, 0) + log1p (exp (-fabs (x)));
}

static double
log_sum (const float *logits, guint n)
{
  double highest = logits[find_highest (logits, n)], sum = 0;

  for (guint c = 0; c < n; c++)
    sum += exp (logits[c] - highest);
  return highest + log (sum);
}

/* The loss of one sample, as the training's is. */
static void
add_loss (Measuring *measuring, const float *logits, const float *targets, const float *weights)
{
  guint n = measuring->classifier->dataset->n_classes;

  for (guint c = 0; c < n; c++)
    if (measuring->classifier->has_several) {
      measuring->loss += weights[c] * (softplus (logits[c]) - (double)targets[c] * logits[c]);
      measuring->weight += weights[c];
    } else if (targets[c] > 0) {
      measuring->loss += log_sum (logits, n) - logits[c];
      measuring->weight++;
    }
}

static gboolean
measure_batch (Measuring *measuring, guint number, GError **error)
{
  EnsClassifier *classifier = measuring->classifier;
  const EnsClassifierSamples *samples = measuring->samples;
  guint first = number * classifier->batch, n_classes = classifier->dataset->n_classes;
  guint n = MIN (classifier->batch, samples->images->len - first);
  EnsLoaderBatch batch;

  if (!ens_loader_next (measuring->loader, 0, number, classifier->monitor, &batch, error)
      || !ens_plan_run (measuring->plan,
                        (const gconstpointer[]) {batch.tensors[ENS_CLASSIFIER_PIXELS]},
                        (const gpointer[]) {classifier->logits}, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const EnsDatasetItem *image = samples->images->pdata[batch.items[i] % samples->images->len];

    add_loss (measuring, classifier->logits + i * n_classes,
              batch.tensors[ENS_CLASSIFIER_TARGETS] + i * n_classes,
              batch.tensors[ENS_CLASSIFIER_WEIGHTS] + i * n_classes);
    memcpy (measuring->labels + (gsize)(first + i) * n_classes, image->labels, n_classes);
  }
  memcpy (measuring->scores + (gsize)first * n_classes, classifier->logits,
          (gsize)n * n_classes * sizeof (float));
  return TRUE;
}

static void
summarise (const Measuring *measuring, EnsClassifierMeasure *measure)
{
  const EnsLabels truth = {measuring->samples->images->len,
                           measuring->classifier->dataset->n_classes, measuring->labels};

  measure->loss = measuring->weight > 0 ? measuring->loss / measuring->weight : NAN;
  measure->accuracy = ens_accuracy (&truth, measuring->scores, NULL);
  measure->precision = ens_mean_average_precision (&truth, measuring->scores);
}

static gboolean
measure_samples (EnsClassifier *classifier, const EnsClassifierSamples *samples, EnsLoader *loader,
                 EnsPlan *plan, EnsClassifierMeasure *measure, GError **error)
{
  gsize n_scores = (gsize)samples->images->len * classifier->dataset->n_classes;
  g_autofree float *scores = g_new (float, n_scores);
  g_autofree guint8 *labels = g_new (guint8, n_scores);
  Measuring measuring = {classifier, samples, loader, plan, .scores = scores, .labels = labels};

  for (guint i = 0; i < ens_loader_get_batches (loader); i++)
    if (!measure_batch (&measuring, i, error))
      return FALSE;
  summarise (&measuring, measure);
  return TRUE;
}

static gboolean
measure_split (EnsClassifier *classifier, EnsSplit split, EnsPlan *plan,
               EnsClassifierMeasure *measure, GError **error)
{
  open_loader (classifier, split);
  return measure_samples (classifier, &classifier->samples[split], classifier->loaders[split], plan,
                          measure, error);
}

gboolean
ens_classifier_measure (EnsClassifier *classifier, const EnsMonitor *monitor,
                        EnsClassifierMeasure measures[ENS_N_SPLITS], GError **error)
{
  g_autoptr (EnsPlan) plan = plan_forward (classifier, error);

  if (plan == NULL)
    return FALSE;
  classifier->monitor = monitor;
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    measures[s] = (EnsClassifierMeasure) {NAN, NAN, NAN};
    if (s != ENS_SPLIT_TRAIN && classifier->dataset->samples[s]->len > 0
        && !measure_split (classifier, (EnsSplit)s, plan, &measures[s], error))
      return FALSE;
  }
  return TRUE;
}

gboolean
ens_classifier_measure_exchanged (EnsClassifier *classifier, EnsSplit split,
                                  const EnsMonitor *monitor, EnsClassifierMeasure *measure,
                                  GError **error)
{
  g_autoptr (EnsPlan) plan = plan_forward (classifier, error);

  *measure = (EnsClassifierMeasure) {0};
  classifier->monitor = monitor;
  for (guint i = 0; i < ENS_N_EXCHANGES && plan != NULL; i++) {
    EnsClassifierSamples samples = classifier->samples[split];
    EnsLoaderSource source = ens_classifier_samples_get_source (&samples);
    g_autoptr (EnsLoader) loader = NULL;
    EnsClassifierMeasure one;

    samples.exchange = i + 1;
    loader = ens_recipe_open_loader (classifier->params.recipe, &source);
    if (!measure_samples (classifier, &samples, loader, plan, &one, error))
      return FALSE;
    measure->loss += one.loss / ENS_N_EXCHANGES;
    measure->accuracy += one.accuracy / ENS_N_EXCHANGES;
    measure->precision += one.precision / ENS_N_EXCHANGES;
  }
  return plan != NULL;
}

static gboolean
validate (gpointer data, EnsLoopMeasure *measure, GError **error)
{
  EnsClassifier *classifier = data;
  g_autoptr (EnsPlan) plan = plan_forward (classifier, error);
  EnsClassifierMeasure found;

  if (plan == NULL || !measure_split (classifier, ENS_SPLIT_VALIDATION, plan, &found, error))
    return FALSE;
  measure->loss = found.loss;
  measure->accuracy = classifier->has_several ? NAN : found.accuracy;
  measure->score = classifier->has_several ? found.precision : found.accuracy;
  return TRUE;
}

gboolean
ens_classifier_train (EnsClassifier *classifier, const char *settings, const EnsMonitor *monitor,
                      EnsRecipeResult *result, GError **error)
{
  EnsRecipeParams recipe = *classifier->params.recipe;
  EnsLoopTask task = {
      .groups = classifier->groups, .step = take_step, .validate = validate, .data = classifier};

  if (classifier->has_several)
    recipe.loop.score = "mean average precision";
  open_loader (classifier, ENS_SPLIT_TRAIN);
  open_loader (classifier, ENS_SPLIT_VALIDATION);
  task.n_batches = ens_loader_get_batches (classifier->loaders[ENS_SPLIT_TRAIN]);
  classifier->monitor = monitor;
  result->n_classes = classifier->dataset->n_classes;
  result->n_images = classifier->dataset->samples[ENS_SPLIT_TRAIN]->len;
  return ens_recipe_train (&recipe, classifier->step, &task, settings, monitor, result, error);
}

/* -- the result -- */

gboolean
ens_classifier_export (EnsClassifier *classifier, GError **error)
{
  const EnsSoftmaxParams along = {.axis = -1};
  g_autoptr (EnsGraph) graph = ens_graph_copy (classifier->params.graph);
  EnsValue *input = graph->inputs->pdata[0], *y;

  if (!ens_step_store (classifier->step, graph, error))
    return FALSE;
  input->shape.dims[0] = input->shape.dims[1] = input->shape.dims[2] = -1;
  y = ens_graph_find (graph, classifier->params.logits);
  y = classifier->has_several ? ens_graph_apply (graph, &ens_op_sigmoid, NULL, y, NULL)
                              : ens_graph_apply (graph, &ens_op_softmax, &along, y, NULL);
  ens_graph_rename (graph, y, "probabilities");
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, y);
  ens_graph_remove_unused (graph);
  return ens_recipe_export (classifier->params.recipe, graph,
                            (const char *const *)classifier->dataset->classes, error);
}
