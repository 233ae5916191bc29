/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small networks, retrained on drawn pictures. */
#include "train/retrain.h"

#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

#include "base/files.h"
#include "check-main.h"
#include "graph/infer.h"
#include "onnx/about.h"
#include "onnx/onnx.h"
#include "passes/rewrite.h"
#include "support/monitor.h"
#include "support/network.h"
#include "toy.h"
#include "train/retrain-maps.h"

enum { N_TRAIN = 6, N_VALIDATION = 3, N_CLASSES = 3 };

typedef struct {
  char *folder, *dataset, *network, *output;
  EnsRetrainParams params;
  EnsDevice *device;
  EnsFrameOpener opener;
  guint n_opened;
  TestMonitor listener;
} Fixture;

static Fixture *fixture;

static void
use_network (EnsGraph *network)
{
  g_free (fixture->network);
  fixture->network = toy_save_network (network, fixture->folder, "toy.onnx");
  fixture->params.network = fixture->network;
}

static void
save_network (guint size, gboolean fully_connected)
{
  g_autoptr (EnsGraph) network = toy_network (40, size, 6, fully_connected);

  use_network (network);
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->folder = g_dir_make_tmp ("retrain-XXXXXX", NULL);
  fixture->dataset = g_build_filename (fixture->folder, "shapes", NULL);
  fixture->output = g_build_filename (fixture->folder, "shapes.onnx", NULL);
  toy_dataset (fixture->dataset, N_TRAIN, N_VALIDATION, 0);
  fixture->params = ENS_RETRAIN_DEFAULTS;
  save_network (32, FALSE);
  fixture->params.recipe.dataset = fixture->dataset;
  fixture->params.recipe.output = fixture->output;
  fixture->params.normalise =
      (EnsNormalise) {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};
  fixture->params.recipe.batch = 8;
  fixture->params.recipe.n_workers = 2;
  fixture->params.recipe.loop.n_epochs = 3;
  fixture->params.recipe.loop.rate = 0.03;
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
  g_free (fixture->network);
  g_free (fixture->dataset);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

static gboolean
retrain (EnsRetrainResult *result, GError **error)
{
  return ens_retrain (&fixture->params, fixture->device, &fixture->opener,
                      &fixture->listener.monitor, result, error);
}

static void
retrain_well (EnsRetrainResult *result)
{
  g_autoptr (GError) error = NULL;

  retrain (result, &error);
  ck_assert_no_error (error);
}

/* -- learning -- */

static const struct {
  const char *name;
  guint size;
  gboolean fully_connected;
  guint n_positions; /* along a side of the map */
  guint n_epochs;
  double accuracy;
} networks[] = {
    {"average", 32, FALSE, 1, 40, 0.8},
    {"fully-connected", 32, TRUE, 1, 40, 0.8},
    {"dense-average", 112, FALSE, 5, 4, 0},
    {"dense-fully-connected", 112, TRUE, 3, 4, 0},
};

START_TEST (test_learns)
{
  EnsRetrainResult result;
  g_autoptr (GError) error = NULL;

  save_network (networks[_i].size, networks[_i].fully_connected);
  fixture->params.recipe.loop.n_epochs = networks[_i].n_epochs;
  retrain_well (&result);
  ck_assert_uint_eq (result.recipe.n_classes, N_CLASSES);
  ck_assert_uint_eq (result.map.rows, networks[_i].n_positions);
  ck_assert_double_ge (result.recipe.loop.best.accuracy, networks[_i].accuracy);
  ck_assert_double_lt (result.recipe.loop.best.loss, 0.2);
}
END_TEST

/* Larger sub-images have more positions; smaller ones than the network's none. */
START_TEST (test_sub_image_size)
{
  EnsRetrainResult result;
  g_autoptr (GError) error = NULL;

  fixture->params.sub_image_size = 96;
  fixture->params.recipe.loop.n_epochs = 1;
  retrain_well (&result);
  ck_assert_uint_eq (result.map.input, 96);
  ck_assert_uint_eq (result.map.rows, 17);
  fixture->params.sub_image_size = 31;
  ck_assert (!retrain (&result, &error));
  ck_assert_contains (error->message, "a side of at least 32 pixels, the network's size, found 31");
}
END_TEST

/* With nothing random, E on the training pictures themselves goes towards 0. */
START_TEST (test_overfits)
{
  g_autofree char *validation = g_build_filename (fixture->dataset, "validation", NULL);
  g_autofree char *train = g_build_filename (fixture->dataset, "train", NULL);
  EnsRetrainResult result;

  ens_remove_tree (fixture->dataset);
  toy_dataset (fixture->dataset, 2, 0, 0); /* eight pictures */
  ens_remove_tree (validation);
  ck_assert_int_eq (symlink (train, validation), 0);
  fixture->params.augment = ENS_RETRAIN_AUGMENT_NONE;
  fixture->params.recipe.loop.n_epochs = 200;
  fixture->params.recipe.loop.rate = 0.1;
  fixture->params.recipe.loop.optimiser.decay = 0;
  retrain_well (&result);
  ck_assert_double_lt (result.recipe.loop.best.loss, 0.01);
}
END_TEST

/* -- the result -- */

static EnsShape
infer_output (const EnsGraph *graph, gint64 n, gint64 size)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);
  g_autoptr (GError) error = NULL;

  ens_infer_graph (sample, &ENS_SHAPE (n, size, size, 3), &error);
  ck_assert_no_error (error);
  return ((const EnsValue *)sample->outputs->pdata[0])->shape;
}

