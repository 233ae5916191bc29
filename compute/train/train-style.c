/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training of a style, step by step: pictures, features, networks, training, the file. */
#include "train/train-style.h"

#include <glib/gstdio.h>
#include <math.h>

#include "base/fail.h"
#include "base/files.h"
#include "engine/network-private.h"
#include "ensemble/style.h"
#include "networks/style.h"
#include "onnx/onnx.h"
#include "passes/rewrite.h"
#include "train/train-style-private.h"

const char *const ens_adversarial_names[] = {"least-squares", "logistic", NULL};
const char *const ens_style_start_names[] = {"nothing", "means", NULL};

/* Of each camera, to find out how large features are. */
#define N_MEASURED 8
/* … and what mean and variance colours have. */
#define N_MEASURED_COLOURS 64

/* What is kept beside parameters, before the buffers. */
enum { RATE_FACTOR, N_LOW, N_SINCE, N_HALVINGS, N_STATES };

enum { A, B, N_CAMERAS };

typedef struct {
  EnsStyleTraining params;
  EnsDevice *device;
  const EnsFrameOpener *opener;
  const EnsMonitor *monitor;
  EnsStyleSamples samples[N_CAMERAS];
  EnsLoader *loaders[N_CAMERAS];
  EnsShape shape; /* of a batch */
  const char *layer;
  EnsStyleColours colours[N_CAMERAS]; /* what generators begin with, from A to B, from B to A */
  EnsStyleGraphs graphs;
  EnsStep *generators, *discriminators;
  EnsParameterGroup *groups; /* the generators' first */
  guint n_groups, n_generator_groups;
  float *parameters;
  gsize n_parameters, n_generator_parameters;
  float *states; /* N_STATES, then the buffers */
  gsize n_states;
  EnsStyleBuffer buffers[N_CAMERAS]; /* of adapted pictures of A, of B */
  float *adapted[N_CAMERAS], *earlier[N_CAMERAS];
} Training;

static void
training_clear (Training *training)
{
  for (guint i = 0; i < N_CAMERAS; i++) {
    g_clear_pointer (&training->loaders[i], ens_loader_free);
    ens_style_samples_clear (&training->samples[i]);
    g_free (training->adapted[i]);
    g_free (training->earlier[i]);
  }
  g_clear_pointer (&training->generators, ens_step_free);
  g_clear_pointer (&training->discriminators, ens_step_free);
  ens_style_graphs_clear (&training->graphs);
  g_free (training->groups);
  g_free (training->parameters);
  g_free (training->states);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Training, training_clear)

/* -- pictures -- */

guint
ens_style_get_training_size (const EnsStyleTraining *params, guint camera)
{
  if (params->position)
    return params->crop;
  return camera == A ? params->from_size : params->to_size;
}

/* Whole pictures all become as long as the first one of A that can be read. */
static gboolean
find_shape (const Training *training, guint *width, guint *height, GError **error)
{
  const EnsStyleTraining *params = &training->params;
  const GPtrArray *paths = training->samples[A].paths;
  g_autoptr (GError) reason = NULL;
  g_autoptr (EnsPicture) first = NULL;

  *width = *height = params->crop;
  if (!params->position)
    return TRUE;
  for (guint i = 0; i < paths->len && first == NULL; i++) {
    g_clear_error (&reason);
    first = ens_frame_opener_read (training->opener, paths->pdata[i], &reason);
  }
  if (first == NULL)
    return ens_fail (error, ENS_ERROR_DATA, params->recipe.dataset,
                     "has no picture that can be read: %s", reason->message);
  ens_frame_scaled_size (first->frame.width, first->frame.height, params->crop, width, height);
  return TRUE;
}

