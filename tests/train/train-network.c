/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small residual networks, trained on drawn pictures. */
#include "train/train-network.h"

#include <glib/gstdio.h>
#include <math.h>

#include "base/files.h"
#include "check-main.h"
#include "ensemble/member-graph.h"
#include "graph/infer.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "support/monitor.h"
#include "toy.h"
#include "train/classifier-private.h"

enum { N_TRAIN = 8, N_VALIDATION = 4, N_TEST = 2, N_CLASSES = 3, SIZE = 32 };

typedef struct {
  char *folder, *dataset, *output;
  EnsTrainNetworkParams params;
  EnsDevice *device;
  EnsFrameOpener opener;
  guint n_opened;
  TestMonitor listener;
} Fixture;

static Fixture *fixture;

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("train-network-XXXXXX", NULL);
  fixture->dataset = g_build_filename (fixture->folder, "shapes", NULL);
  fixture->output = g_build_filename (fixture->folder, "shapes.onnx", NULL);
  toy_dataset (fixture->dataset, N_TRAIN, N_VALIDATION, N_TEST);
  toy_drop_none (fixture->dataset);
  fixture->params = ENS_TRAIN_NETWORK_DEFAULTS;
  fixture->params.network = (EnsResidualParams) {.height = SIZE,
                                                 .width = SIZE,
                                                 .initial = {8, 3, 2},
                                                 .first_kernel = 1,
                                                 .second_kernel = 3,
                                                 .n_stages = 2,
                                                 .stages = {{2, 16, 2}, {1, 32, 2}}};
  fixture->params.recipe.dataset = fixture->dataset;
  fixture->params.recipe.output = fixture->output;
  fixture->params.recipe.batch = 8;
  fixture->params.recipe.n_workers = 2;
  fixture->params.recipe.loop.n_epochs = 3;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = toy_opener (&fixture->n_opened);
  test_monitor_init (&fixture->listener);
}