/* A network that averages keeps its form, a fully connected one becomes convolutional; both have
 * all the values that they had. */
START_TEST (test_file)
{
  static const char *const values[] = {"image", "conv1",  "relu1", "relu2",
                                       "pool",  "scores", "prob",  NULL};
  EnsRetrainResult result;
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (EnsOnnxAbout) about = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, "shapes.json", NULL);
  g_autofree char *text = NULL;
  g_autofree char *checkpoint = g_build_filename (fixture->folder, "shapes.checkpoint", NULL);
  EnsShape shape;

  fixture->params.taps = values + 3;
  save_network (32, _i == 1);
  retrain_well (&result);
  graph = test_network_read (fixture->output);
  for (guint i = 0; values[i] != NULL; i++)
    ck_assert_msg (ens_graph_find (graph, values[i]) != NULL, "“%s” is gone", values[i]);
  ck_assert_pstr_eq (((EnsValue *)graph->outputs->pdata[0])->name, "prob");
  ck_assert_pstr_eq (((EnsValue *)graph->outputs->pdata[0])->producer->op->name, "Sigmoid");
  shape = infer_output (graph, 5, 48);
  ck_assert_int_eq (shape.rank, _i == 1 ? 4 : 2);
  ck_assert_int_eq (shape.dims[0], 5);
  ck_assert_int_eq (shape.dims[shape.rank - 1], N_CLASSES);

  about = ens_onnx_about_read (fixture->output, NULL);
  ck_assert_contains (g_hash_table_lookup (about->properties, "labels"), "\"square\"");
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_contains (text, "\"role\": \"retrained\"");
  ck_assert_contains (text, "\"mean\": [120, 120, 120]");
  ck_assert_contains (text, "\"taps\": [\"relu2\", \"pool\", \"scores\", \"prob\"]");
  ck_assert (!g_file_test (checkpoint, G_FILE_TEST_EXISTS));
}
END_TEST

static const EnsTensor *
get_weights (const EnsGraph *graph, const char *node)
{
  return ens_node_constant (g_hash_table_lookup (graph->nodes_by_name, node), 1);
}

/* What is computed before a frozen value stays, to the bit; what is computed after it does not. Its
 * features are kept where pictures come up as they are, or flipped. */