static gboolean
open_samples (Training *training, GError **error)
{
  const EnsStyleTraining *params = &training->params;
  const char *const folders[] = {params->recipe.dataset, params->to};
  guint n_items = params->recipe.batch, width, height;

  for (guint i = 0; i < N_CAMERAS; i++) {
    if (!ens_style_samples_init (&training->samples[i], folders[i], training->opener, error))
      return FALSE;
    n_items = MAX (n_items, training->samples[i].paths->len * params->crops);
  }
  if (!find_shape (training, &width, &height, error))
    return FALSE;
  training->shape = ENS_SHAPE (params->recipe.batch, height, width, 3);
  for (guint i = 0; i < N_CAMERAS; i++) {
    EnsStyleSamples *samples = &training->samples[i];
    EnsLoaderSource source;

    samples->size = ens_style_get_training_size (params, i);
    samples->width = width;
    samples->height = height;
    samples->whole = params->position;
    samples->seed = N_CAMERAS * params->recipe.seed + i;
    samples->n_items = n_items;
    source = ens_style_samples_get_source (samples, params->recipe.batch);
    training->loaders[i] = ens_recipe_open_loader (&params->recipe, &source);
  }
  return TRUE;
}

/* -- features -- */

static gboolean
load_batch (const Training *training, guint camera, const EnsLoopPosition *position,
            const float **pictures, GError **error)
{
  EnsLoaderBatch batch;

  if (!ens_loader_next (training->loaders[camera], position->epoch, position->batch,
                        training->monitor, &batch, error))
    return FALSE;
  *pictures = batch.tensors[0];
  return TRUE;
}

static gboolean
add_colours (const Training *training, guint camera, EnsStyleMoments *moments, GError **error)
{
  guint n = MIN (N_MEASURED_COLOURS, ens_loader_get_batches (training->loaders[camera]));

  ens_style_moments_init (moments, 3);
  for (guint i = 0; i < n; i++) {
    const float *pictures;

    if (!load_batch (training, camera, &(EnsLoopPosition) {.batch = i}, &pictures, error))
      return FALSE;
    ens_style_moments_add (moments, pictures, (gsize)ens_shape_elements (&training->shape) / 3);
  }
  return TRUE;
}

static gboolean
match_colours (Training *training, GError **error)
{
  EnsStyleMoments moments[N_CAMERAS] = {{0}, {0}};
  gboolean done = add_colours (training, A, &moments[A], error)
                  && add_colours (training, B, &moments[B], error);

  for (guint i = 0; i < N_CAMERAS; i++)
    for (guint c = 0; done && c < 3; c++) {
      double factor, offset;

      ens_style_moments_match (&moments[i], &moments[1 - i], c, &factor, &offset);
      training->colours[i].factor[c] = (float)(factor - 1);
      training->colours[i].offset[c] = (float)offset;
    }
  for (guint i = 0; i < N_CAMERAS; i++)
    ens_style_moments_clear (&moments[i]);
  return done;
}

static gboolean
add_moments (const Training *training, EnsPlan *plan, guint camera, EnsStyleMoments *moments,
             GError **error)
{
  guint n = MIN (N_MEASURED, ens_loader_get_batches (training->loaders[camera]));
  gsize n_values = (gsize)ens_shape_elements (ens_plan_get_output_shape (plan, 0));
  g_autofree float *values = g_new (float, n_values);

  for (guint i = 0; i < n; i++) {
    const float *pictures;

    if (!load_batch (training, camera, &(EnsLoopPosition) {.batch = i}, &pictures, error)
        || !ens_plan_run (plan, (const gconstpointer[]) {pictures}, (const gpointer[]) {values},
                          error))
      return FALSE;
    ens_style_moments_add (moments, values, n_values / moments->n_channels);
  }
  return TRUE;
}

static gboolean
standardise (Training *training, EnsGraph *features, guint *n_features, GError **error)
{
  g_autoptr (EnsNetwork) network =
      ens_network_new (ens_graph_copy (features), training->device, error);
  g_autoptr (EnsPlan) plan =
      network != NULL ? ens_network_plan (network, &training->shape, error) : NULL;
  EnsStyleMoments moments;
  gboolean done;

  if (plan == NULL)
    return FALSE;
  *n_features = (guint)ens_shape_run (ens_plan_get_output_shape (plan, 0));
  ens_style_moments_init (&moments, *n_features);
  done = add_moments (training, plan, A, &moments, error)
         && add_moments (training, plan, B, &moments, error);
  if (done)
    ens_style_features_standardise (features, &moments);
  ens_style_moments_clear (&moments);
  return done;
}

/* -- networks -- */

