/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training a contour network, step by step: data, network, training, the files. */
#include "train/train-contour.h"

#include "base/fail.h"
#include "onnx/onnx.h"
#include "train/contour-private.h"
#include "train/losses.h"

#define LOSS "loss"
#define MOMENTUM 0.1

typedef struct {
  EnsContourTraining params;
  EnsDevice *device;
  const EnsFrameOpener *opener;
  const EnsMonitor *monitor;
  EnsContourSet *set;
  EnsGraph *graph; /* the network with its loss, as it was built */
  EnsStep *step;
  EnsParameterGroup *groups;
  EnsContourCrops crops;
  EnsLoader *loader;
} Training;

static void
training_clear (Training *training)
{
  g_clear_pointer (&training->loader, ens_loader_free);
  g_clear_pointer (&training->step, ens_step_free);
  g_clear_pointer (&training->graph, ens_graph_free);
  g_clear_pointer (&training->set, ens_contour_set_free);
  g_free (training->groups);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* -- data -- */

/* What is wrong with a photograph is better known before an epoch has passed. */
static gboolean
check_items (const GPtrArray *items, const EnsFrameOpener *opener, GError **error)
{
  for (guint i = 0; i < items->len; i++) {
    g_autoptr (EnsPicture) picture = NULL, truth = NULL;

    if (!ens_contour_item_read (items->pdata[i], opener, &picture, &truth, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
load_dataset (Training *training, GError **error)
{
  EnsContourTraining *params = &training->params;
  const GPtrArray *items;

  EnsLoaderSource source;

  training->set = ens_contour_set_load (params->recipe.dataset, error);
  if (training->set == NULL
      || !check_items (training->set->items[ENS_SPLIT_VALIDATION], training->opener, error))
    return FALSE;
  items = training->set->items[ENS_SPLIT_TRAIN];
  params->recipe.batch = MIN (params->recipe.batch, items->len * params->crops);
  training->crops = (EnsContourCrops) {params, training->opener, items};
  source = ens_contour_crops_get_source (&training->crops);
  training->loader = ens_recipe_open_loader (&params->recipe, &source);
  return TRUE;
}

/* -- the network -- */

static gboolean
build_graph (Training *training, GError **error)
{
  EnsContourParams network = training->params.network;
  EnsValue *truth;

  network.seed = training->params.recipe.seed;
  training->graph = ens_contour_new (&network, error);
  if (training->graph == NULL)
    return FALSE;
  truth =
      ens_graph_add_input (training->graph, "truth", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 1));
  ens_graph_rename (training->graph,
                    ens_loss_contour (training->graph, ens_graph_find (training->graph, "logits"),
                                      truth, training->params.balance),
                    LOSS);
  return TRUE;
}

static gboolean
make_step (Training *training, GError **error)
{
  const gint64 batch = training->params.recipe.batch, side = training->params.crop;
  const EnsShape shapes[ENS_CONTOUR_N_INPUTS] = {ENS_SHAPE (batch, side, side, 3),
                                                 ENS_SHAPE (batch, side, side, 1)};

  training->step =
      ens_step_new (&(EnsStepParams) {.graph = training->graph,
                                      .loss = LOSS,
                                      .input_shapes = shapes,
                                      .batch_statistics = TRUE,
                                      .momentum = MOMENTUM,
                                      .seed = training->params.recipe.seed,
                                      .memory_limit = training->params.recipe.memory_limit},
                    training->device, error);
  if (training->step == NULL)
    return FALSE;
  training->groups = ens_recipe_make_groups (training->step);
  return TRUE;
}

/* -- training -- */

static gboolean
take_step (gpointer data, const EnsLoopPosition *position, float *gradients, EnsLoopStep *result,
           GError **error)
{
  Training *training = data;
  EnsLoaderBatch batch;
  float loss;

  if (!ens_loader_next (training->loader, position->epoch, position->batch, training->monitor,
                        &batch, error)
      || !ens_step_run (training->step,
                        &(EnsStepArrays) {
                            .inputs = (const gconstpointer[]) {batch.tensors[ENS_CONTOUR_PICTURES],
                                                               batch.tensors[ENS_CONTOUR_TRUTH]},
                            .gradients = gradients,
                            .number = position->step,
                        },
                        &loss, error))
    return FALSE;
  result->loss = loss;
  result->n_samples = training->params.recipe.batch;
  return TRUE;
}

/* Adds the loss of a whole photograph. */
static gboolean
measure_item (const Training *training, EnsNetwork *network, const EnsContourItem *item,
              double *sum, GError **error)
{
  g_auto (EnsContourExample) example = {0};
  g_autoptr (EnsPicture) photograph = NULL, truth = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  EnsShape shapes[ENS_CONTOUR_N_INPUTS];
  float loss;

  if (!ens_contour_item_read (item, training->opener, &photograph, &truth, error))
    return FALSE;
  ens_contour_example_init (&example, photograph, truth);
  shapes[ENS_CONTOUR_PICTURES] = ENS_SHAPE (1, example.height, example.width, 3);
  shapes[ENS_CONTOUR_TRUTH] = ENS_SHAPE (1, example.height, example.width, 1);
  plan = ens_network_plan (network, shapes, error);
  if (plan == NULL
      || !ens_plan_run (plan, (const gconstpointer[]) {example.pixels, example.truth},
                        (const gpointer[]) {&loss}, error))
    return FALSE;
  *sum += loss;
  return TRUE;
}

static gboolean
validate (gpointer data, EnsLoopMeasure *measure, GError **error)
{
  const Training *training = data;
  const GPtrArray *items = training->set->items[ENS_SPLIT_VALIDATION];
  g_autoptr (EnsNetwork) network =
      ens_step_open_network (training->step, training->graph, LOSS, error);
  double sum = 0;

  if (network == NULL)
    return FALSE;
  for (guint i = 0; i < items->len; i++)
    if (!measure_item (training, network, items->pdata[i], &sum, error))
      return FALSE;
  measure->loss = sum / items->len;
  measure->score = -measure->loss;
  return TRUE;
}

/* All that the training depends on. (transfer full) */
static char *
describe_settings (const Training *training)
{
  const EnsContourTraining *params = &training->params;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_recipe_describe (&params->recipe, NULL, &json);
  ens_json_unsigned (&json, "images", training->set->items[ENS_SPLIT_TRAIN]->len);
  ens_json_unsigned (&json, "module", params->network.module);
  ens_json_open_array (&json, "unify", ENS_JSON_FLAT);
  for (guint i = 0; i < params->network.n_levels; i++)
    ens_json_unsigned (&json, NULL, params->network.unify[i]);
  ens_json_close (&json);
  ens_json_boolean (&json, "balance", params->balance);
  ens_json_unsigned (&json, "crop", params->crop);
  ens_json_unsigned (&json, "crops", params->crops);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

static gboolean
train (Training *training, EnsRecipeResult *result, GError **error)
{
  EnsLoopTask task = {.groups = training->groups,
                      .n_batches = ens_loader_get_batches (training->loader),
                      .step = take_step,
                      .validate = validate,
                      .data = training};
  g_autofree char *settings = describe_settings (training);

  result->n_images = training->set->items[ENS_SPLIT_TRAIN]->len;
  return ens_recipe_train (&training->params.recipe, training->step, &task, settings,
                           training->monitor, result, error);
}

/* -- the files -- */

char *
ens_contour_name_map (const EnsContourTraining *params)
{
  return ens_recipe_name_beside (&params->recipe, "-map.onnx");
}

static gboolean export(const EnsGraph *graph, const EnsRecipeParams *recipe, GError **error)
{
  return ens_onnx_export (graph, recipe->output, error)
         && ens_recipe_write_network (
             recipe, &(EnsRecipeNetwork) {.normalise = &ens_contour_normalise}, error);
}

static gboolean
write_files (Training *training, GError **error)
{
  EnsRecipeParams *recipe = &training->params.recipe, map_recipe = *recipe;
  g_autofree char *map_path = ens_contour_name_map (&training->params);
  g_autoptr (EnsGraph) map = ens_graph_copy (training->graph), feature = NULL;

  map_recipe.output = map_path;
  if (!ens_step_store (training->step, map, error))
    return FALSE;
  g_ptr_array_set_size (map->inputs, 1);
  ens_graph_remove_unused (map);
  feature = ens_contour_drop_head (map);
  if (!export(map, &map_recipe, error) || !export(feature, recipe, error))
    return FALSE;
  ens_recipe_finish (recipe);
  return TRUE;
}

/* -- all of it -- */

static gboolean
check_params (const EnsContourTraining *params, GError **error)
{
  return ens_recipe_check (&params->recipe, error) && ens_contour_check (&params->network, error)
         && ((params->crops > 0 && params->crop >= ENS_CONTOUR_LEAST_CROP)
             || ens_fail (error, ENS_ERROR_DATA, params->recipe.output,
                          "expected at least 1 crop of each photograph and %u pixels of its side, "
                          "found %u and %u",
                          ENS_CONTOUR_LEAST_CROP, params->crops, params->crop));
}

gboolean
ens_contour_train (const EnsContourTraining *params, EnsDevice *device,
                   const EnsFrameOpener *opener, const EnsMonitor *monitor, EnsRecipeResult *result,
                   GError **error)
{
  g_auto (Training)
      training = {.params = *params, .device = device, .opener = opener, .monitor = monitor};

  return check_params (params, error) && load_dataset (&training, error)
         && build_graph (&training, error) && make_step (&training, error)
         && train (&training, result, error) && write_files (&training, error);
}