static void
tear_down (void)
{
  test_monitor_clear (&fixture->listener);
  ens_device_unref (fixture->device);
  ens_remove_tree (fixture->folder);
  g_free (fixture->output);
  g_free (fixture->dataset);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static gboolean
train (EnsTrainNetworkResult *result, GError **error)
{
  return ens_train_network (&fixture->params, fixture->device, &fixture->opener,
                            &fixture->listener.monitor, result, error);
}

static void
train_well (EnsTrainNetworkResult *result)
{
  g_autoptr (GError) error = NULL;

  train (result, &error);
  ck_assert_no_error (error);
}

/* -- learning -- */

static const struct {
  const char *name;
  gboolean stride_everywhere, plain;
  EnsOptimiserOptions optimiser;
  double rate;
} forms[] = {
    {"variant", FALSE, FALSE, ENS_RECIPE_ADAMW (0.02), 0.003},
    {"stride-everywhere", TRUE, FALSE, ENS_RECIPE_ADAMW (0.02), 0.003},
    {"plain", FALSE, TRUE, ENS_RECIPE_ADAMW (0.02), 0.003},
    {"sgd", FALSE, FALSE, ENS_RECIPE_SGD (1e-4), 0.1},
};

START_TEST (test_learns)
{
  EnsTrainNetworkResult result;

  fixture->params.network.stride_everywhere = forms[_i].stride_everywhere;
  fixture->params.network.plain = forms[_i].plain;
  fixture->params.recipe.loop.optimiser = forms[_i].optimiser;
  fixture->params.recipe.loop.rate = forms[_i].rate;
  fixture->params.recipe.loop.n_epochs = 30;
  train_well (&result);
  ck_assert_uint_eq (result.recipe.n_classes, N_CLASSES);
  ck_assert (!result.has_several);
  ck_assert_double_ge (result.recipe.loop.best.accuracy, 0.9);
  ck_assert_double_eq (result.measures[ENS_SPLIT_VALIDATION].accuracy,
                       result.recipe.loop.best.accuracy);
  ck_assert (isfinite (result.measures[ENS_SPLIT_TEST].loss));
}
END_TEST

/* -- the regulariser -- */

static double
measure_scales (EnsNetworkRegulariser regulariser)
{
  EnsTrainNetworkResult result;

  fixture->params.regulariser = regulariser;
  train_well (&result);
  ck_assert_uint_gt (result.n_normalisation, 0);
  return result.scale_norm;
}

/* A strong one shrinks scales; as a mean it does the same, and as it is written next to nothing. */
START_TEST (test_regulariser)
{
  double off, sum;

  fixture->params.recipe.loop.optimiser.decay = 1;
  fixture->params.regulariser_share = 10;
  fixture->params.recipe.loop.warm_up_epochs = 0;
  off = measure_scales (ENS_NETWORK_REGULARISER_OFF);
  sum = measure_scales (ENS_NETWORK_REGULARISER_SUM);
  ck_assert_double_lt (sum, 0.9 * off);
  ck_assert_double_eq_tol (measure_scales (ENS_NETWORK_REGULARISER_MEAN), sum, 1e-3);
  ck_assert_double_eq_tol (measure_scales (ENS_NETWORK_REGULARISER_MEAN_AS_WRITTEN), off, 0.01);
}
END_TEST

/* What is told of it: λ of the form, and that of the sum. */
START_TEST (test_regulariser_factor)
{
  EnsTrainNetworkResult result;

  fixture->params.regulariser = ENS_NETWORK_REGULARISER_MEAN;
  train_well (&result);
  ck_assert_double_eq_tol (result.regulariser_as_sum, 0.1 * ENS_TRAIN_NETWORK_ADAMW_DECAY, 1e-12);
  ck_assert_double_eq_tol (result.regulariser,
                           result.regulariser_as_sum * (double)result.n_normalisation / 2, 1e-9);
}
END_TEST

/* -- several classes -- */

/* A table of black pictures with a white box each, of a fifth of their sides. */
static void
make_boxes (guint n)
{
  g_autofree char *pictures = g_build_filename (fixture->folder, "boxes", NULL);
  g_autoptr (GString) table = g_string_new ("file,width,height,class,xmin,ymin,xmax,ymax,split\n");

  g_mkdir_with_parents (pictures, 0700);
  g_free (fixture->dataset);
  fixture->dataset = g_strconcat (pictures, ".csv", NULL);
  fixture->params.recipe.dataset = fixture->dataset;
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%u.ppm", pictures, i);
    g_autoptr (GString) ppm = g_string_new ("P6 100 100 255\n");
    guint x = 7 * i % 60, y = 11 * i % 60;

    for (guint p = 0; p < 100 * 100; p++)
      for (guint c = 0; c < 3; c++)
        g_string_append_c (ppm, p % 100 - x < 20 && p / 100 - y < 20 ? (gchar)0xff : 0);
    g_file_set_contents (path, ppm->str, (gssize)ppm->len, NULL);
    g_string_append_printf (table, "%u.ppm,100,100,%s,%u,%u,%u,%u,%s\n", i,
                            i % 2 == 0 ? "box" : "chest", x, y, x + 20, y + 20,
                            i % 4 < 3 ? "train" : "valid");
  }
  g_file_set_contents (fixture->dataset, table->str, -1, NULL);
}

START_TEST (test_several)
{
  EnsTrainNetworkResult result;
  g_autoptr (EnsGraph) graph = NULL;
  g_auto (GStrv) taps = NULL;

  make_boxes (32);
  train_well (&result);
  ck_assert (result.has_several);
  ck_assert_contains (fixture->listener.notes->str, "mean average precision");
  ck_assert (isnan (result.recipe.loop.best.accuracy));
  ck_assert (isfinite (result.measures[ENS_SPLIT_VALIDATION].precision));
  graph = ens_onnx_import (fixture->output, NULL, NULL);
  ck_assert_pstr_eq (((EnsValue *)graph->outputs->pdata[0])->producer->op->name, "Sigmoid");
  taps = ens_member_default_taps (fixture->output, SIZE, NULL);
  ck_assert_pstr_eq (taps[0], "logits");
}
END_TEST