static gboolean
make_steps (Training *training, GError **error)
{
  const char *outputs[N_CAMERAS + ENS_STYLE_N_GENERATOR_TERMS + 1] = {NULL};
  EnsShape shapes[ENS_STYLE_N_INPUTS];
  EnsStepParams params = {.graph = training->graphs.discriminators,
                          .loss = ENS_STYLE_LOSS,
                          .outputs = ens_style_discriminator_outputs,
                          .input_shapes = shapes,
                          .is_trained = ens_style_is_trained,
                          .data = (gpointer) "d",
                          .memory_limit = training->params.recipe.memory_limit};

  for (guint i = 0; i < ENS_STYLE_N_INPUTS; i++)
    shapes[i] = training->shape;
  training->discriminators = ens_step_new (&params, training->device, error);
  if (training->discriminators == NULL)
    return FALSE;
  params.graph = training->graphs.generators;
  for (guint i = 0; i < N_CAMERAS + training->graphs.n_terms; i++)
    outputs[i] = ens_style_generator_outputs[i];
  params.outputs = outputs;
  params.data = (gpointer) "g";
  params.beside = (EnsStep *const[]) {training->discriminators, NULL};
  training->generators = ens_step_new (&params, training->device, error);
  return training->generators != NULL;
}

/* Parameters of both steps, one behind the other. */
static void
join_parameters (Training *training)
{
  g_autofree EnsParameterGroup *generators = ens_recipe_make_groups (training->generators);
  g_autofree EnsParameterGroup *discriminators = ens_recipe_make_groups (training->discriminators);
  guint n;
  gsize n_values;

  ens_step_get_parameters (training->generators, &training->n_generator_groups);
  ens_step_get_parameters (training->discriminators, &n);
  training->n_groups = training->n_generator_groups + n;
  training->groups = g_new (EnsParameterGroup, training->n_groups);
  for (guint i = 0; i < training->n_groups; i++)
    training->groups[i] = i < training->n_generator_groups
                              ? generators[i]
                              : discriminators[i - training->n_generator_groups];
  ens_step_get_values (training->generators, &training->n_generator_parameters);
  ens_step_get_values (training->discriminators, &n_values);
  training->n_parameters = training->n_generator_parameters + n_values;
  training->parameters = g_new (float, training->n_parameters);
  ens_step_place_values (training->generators, training->parameters);
  ens_step_place_values (training->discriminators,
                         training->parameters + training->n_generator_parameters);
}

static void
make_buffers (Training *training)
{
  gsize size = (gsize)ens_shape_span (&training->shape, 1, 4);
  gsize n = ens_style_buffer_count_values (size);

  training->n_states = N_STATES + N_CAMERAS * n;
  training->states = g_new0 (float, training->n_states);
  training->states[RATE_FACTOR] = 1;
  for (guint i = 0; i < N_CAMERAS; i++) {
    training->buffers[i] = (EnsStyleBuffer) {training->states + N_STATES + i * n, size};
    training->adapted[i] = g_new (float, size * training->params.recipe.batch);
    training->earlier[i] = g_new (float, size * training->params.recipe.batch);
  }
}

static gboolean
make_networks (Training *training, GError **error)
{
  g_autoptr (EnsGraph) features =
      ens_style_features_open (&training->params, &training->shape, &training->layer, error);
  guint n_features;

  if (features == NULL
      || (training->params.start == ENS_STYLE_START_MEANS && !match_colours (training, error))
      || !standardise (training, features, &n_features, error))
    return FALSE;
  ens_style_graphs_init (&training->graphs, g_steal_pointer (&features), n_features,
                         training->colours, &training->params);
  if (!make_steps (training, error))
    return FALSE;
  join_parameters (training);
  make_buffers (training);
  return TRUE;
}

/* -- the guard -- */

/* Generators that change pictures as much as they can, or discriminators that can't be deceived,
 * are a training that has collapsed. */
#define SATURATED 0.9f   /* of the range */
#define MANY_SATURATED 5 /* one pixel in so many */
#define LOW_LOSS 0.01
#define N_PATIENCE 500