static const EnsRetrainAugment frozen[] = {ENS_RETRAIN_AUGMENT_NORMAL, ENS_RETRAIN_AUGMENT_FLIP,
                                           ENS_RETRAIN_AUGMENT_NONE};

START_TEST (test_freeze)
{
  EnsRetrainResult result;
  g_autoptr (EnsGraph) before = NULL, after = NULL;
  const EnsTensor *a, *b;

  save_network (32, TRUE);
  fixture->params.freeze = "relu1";
  fixture->params.augment = frozen[_i];
  fixture->params.recipe.loop.n_epochs = 6;
  retrain_well (&result);
  if (frozen[_i] == ENS_RETRAIN_AUGMENT_NORMAL)
    ck_assert_uint_ge (fixture->n_opened, 6 * 4 * 2 * (N_TRAIN + N_VALIDATION));
  else
    ck_assert_uint_le (fixture->n_opened, 3 * 4 * 2 * (N_TRAIN + N_VALIDATION));
  before = test_network_read (fixture->network);
  after = test_network_read (fixture->output);
  a = get_weights (before, "conv1");
  b = get_weights (after, "conv1");
  ck_assert_bytes_eq (a->data, ens_tensor_size (a), b->data, ens_tensor_size (b));
  a = get_weights (before, "conv2");
  b = get_weights (after, "conv2");
  ck_assert_int_ne (memcmp (a->data, b->data, ens_tensor_size (a)), 0);
}
END_TEST

/* -- the same again -- */

typedef struct {
  char *bytes;
  gsize size;
} File;

static File
read_output (void)
{
  File file;

  ck_assert (g_file_get_contents (fixture->output, &file.bytes, &file.size, NULL));
  return file;
}

static void
assert_same_files (File a, File b)
{
  ck_assert_bytes_eq (a.bytes, a.size, b.bytes, b.size);
  g_free (a.bytes);
  g_free (b.bytes);
}

/* Cancelled after so many steps, in the middle or at the end of an epoch. */
static const guint cancelled[] = {1, 8, 12};