/* About half of the samples show an object and little else. */
START_TEST (test_objects)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDataset) dataset = NULL;
  EnsClassifierParams params = {.recipe = &fixture->params.recipe,
                                .normalise = {ENS_ORDER_RGB, {0}, {1, 1, 1}},
                                .size = SIZE,
                                .augment = ENS_CLASSIFIER_AUGMENT_CROP};
  EnsClassifierSamples samples;
  EnsLoaderSource source;
  g_autofree float *pixels = g_new (float, SIZE *SIZE * 3);
  float targets[2], weights[2];
  guint n_close = 0;

  make_boxes (8);
  dataset = ens_dataset_load (fixture->dataset, NULL, &error);
  ck_assert_no_error (error);
  ens_classifier_samples_init (&samples, &params, dataset, ENS_SPLIT_TRAIN, &fixture->opener, 4);
  source = ens_classifier_samples_get_source (&samples);
  for (guint epoch = 0; epoch < 200; epoch++) {
    double sum = 0;

    ck_assert (source.load (source.data, epoch, 1, (float *[]) {pixels, targets, weights}, &error));
    for (guint i = 0; i < SIZE * SIZE * 3; i++)
      sum += pixels[i];
    /* Of a sample that is 1.7 times as wide and high as the object a third is white. */
    if (sum / (SIZE * SIZE * 3) > 0.25 * 255) {
      n_close++;
      ck_assert_double_gt (MAX (targets[0], targets[1]), 0.5);
    }
  }
  ck_assert_uint_ge (n_close, 75);
  ck_assert_uint_le (n_close, 125);
}
END_TEST

/* -- the result -- */

static void
read_text (const char *name, char **text)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  ck_assert (g_file_get_contents (path, text, NULL, NULL));
}

START_TEST (test_file)
{
  EnsTrainNetworkResult result;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (EnsOnnxAbout) about = NULL;
  g_autofree char *text = NULL, *log = NULL;
  g_autofree char *checkpoint = g_build_filename (fixture->folder, "shapes.checkpoint", NULL);
  g_auto (GStrv) taps = NULL;

  train_well (&result);
  graph = ens_onnx_import (fixture->output, NULL, &error);
  ck_assert_no_error (error);
  ens_infer_graph (graph, &ENS_SHAPE (5, 48, 40, 3), &error);
  ck_assert_no_error (error);
  ck_assert_pstr_eq (((EnsValue *)graph->outputs->pdata[0])->name, "probabilities");
  ck_assert_pstr_eq (((EnsValue *)graph->outputs->pdata[0])->producer->op->name, "Softmax");
  ck_assert (
      ens_shape_equal (&((EnsValue *)graph->outputs->pdata[0])->shape, &ENS_SHAPE (5, N_CLASSES)));
  about = ens_onnx_about_read (fixture->output, NULL);
  ck_assert_contains (g_hash_table_lookup (about->properties, "labels"), "\"square\"");
  read_text ("shapes.json", &text);
  ck_assert_contains (text, "\"size\": 32");
  ck_assert_contains (text, "\"mean\": [127.5, 127.5, 127.5]");
  read_text ("shapes.jsonl", &log);
  ck_assert_contains (log, "\"end\"");
  ck_assert (!g_file_test (checkpoint, G_FILE_TEST_EXISTS));
  /* What blocks add up to, not what is within them. */
  taps = ens_member_default_taps (fixture->output, SIZE, &error);
  ck_assert_no_error (error);
  ck_assert_pstr_eq (taps[0], "logits");
  ck_assert_pstr_eq (taps[2], "stage1");
  ck_assert_pstr_eq (taps[3], "stage1/block1");
}
END_TEST

/* -- broken pictures -- */

/* (transfer full) */
static char *
find_picture (const char *class, const char *name)
{
  return g_build_filename (fixture->dataset, "validation", class, name, NULL);
}

static void
break_picture (void)
{
  g_autofree char *path = find_picture ("square", "003.ppm");

  ck_assert (g_file_set_contents (path, "nothing", -1, NULL));
}

/* What the loader does about a broken one: the next is there twice. */
static void
repeat_next (void)
{
  g_autofree char *broken = find_picture ("square", "003.ppm");
  g_autofree char *next = find_picture ("triangle", "000.ppm");
  g_autofree char *copy = find_picture ("triangle", "000-again.ppm");
  g_autofree char *bytes = NULL;
  gsize size;

  ck_assert (g_file_get_contents (next, &bytes, &size, NULL));
  ck_assert (g_file_set_contents (copy, bytes, (gssize)size, NULL));
  ck_assert_int_eq (g_remove (broken), 0);
}

