/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Styles between cameras that differ by a colour: what is learnt, what is not touched, what is kept
 * of an interrupted training. */
#include "train/train-style.h"

#include <math.h>

#include "base/files.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "ensemble/style.h"
#include "networks/style.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "support/monitor.h"
#include "support/network.h"
#include "toy.h"
#include "train/loop-history.h"
#include "train/style-measure.h"
#include "train/train-style-private.h"

enum { SIDE = 24, N_PICTURES = 6 };

/* What camera B adds, in [−1, 1]. */
static const float added[] = {0.3f, -0.15f, 0.1f};

typedef struct {
  char *folder, *from, *to, *network, *output;
  guint n_broken; /* of A's pictures, the first ones */
  EnsStyleTraining params;
  EnsDevice *device;
  EnsFrameOpener opener;
  TestMonitor listener;
} Fixture;

static Fixture *fixture;

/* -- pictures, which no file holds -- */

typedef struct {
  EnsFrameSource parent;
  EnsPicture *picture;
} Source;

static gboolean
next (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = g_steal_pointer (&((Source *)source)->picture);
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  g_clear_pointer (&((Source *)source)->picture, ens_picture_unref);
  g_free (source);
}

/* Noise around a colour of the picture's own; camera B, which sees the same, adds to it. */
static EnsPicture *
draw (guint seed, gboolean b)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, SIDE + 4, SIDE);
  guint8 *pixels = ens_picture_get_pixels (picture, 0);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  double base[3];

  for (guint c = 0; c < 3; c++)
    base[c] = g_rand_double_range (rand, 100, 140);
  for (guint i = 0; i < SIDE * (SIDE + 4) * 3; i++) {
    guint row = i / (3 * (SIDE + 4));
    double value = base[i % 3] + g_rand_double_range (rand, -30, 30);

    if (b)
      value += (double)added[i % 3] * ENS_STYLE_MIDDLE;
    pixels[row * picture->frame.strides[0] + i % (3 * (SIDE + 4))] = (guint8)lrint (value);
  }
  return picture;
}

static EnsFrameSource *
open_picture (gpointer data, const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  gboolean b = strstr (path, "/b/") != NULL;
  Source *source = g_new0 (Source, 1);

  source->parent.next = next;
  source->parent.free = free_source;
  source->picture = draw ((guint)atoi (name), b);
  if (!b && (guint)atoi (name) < fixture->n_broken)
    source->picture->frame.width = 0;
  return &source->parent;
}

/* -- fixture -- */

static char *
make_folder (const char *name, guint n)
{
  char *folder = g_build_filename (fixture->folder, name, NULL);

  g_mkdir_with_parents (folder, 0777);
  for (guint i = 0; i < n; i++) {
    g_autofree char *file = g_strdup_printf ("%s/%u.png", folder, i);

    g_file_set_contents (file, "", 0, NULL);
  }
  return folder;
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("style-XXXXXX", NULL);
  fixture->from = make_folder ("a", N_PICTURES);
  fixture->to = make_folder ("b", N_PICTURES);
  fixture->output = g_build_filename (fixture->folder, "styles", "ab.onnx", NULL);
  fixture->params = ENS_STYLE_TRAINING_DEFAULTS;
  fixture->params.recipe.dataset = fixture->from;
  fixture->params.recipe.output = fixture->output;
  fixture->params.recipe.n_workers = 1;
  fixture->params.recipe.loop.n_epochs = 3;
  fixture->params.recipe.batch = 2;
  fixture->params.to = fixture->to;
  fixture->params.from_size = fixture->params.to_size = SIDE;
  fixture->params.crop = 16;
  fixture->params.crops = 1;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = (EnsFrameOpener) {.open = open_picture};
  test_monitor_init (&fixture->listener);
}