START_TEST (test_resume)
{
  EnsRetrainResult result;
  g_autofree char *spelt = g_strconcat (fixture->dataset, G_DIR_SEPARATOR_S, NULL);
  g_autoptr (GError) error = NULL;
  File whole;

  fixture->params.augment = ENS_RETRAIN_AUGMENT_FULL;
  fixture->params.recipe.loop.average = 0.9;
  retrain_well (&result);
  whole = read_output ();
  fixture->listener.cancel_after = cancelled[_i];
  ck_assert (!retrain (&result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
  fixture->params.recipe.dataset = spelt;
  retrain_well (&result);
  assert_same_files (whole, read_output ());
}
END_TEST

/* One that has ended and is kept only writes its result again. */
START_TEST (test_kept)
{
  EnsRetrainResult first, second;
  File whole;

  fixture->params.recipe.keep_checkpoint = TRUE;
  retrain_well (&first);
  whole = read_output ();
  ck_assert_int_eq (g_remove (fixture->output), 0);
  fixture->n_opened = 0;
  fixture->params.recipe.loop.resume = TRUE;
  retrain_well (&second);
  assert_same_files (whole, read_output ());
  ck_assert_uint_eq (fixture->n_opened, 0);
  ck_assert_uint_eq (second.recipe.loop.best_epoch, first.recipe.loop.best_epoch);
}
END_TEST

START_TEST (test_threads)
{
  EnsRetrainResult result;
  File one;

  fixture->params.recipe.n_workers = 1;
  retrain_well (&result);
  one = read_output ();
  fixture->params.recipe.n_workers = 4;
  ens_device_unref (fixture->device);
  fixture->device = ens_device_open ("cpu", 3, NULL);
  retrain_well (&result);
  assert_same_files (one, read_output ());
}
END_TEST

START_TEST (test_seed)
{
  EnsRetrainResult first, second;

  retrain_well (&first);
  fixture->params.recipe.seed = 1;
  retrain_well (&second);
  ck_assert_double_ne (first.recipe.loop.best.loss, second.recipe.loop.best.loss);
}
END_TEST

/* -- what can't be -- */

static void
set_unknown_value (void)
{
  fixture->params.freeze = "relu9";
}

/* A size that nobody has thought of: the result says that it takes no other one. */
START_TEST (test_one_size)
{
  g_autoptr (EnsGraph) network = toy_network (40, 48, 6, FALSE), graph = NULL;
  EnsRetrainResult result;
  EnsShape shape;

  toy_add_positions (network, 48);
  use_network (network);
  fixture->params.size = 48;
  fixture->params.recipe.loop.n_epochs = 1;
  retrain_well (&result);
  graph = ens_onnx_import (fixture->output, NULL, NULL);
  ck_assert_ptr_nonnull (graph);
  shape = ((const EnsValue *)graph->inputs->pdata[0])->shape;
  ck_assert (ens_shape_equal (&shape, &ENS_SHAPE (-1, 48, 48, 3)));
}
END_TEST

static void
set_no_input (void)
{
  g_free (fixture->network);
  fixture->params.network = fixture->network = test_network_write_no_input (fixture->folder);
}

static void
set_same_file (void)
{
  fixture->params.recipe.output = fixture->params.network;
}

static void
set_other_channels (void)
{
  fixture->params.normalise.order = ENS_ORDER_GRAY;
}

static void
interrupt (void)
{
  EnsRetrainResult result;

  fixture->listener.cancel_after = 3;
  ck_assert (!retrain (&result, NULL));
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
}

static void
set_other_settings (void)
{
  interrupt ();
  fixture->params.recipe.loop.rate = 0.05;
}

static void
set_other_mean (void)
{
  interrupt ();
  fixture->params.normalise.mean[1] = 110;
}

static void
set_other_label (void)
{
  g_autofree char *disc = g_build_filename (fixture->dataset, "train", "disc", "000.ppm", NULL);
  g_autofree char *none = g_build_filename (fixture->dataset, "train", "none", "900.ppm", NULL);

  interrupt ();
  ck_assert_int_eq (g_rename (disc, none), 0);
}

static void
set_high_rate (void)
{
  fixture->params.recipe.loop.rate = 1e30;
  fixture->params.recipe.loop.optimiser.clip = 0;
}

static void
set_little_memory (void)
{
  fixture->params.recipe.memory_limit = 1000;
}

static const struct {
  const char *name;
  void (*set) (void);
  const char *message;
} refused[] = {
    {"unknown-value", set_unknown_value, "“relu9”"},
    {"same-file", set_same_file, "choose another file"},
    {"no-input", set_no_input, "images with 3 channels, found 0 inputs"},
    {"other-channels", set_other_channels, "images with 1 channels"},
    {"other-settings", set_other_settings, "other settings"},
    {"other-mean", set_other_mean, "other settings"},
    {"other-label", set_other_label, "other settings, pictures"},
    {"little-memory", set_little_memory, "the limit is 1.0"},
    {"not-finite", set_high_rate, "lower learning rate"},
};

START_TEST (test_refused)
{
  EnsRetrainResult result;
  g_autoptr (GError) error = NULL;

  refused[_i].set ();
  ck_assert (!retrain (&result, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_contains (error->message, refused[_i].message);
}
END_TEST

START_TEST (test_broken_picture)
{
  g_autofree char *folder = g_build_filename (fixture->dataset, "train", "disc", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autofree char *path = g_build_filename (folder, g_dir_read_name (dir), NULL);
  EnsRetrainResult result;

  ck_assert (g_file_set_contents (path, "nothing", -1, NULL));
  retrain_well (&result);
  ck_assert_contains (fixture->listener.notes->str, "skipped");
  ck_assert_contains (fixture->listener.notes->str, path);
}
END_TEST

/* -- maps -- */

/* Pictures of all classes, none without one; maps from edge to edge. */
START_TEST (test_maps)
{
  g_autoptr (GPtrArray) maps = NULL;
  g_autoptr (GError) error = NULL;
  EnsRetrainResult result;

  fixture->params.recipe.loop.n_epochs = 1;
  retrain_well (&result);
  maps = ens_retrain_draw_maps (&fixture->params, N_CLASSES, fixture->device, &fixture->opener,
                                &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (maps->len, N_CLASSES);
  for (guint i = 0; i < maps->len; i++) {
    const EnsRetrainMap *shown = maps->pdata[i];
    const EnsProbabilityMap *map = shown->result->map;
    g_autofree char *folder = g_path_get_dirname (shown->path);

    ck_assert_uint_eq (shown->class, i);
    ck_assert (g_str_has_suffix (folder, shown->result->classes[i].name));
    ck_assert_float_eq_tol (map->x[0] + map->width / 2, 0, 1e-6F);
    ck_assert_float_eq_tol (map->x[map->columns - 1] + map->width / 2, 1, 1e-6F);
    ck_assert_float_eq_tol (map->y[map->rows - 1] + map->height / 2, 1, 1e-6F);
  }
}
END_TEST

enum { SIDE = 64, SHIFT = 16 };

/* Of a part that lies so many pixels to the right. (transfer full) */
static EnsResult *
map_part (EnsMapper *mapper, const EnsPicture *picture, guint shift)
{
  const EnsRect part = {(float)shift / SIDE, 0, 1, 1};
  g_autoptr (GError) error = NULL;
  EnsResult *result = ens_mapper_run (mapper, &picture->frame, &part, SIDE, SIDE, &error);

  ck_assert_no_error (error);
  return result;
}

/* What lies in a shifted part, beyond the frame with its end, is seen as before, in its place. */
START_TEST (test_mapper)
{
  g_autoptr (EnsMapper) mapper = NULL;
  g_autoptr (EnsPicture) picture = toy_picture (3, 0, SIDE, SIDE);
  g_autoptr (EnsResult) whole = NULL, shifted = NULL;
  EnsRetrainResult result;
  guint spacing, columns, n = 0;
  double spread = 0;

  fixture->params.recipe.loop.n_epochs = 1;
  retrain_well (&result);
  mapper = ens_mapper_new (fixture->output, fixture->device, NULL);
  whole = map_part (mapper, picture, 0);
  shifted = map_part (mapper, picture, SHIFT);
  columns = whole->map->columns;
  spacing = SIDE / (columns - 1);
  for (guint i = 0; i < columns * whole->map->rows; i++) {
    guint middle = i % columns * spacing;

    /* Squares of 32, and a few pixels more. */
    if (middle < 16 + 4 || middle + SHIFT + 16 + 4 > SIDE)
      continue;
    for (guint c = 0; c < N_CLASSES; c++) {
      float p = shifted->map->probabilities[i * N_CLASSES + c];

      ck_assert_float_eq_tol (p, whole->map->probabilities[(i + SHIFT / spacing) * N_CLASSES + c],
                              1e-5F);
      spread += fabsf (p - whole->map->probabilities[i * N_CLASSES + c]);
      n++;
    }
  }
  ck_assert_uint_gt (n, 0);
  ck_assert_double_gt (spread, 1e-3);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/retrain");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("learns", test_learns, networks);
  test_add ("sub-image-size", test_sub_image_size);
  test_add ("one-size", test_one_size);
  test_add ("overfits", test_overfits);
  test_add_loop ("file", test_file, 2);
  TEST_ADD_LOOP ("freeze", test_freeze, frozen);
  TEST_ADD_LOOP ("resume", test_resume, cancelled);
  test_add ("kept", test_kept);
  test_add ("threads", test_threads);
  test_add ("seed", test_seed);
  TEST_ADD_ROWS ("refused", test_refused, refused);
  test_add ("broken-picture", test_broken_picture);
  test_add ("maps", test_maps);
  test_add ("mapper", test_mapper);
  return test_run ();
}