START_TEST (test_broken_picture)
{
  const EnsClassifierMeasure *found, *expected;
  EnsTrainNetworkResult broken, repeated;

  break_picture ();
  train_well (&broken);
  ck_assert_contains (fixture->listener.notes->str, "skipped");
  repeat_next ();
  train_well (&repeated);
  found = &broken.measures[ENS_SPLIT_VALIDATION];
  expected = &repeated.measures[ENS_SPLIT_VALIDATION];
  ck_assert_double_eq (found->loss, expected->loss);
  ck_assert_double_eq (found->accuracy, expected->accuracy);
  ck_assert_double_eq (found->precision, expected->precision);
}
END_TEST

/* -- the same again -- */

/* (transfer full) */
static GBytes *
read_output (void)
{
  char *bytes;
  gsize size;

  ck_assert (g_file_get_contents (fixture->output, &bytes, &size, NULL));
  return g_bytes_new_take (bytes, size);
}

/* Cancelled after so many steps, in the middle or at the end of an epoch. */
static const guint cancelled[] = {1, 3, 7};

START_TEST (test_resume)
{
  EnsTrainNetworkResult result;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) whole = NULL, resumed = NULL;

  fixture->params.augment = ENS_CLASSIFIER_AUGMENT_FULL;
  train_well (&result);
  whole = read_output ();
  fixture->listener.cancel_after = cancelled[_i];
  ck_assert (!train (&result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
  train_well (&result);
  resumed = read_output ();
  ck_assert (g_bytes_equal (whole, resumed));
}
END_TEST

static void
use_threads (void)
{
  fixture->params.recipe.n_workers = 4;
  ens_device_unref (fixture->device);
  fixture->device = ens_device_open ("cpu", 3, NULL);
}

static void
use_little_memory (void)
{
  fixture->params.recipe.memory_limit = 500000; /* without recomputation it takes 690 kB */
}

static void
use_other_seed (void)
{
  fixture->params.recipe.seed = 1;
}

static const struct {
  const char *name;
  void (*change) (void);
  gboolean same;
} changes[] = {
    {"threads", use_threads, TRUE},
    {"memory", use_little_memory, TRUE},
    {"seed", use_other_seed, FALSE},
};

START_TEST (test_same)
{
  EnsTrainNetworkResult result;
  g_autoptr (GBytes) first = NULL, second = NULL;

  train_well (&result);
  first = read_output ();
  changes[_i].change ();
  train_well (&result);
  second = read_output ();
  ck_assert_int_eq (g_bytes_equal (first, second), changes[_i].same);
}
END_TEST

/* -- what can't be -- */

static void
set_small_size (void)
{
  fixture->params.network.height = fixture->params.network.width = 8;
}

static void
set_no_epochs (void)
{
  fixture->params.recipe.loop.n_epochs = 0;
}

static void
set_stride (void)
{
  fixture->params.network.stages[1].stride = 3;
}

static void
set_one_class (void)
{
  static const char *const places[] = {"train/disc",        "train/square", "validation/disc",
                                       "validation/square", "test/disc",    "test/square"};

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *folder = g_build_filename (fixture->dataset, places[i], NULL);

    ens_remove_tree (folder);
  }
}

static const struct {
  const char *name;
  void (*set) (void);
  const char *message;
} refused[] = {
    {"size", set_small_size, "stage2: of pictures of 8×8 its block 1 leaves a map of 1×1"},
    {"epochs", set_no_epochs, "must be larger than 0"},
    {"class", set_one_class, "all pictures show the only class, “triangle”"},
    {"stride", set_stride, "stage2/block1: the second convolution's stride is 3"},
};

START_TEST (test_refused)
{
  EnsTrainNetworkResult result;
  g_autoptr (GError) error = NULL;

  refused[_i].set ();
  ck_assert (!train (&result, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_contains (error->message, refused[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/train-network");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("learns", test_learns, forms);
  test_add ("regulariser", test_regulariser);
  test_add ("regulariser-factor", test_regulariser_factor);
  test_add ("several", test_several);
  test_add ("objects", test_objects);
  test_add ("file", test_file);
  test_add ("broken-picture", test_broken_picture);
  TEST_ADD_LOOP ("resume", test_resume, cancelled);
  TEST_ADD_ROWS ("same", test_same, changes);
  TEST_ADD_ROWS ("refused", test_refused, refused);
  return test_run ();
}