static gboolean
is_saturated (const Training *training, guint camera, const float *pictures)
{
  const EnsStyleColours *colours = &training->colours[camera];
  const float *adapted = training->adapted[camera];
  gsize n = (gsize)ens_shape_elements (&training->shape), n_saturated = 0;

  for (gsize i = 0; i < n; i++) {
    float start = pictures[i] * (1 + colours->factor[i % 3]) + colours->offset[i % 3];

    n_saturated += fabsf (adapted[i] - start) > SATURATED * ENS_STYLE_RANGE;
  }
  return n_saturated * MANY_SATURATED > n;
}

static void
guard (Training *training, const float *const *pictures, double discriminator_loss)
{
  float *states = training->states;
  gboolean saturated =
      is_saturated (training, A, pictures[A]) || is_saturated (training, B, pictures[B]);

  states[N_LOW] = discriminator_loss < LOW_LOSS ? states[N_LOW] + 1 : 0;
  states[N_SINCE] += 1;
  if (states[N_LOW] < N_PATIENCE
      && !(saturated && (states[N_HALVINGS] == 0 || states[N_SINCE] >= N_PATIENCE)))
    return;
  ens_monitor_note (training->monitor, "%s: the discriminators' learning rate is halved",
                    saturated ? "the generators change pictures as much as they can"
                              : "the discriminators tell all pictures apart");
  states[RATE_FACTOR] /= 2;
  states[N_LOW] = states[N_SINCE] = 0;
  states[N_HALVINGS] += 1;
}

/* -- training -- */

static gboolean
step_generators (Training *training, const float *const *pictures, float *gradients, float *loss,
                 float *terms, GError **error)
{
  gpointer outputs[N_CAMERAS + ENS_STYLE_N_GENERATOR_TERMS] = {training->adapted[A],
                                                               training->adapted[B]};

  for (guint i = 0; i < training->graphs.n_terms; i++)
    outputs[N_CAMERAS + i] = &terms[i];
  return ens_step_run (training->generators,
                       &(EnsStepArrays) {.inputs = (const gconstpointer *)pictures,
                                         .outputs = outputs,
                                         .gradients = gradients},
                       loss, error);
}

static gboolean
step_discriminators (Training *training, const float *const *pictures,
                     const EnsLoopPosition *position, float *gradients, float *terms,
                     GError **error)
{
  const gconstpointer inputs[] = {pictures[A], pictures[B], training->earlier[A],
                                  training->earlier[B]};
  const gpointer outputs[] = {&terms[0], &terms[1]};
  float loss;

  for (guint i = 0; i < N_CAMERAS; i++)
    ens_style_buffer_exchange (
        &training->buffers[i],
        &(EnsRandomStream) {training->params.recipe.seed, ENS_RANDOM_EARLIER, position->epoch,
                            N_CAMERAS * position->batch + i},
        training->adapted[i], training->params.recipe.batch, training->earlier[i]);
  return ens_step_run (
      training->discriminators,
      &(EnsStepArrays) {.inputs = inputs, .outputs = outputs, .gradients = gradients}, &loss,
      error);
}

static gboolean
take_step (gpointer data, const EnsLoopPosition *position, float *gradients, EnsLoopStep *result,
           GError **error)
{
  Training *training = data;
  float terms[ENS_STYLE_N_TERMS] = {0}, loss;
  const float *pictures[N_CAMERAS];

  for (guint i = 0; i < N_CAMERAS; i++)
    if (!load_batch (training, i, position, &pictures[i], error))
      return FALSE;
  if (!step_generators (training, pictures, gradients, &loss, terms, error)
      || !step_discriminators (training, pictures, position,
                               gradients + training->n_generator_parameters,
                               terms + ENS_STYLE_N_GENERATOR_TERMS, error))
    return FALSE;
  result->loss = loss;
  result->n_samples = N_CAMERAS * training->params.recipe.batch;
  for (guint i = 0; i < ENS_STYLE_N_TERMS; i++)
    result->terms[i] = terms[i];
  guard (training, pictures,
         (result->terms[ENS_STYLE_N_TERMS - 2] + result->terms[ENS_STYLE_N_TERMS - 1]) / 2);
  for (guint i = training->n_generator_groups; i < training->n_groups; i++)
    training->groups[i].rate_factor = training->states[RATE_FACTOR];
  return TRUE;
}