static void
tear_down (void)
{
  test_monitor_clear (&fixture->listener);
  ens_device_unref (fixture->device);
  ens_remove_tree (fixture->folder);
  g_free (fixture->network);
  g_free (fixture->output);
  g_free (fixture->to);
  g_free (fixture->from);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static gboolean
train (EnsStyleResult *result, GError **error)
{
  return ens_train_style (&fixture->params, fixture->device, &fixture->opener,
                          &fixture->listener.monitor, result, error);
}

static void
train_well (EnsStyleResult *result)
{
  g_autoptr (GError) error = NULL;

  train (result, &error);
  ck_assert_no_error (error);
}

/* The written style's output for a picture of A, 0 … 255. */
static GPtrArray *
adapt (EnsTensor **pictures)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  g_autoptr (EnsPicture) picture = draw (0, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) style = ens_onnx_import (fixture->output, NULL, &error);
  GPtrArray *outputs;

  ck_assert_no_error (error);
  *pictures = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, SIDE, SIDE + 4, 3));
  ens_frame_resize (&picture->frame, &ENS_RECT_WHOLE, 1, SIDE + 4, SIDE, &bytes,
                    ens_device_get_pool (fixture->device), (*pictures)->data);
  outputs = ens_interpret (style, pictures, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (outputs->len, 1);
  return outputs;
}

/* -- learning -- */

/* B = A + a colour: the mean of what is added to each channel. */
static void
check_added (double tolerance)
{
  g_autoptr (EnsTensor) pictures = NULL;
  g_autoptr (GPtrArray) outputs = adapt (&pictures);
  const float *x = pictures->data, *y = ((EnsTensor *)outputs->pdata[0])->data;
  double sums[3] = {0, 0, 0};

  for (guint i = 0; i < SIDE * (SIDE + 4) * 3; i++)
    sums[i % 3] += (double)(y[i] - x[i]) / (double)ENS_STYLE_MIDDLE / (SIDE * (SIDE + 4));
  for (guint c = 0; c < 3; c++)
    ck_assert_double_eq_tol (sums[c], (double)added[c], tolerance);
}

START_TEST (test_learns)
{
  EnsStyleResult result;

  fixture->params.start = ENS_STYLE_START_NOTHING;
  fixture->params.identity = 2;
  fixture->params.crops = 10;
  fixture->params.recipe.batch = 4;
  fixture->params.recipe.loop.n_epochs = 500 / (N_PICTURES * 10 / 4);
  fixture->params.recipe.loop.rate = 3e-4;
  fixture->params.recipe.loop.average = 0.98;
  train_well (&result);
  ck_assert_uint_eq (result.n_features, 6);
  check_added (0.02);
}
END_TEST

/* Nothing is learnt: what is added is what means and variances differ by. */
START_TEST (test_start)
{
  EnsStyleResult result;

  fixture->params.recipe.loop.rate = 1e-30;
  train_well (&result);
  check_added (0.02);
}
END_TEST

/* Both adversarial losses: all terms are in the log, and add up. Without a weight the last are
 * left out. */