/* (transfer full) */
static char *
describe_settings (const EnsStyleTraining *params, GError **error)
{
  g_autofree char *text = NULL;
  gboolean done = TRUE;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_recipe_describe (&params->recipe, NULL, &json);
  ens_json_string (&json, "to", params->to);
  if (params->network != NULL) {
    done = ens_recipe_describe_file (&json, "network", params->network, error);
    ens_normalise_write (&json, &params->normalise);
  }
  ens_json_unsigned (&json, "from_size", params->from_size);
  ens_json_unsigned (&json, "to_size", params->to_size);
  ens_json_unsigned (&json, "crop", params->crop);
  ens_json_unsigned (&json, "crops", params->crops);
  ens_json_boolean (&json, "position", params->position);
  ens_json_string (&json, "start", ens_style_start_names[params->start]);
  ens_json_string (&json, "adversarial", ens_adversarial_names[params->adversarial]);
  ens_json_double (&json, "cycle", params->cycle);
  ens_json_double (&json, "identity", params->identity);
  ens_json_close (&json);
  text = ens_json_finish (&json);
  return done ? g_steal_pointer (&text) : NULL;
}

static gboolean
train (Training *training, EnsStyleResult *result, GError **error)
{
  g_autofree char *settings = describe_settings (&training->params, error);
  EnsLoopTask task = {.groups = training->groups,
                      .n_groups = training->n_groups,
                      .terms = ens_style_terms,
                      .parameters = training->parameters,
                      .statistics = training->states,
                      .n_statistics = training->n_states,
                      .n_batches = ens_loader_get_batches (training->loaders[A]),
                      .step = take_step,
                      .data = training};

  result->recipe.n_images = training->samples[A].paths->len;
  result->n_images = training->samples[B].paths->len;
  result->recipe.n_parameters = training->n_groups;
  result->recipe.n_weights = training->n_parameters;
  result->n_features = training->graphs.n_features;
  result->layer = training->layer;
  if (settings == NULL
      || !ens_recipe_run (&training->params.recipe, &task, settings, training->monitor,
                          &result->recipe, error))
    return FALSE;
  result->n_halvings = (guint)training->states[N_HALVINGS];
  return TRUE;
}

static gboolean
write_style (Training *training, GError **error)
{
  const EnsStyleTraining *params = &training->params;
  g_autoptr (EnsGraph) style = ens_style_graphs_finish (&training->graphs, training->generators);
  g_autofree char *text = g_strdup_printf ("%u", ens_style_get_training_size (params, A));
  const EnsOnnxProperty properties[] = {{ENS_STYLE_SIZE_PROPERTY, text}};

  if (!ens_onnx_export_described (style, properties, G_N_ELEMENTS (properties),
                                  params->recipe.output, error))
    return FALSE;
  ens_recipe_finish (&params->recipe);
  return TRUE;
}

/* -- all of it -- */

static gboolean
check_params (const EnsStyleTraining *params, GError **error)
{
  if (params->from_size == 0 || params->to_size == 0 || params->crop < ENS_STYLE_LEAST_SIDE
      || params->crops == 0 || params->cycle < 0 || params->identity < 0)
    return ens_fail (error, ENS_ERROR_DATA, params->recipe.output,
                     "sizes must be larger than 0, squares have %d pixels at least on a side, and "
                     "weights of losses must not be negative",
                     ENS_STYLE_LEAST_SIDE);
  return ens_recipe_check (&params->recipe, error);
}

/* Styles have a folder of their own in a bundle, which may not be there yet. */
static gboolean
make_folder (const char *output, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (output);

  return ens_folder_make (folder, error);
}

gboolean
ens_train_style (const EnsStyleTraining *params, EnsDevice *device, const EnsFrameOpener *opener,
                 const EnsMonitor *monitor, EnsStyleResult *result, GError **error)
{
  g_auto (Training)
      training = {.params = *params, .device = device, .opener = opener, .monitor = monitor};

  *result = (EnsStyleResult) {.n_images = 0};
  return check_params (params, error) && open_samples (&training, error)
         && make_networks (&training, error) && make_folder (params->recipe.output, error)
         && train (&training, result, error) && write_style (&training, error);
}