START_TEST (test_terms)
{
  g_autofree char *log = g_build_filename (fixture->folder, "styles", "ab.jsonl", NULL);
  g_autoptr (GArray) history = NULL;
  g_autoptr (GError) error = NULL;
  const EnsLoopEpoch *last;
  const double identity = _i < 2 ? 2 : 0;
  EnsStyleResult result;

  fixture->params.adversarial = (EnsAdversarial)(_i % 2);
  fixture->params.identity = identity;
  train_well (&result);
  history = ens_loop_read_history (log, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (history->len, 3);
  last = &g_array_index (history, EnsLoopEpoch, 2);
  for (guint i = 0; i < ENS_STYLE_N_TERMS; i++)
    ck_assert (last->terms[i] > 0 || (identity == 0 && (i == 4 || i == 5)));
  ck_assert_double_eq_tol (last->loss,
                           last->terms[0] + last->terms[1] + 10 * (last->terms[2] + last->terms[3])
                               + identity * (last->terms[4] + last->terms[5]),
                           1e-3);
}
END_TEST

/* Before the first step pictures stay as they are, bit for bit: a rate of nearly nothing. */
START_TEST (test_identity)
{
  EnsStyleResult result;
  g_autoptr (EnsTensor) pictures = NULL;
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (EnsOnnxAbout) about = NULL;

  fixture->params.position = _i;
  fixture->params.start = ENS_STYLE_START_NOTHING;
  fixture->params.recipe.loop.rate = 1e-30;
  train_well (&result);
  outputs = adapt (&pictures);
  ck_assert_bytes_eq (((EnsTensor *)outputs->pdata[0])->data, ens_tensor_size (outputs->pdata[0]),
                      pictures->data, ens_tensor_size (pictures));
  about = ens_onnx_about_read (fixture->output, NULL);
  ck_assert_str_eq (g_hash_table_lookup (about->properties, ENS_STYLE_SIZE_PROPERTY),
                    _i ? "16" : "24");
}
END_TEST

/* A style that has learnt nothing: what is simpler comes nearer. */
START_TEST (test_measure)
{
  const EnsStyleMeasureParams params = {.training = &fixture->params, .n_cards = 4};
  g_auto (EnsStyleMeasure) measure = {.simple = ENS_STYLE_LEARNT};
  g_autoptr (GError) error = NULL;
  const EnsStyleFigure *figures = measure.figures;
  const EnsStyleCard *card;
  EnsStyleResult result;
  guint width, height;

  fixture->params.position = _i;
  fixture->params.start = ENS_STYLE_START_NOTHING;
  fixture->params.recipe.loop.rate = 1e-30;
  train_well (&result);
  ens_style_measure (&params, fixture->device, &fixture->opener, NULL, &measure, &error);
  ck_assert_no_error (error);
  ck_assert_double_gt (figures[ENS_STYLE_NOTHING].distance, 1);
  ck_assert_double_eq (figures[ENS_STYLE_LEARNT].distance, figures[ENS_STYLE_NOTHING].distance);
  ck_assert_double_lt (figures[ENS_STYLE_MEANS].distance, 0.1);
  ck_assert_double_lt (figures[ENS_STYLE_FREQUENCIES].distance, 0.1);
  ck_assert_double_nan (figures[ENS_STYLE_BATCH_NORM].distance);
  ck_assert_double_nan (figures[ENS_STYLE_LEARNT].accuracy);
  ck_assert_double_gt (measure.floor, 0);
  ck_assert (measure.suffices && measure.simple != ENS_STYLE_NOTHING);
  ck_assert_uint_eq (measure.cards->len, 4);
  ck_assert_uint_eq (measure.others->len, 4);
  card = measure.cards->pdata[1];
  ck_assert_ptr_null (card->pictures[ENS_STYLE_BATCH_NORM]);
  ens_frame_scaled_size (SIDE + 4, SIDE, _i ? fixture->params.crop : SIDE, &width, &height);
  ck_assert_uint_eq (card->pictures[ENS_STYLE_MEANS]->frame.width, width);
  ck_assert_uint_eq (card->pictures[ENS_STYLE_MEANS]->frame.height, height);
}
END_TEST

/* -- the classifier's layers -- */

static gboolean
has_prefix (const char *name, const char *prefixes)
{
  return strlen (name) > 3 && name[2] == '/' && strstr (prefixes, (char[]) {name[0], name[1], 0});
}

/* The gradient of each step reaches all that it trains, through features that stay as they are. */
START_TEST (test_features)
{
  const EnsShape shape = ENS_SHAPE (2, 16, 16, 3);
  const char *const trained[] = {"ab ba", "da db"};
  const EnsStyleColours no_colours[2] = {{{0}, {0}}, {{0}, {0}}};
  EnsShape shapes[ENS_STYLE_N_INPUTS] = {shape, shape, shape, shape};
  g_autoptr (EnsGraph) network = toy_network (3, 16, 4, FALSE);
  g_autofree char *path = toy_save_network (network, fixture->folder, "toy.onnx");
  g_autoptr (EnsTensor) pictures = ens_tensor_new (ENS_TYPE_FLOAT32, &shape);
  g_autofree float *out = g_new (float, 2 * 2 * 16 * 16 * 3 + 8);
  g_autoptr (GError) error = NULL;
  EnsStyleMoments moments;
  EnsStyleGraphs graphs;
  const float *factors;
  const char *layer;
  EnsGraph *features;

  for (guint i = 0; i < 2 * 16 * 16 * 3; i++)
    ((float *)pictures->data)[i] = sinf ((float)(i * i));
  fixture->params.network = path;
  fixture->params.normalise = (EnsNormalise) {ENS_ORDER_BGR, {9, 10, 11}, {0.1f, 0.2f, 0.3f}};
  features = ens_style_features_open (&fixture->params, &shape, &layer, &error);
  ck_assert_no_error (error);
  ck_assert_str_eq (layer, "relu2");
  ens_style_moments_init (&moments, 6 + 8);
  for (guint i = 0; i < 2; i++)
    ens_style_moments_add (&moments, (const float[14]) {[3] = (float)i, [7] = 10 * (float)i}, 1);
  ck_assert_double_eq (ens_style_moments_mean (&moments, 3), 0.5);
  ck_assert_double_eq (ens_style_moments_deviation (&moments, 3), 0.5);
  ens_style_features_standardise (features, &moments);
  /* Of the classifier's 8 channels one changes, by 5: none counts more than 8 times. */
  factors = ens_graph_find (features, "factors")->constant->data;
  ck_assert_double_eq_tol (factors[7], 0.2, 1e-6);
  ck_assert_double_eq_tol (factors[8], 8, 1e-5);
  ck_assert_double_eq_tol (factors[3], 2, 1e-6);
  ens_style_moments_clear (&moments);
  ens_style_graphs_init (&graphs, features, 6 + 8, no_colours, &fixture->params);
  for (guint i = 0; i < 2; i++) {
    const EnsStepParams params = {.graph = i == 0 ? graphs.generators : graphs.discriminators,
                                  .loss = ENS_STYLE_LOSS,
                                  .input_shapes = shapes,
                                  .is_trained = ens_style_is_trained,
                                  .data = (gpointer)(i == 0 ? "g" : "d")};
    g_autoptr (EnsStep) step = ens_step_new (&params, fixture->device, &error);
    const EnsParameter *parameters;
    g_autofree float *gradients = NULL;
    const gconstpointer inputs[] = {pictures->data, pictures->data, pictures->data, pictures->data};
    float loss;
    gsize n_values;
    guint n;

    ck_assert_no_error (error);
    ens_step_get_values (step, &n_values);
    gradients = g_new0 (float, n_values);
    ck_assert (ens_step_run (step, &(EnsStepArrays) {.inputs = inputs, .gradients = gradients},
                             &loss, &error));
    parameters = ens_step_get_parameters (step, &n);
    for (guint p = 0; p < n; p++) {
      gboolean any = FALSE;

      ck_assert_msg (has_prefix (parameters[p].name, trained[i]), "%s", parameters[p].name);
      for (gsize k = 0; k < parameters[p].size; k++)
        any |= gradients[parameters[p].offset + k] != 0;
      /* The last layer begins with zeroes, so that nothing passes it yet. */
      if (g_str_has_suffix (parameters[p].node, "/last"))
        ck_assert_msg (any, "%s", parameters[p].name);
    }
  }
  ens_style_graphs_clear (&graphs);
}
END_TEST

/* -- earlier pictures -- */

START_TEST (test_buffer)
{
  enum { SIZE = 2, N = 400 };
  g_autofree float *values = g_new0 (float, ens_style_buffer_count_values (SIZE));
  EnsStyleBuffer buffer = {values, SIZE};
  guint n_earlier = 0;

  for (guint i = 0; i < N; i++) {
    const float picture[SIZE] = {(float)i, -(float)i};
    float out[SIZE];

    ens_style_buffer_exchange (&buffer, &(EnsRandomStream) {1, ENS_RANDOM_EARLIER, 0, i}, picture,
                               1, out);
    ck_assert_double_eq (out[0], -out[1]);
    ck_assert_double_le (out[0], i);
    if (i < ENS_STYLE_BUFFER)
      ck_assert_double_eq (out[0], i);
    n_earlier += out[0] < i;
  }
  ck_assert_double_eq (values[0], ENS_STYLE_BUFFER);
  ck_assert_uint_gt (n_earlier, (N - ENS_STYLE_BUFFER) * 2 / 5);
  ck_assert_uint_lt (n_earlier, (N - ENS_STYLE_BUFFER) * 3 / 5);
}
END_TEST

/* -- going on -- */

static GBytes *
read_output (void)
{
  char *contents;
  gsize size;

  ck_assert (g_file_get_contents (fixture->output, &contents, &size, NULL));
  return g_bytes_new_take (contents, size);
}

START_TEST (test_resume)
{
  g_autoptr (GBytes) whole = NULL, resumed = NULL;
  g_autoptr (GError) error = NULL;
  EnsStyleResult result;

  train_well (&result);
  whole = read_output ();
  fixture->listener.cancel_after = 5;
  ck_assert (!train (&result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
  train_well (&result);
  resumed = read_output ();
  ck_assert (g_bytes_equal (whole, resumed));
}
END_TEST

/* -- pictures that can't be read -- */

/* Whole pictures are as long as the first one that can be. */
START_TEST (test_broken_picture)
{
  EnsStyleResult result;

  g_free (make_folder ("a", 2 * N_PICTURES));
  fixture->n_broken = 1;
  fixture->params.position = TRUE;
  fixture->params.recipe.loop.n_epochs = 1;
  train_well (&result);
  ck_assert_contains (fixture->listener.notes->str, "skipped ");
  ck_assert_contains (fixture->listener.notes->str, "/a/0.png: ");
}
END_TEST

static void
set_nowhere (void)
{
  fixture->params.to = "nowhere";
}

static void
set_small_squares (void)
{
  fixture->params.crop = 8;
}

static void
set_negative (void)
{
  fixture->params.cycle = -1;
}

static void
set_small_pictures (void)
{
  fixture->params.crop = 20;
  fixture->params.from_size = 18;
}

static void
set_broken (void)
{
  fixture->params.position = TRUE;
  fixture->n_broken = N_PICTURES;
}

static void
set_no_input (void)
{
  fixture->network = test_network_write_no_input (fixture->folder);
  fixture->params.network = fixture->network;
}

static void
set_other_mean (void)
{
  g_autoptr (EnsGraph) network = toy_network (3, 16, 4, FALSE);
  EnsStyleResult result;

  fixture->network = toy_save_network (network, fixture->folder, "toy.onnx");
  fixture->params.network = fixture->network;
  fixture->params.normalise = (EnsNormalise) {ENS_ORDER_BGR, {9, 10, 11}, {0.1f, 0.2f, 0.3f}};
  fixture->listener.cancel_after = 1;
  ck_assert (!train (&result, NULL));
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
  fixture->params.normalise.mean[1] = 12;
}

static const struct {
  const char *name;
  void (*set) (void);
  const char *message;
} refused[] = {
    {"nowhere", set_nowhere, "nowhere"},
    {"small-squares", set_small_squares, "squares have 16 pixels at least"},
    {"negative", set_negative, "must not be negative"},
    {"small-pictures", set_small_pictures, "smaller than the squares of 20 pixels"},
    {"broken", set_broken, "/a: has no picture that can be read: "},
    {"other-mean", set_other_mean, "other settings"},
    {"no-input", set_no_input,
     "no-input.onnx: expected one input of images with 3 channels, found 0 inputs"},
};

START_TEST (test_refused)
{
  g_autoptr (GError) error = NULL;
  EnsStyleResult result;

  refused[_i].set ();
  ck_assert (!train (&result, &error));
  ck_assert_contains (error->message, refused[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/train-style");
  test_fixture (set_up, tear_down);
  test_add ("learns", test_learns);
  test_add ("start", test_start);
  test_add_loop ("terms", test_terms, 4);
  test_add_loop ("identity", test_identity, 2);
  test_add_loop ("measure", test_measure, 2);
  test_add ("features", test_features);
  test_add ("buffer", test_buffer);
  test_add ("resume", test_resume);
  test_add ("broken-picture", test_broken_picture);
  TEST_ADD_ROWS ("refused", test_refused, refused);
  return test_run ();
}
