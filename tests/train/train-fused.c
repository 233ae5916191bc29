/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small classifiers with a contour branch, trained on drawn pictures. */
#include "train/train-fused.h"

#include <math.h>

#include "check-main.h"
#include "support/folder.h"
#include "support/monitor.h"
#include "support/network.h"
#include "toy.h"

enum { N_TRAIN = 8, N_VALIDATION = 4, N_TEST = 2, N_CLASSES = 3, SIZE = 32 };

typedef struct {
  char *dataset, *backbone, *contour, *output;
  EnsTrainFusedParams params;
  EnsDevice *device;
  EnsFrameOpener opener;
  guint n_opened;
  TestMonitor listener;
} Fixture;

static Fixture *fixture;

/* How the contour network takes its pixels. */
static void
write_contour_mean (guint mean)
{
  g_autofree char *text = g_strdup_printf (
      "{\"networks\": [{\"file\": \"contour.onnx\", \"order\": \"rgb\", \"mean\": [%u, %u, %u], "
      "\"scale\": [0.02, 0.02, 0.02]}]}",
      mean, mean, mean);

  test_folder_write ("contour.json", text);
}

static void
save_networks (void)
{
  const EnsContourParams small = {.n_levels = 3,
                                  .channels = {4, 4, 8},
                                  .unify = {0, ENS_CONTOUR_NEAREST, ENS_CONTOUR_TRANSPOSED},
                                  .n_unified = 2,
                                  .seed = 3};
  g_autoptr (EnsGraph) backbone = toy_network (40, SIZE, 6, FALSE);
  g_autoptr (EnsGraph) whole = ens_contour_new (&small, NULL);
  g_autoptr (EnsGraph) contour = ens_contour_drop_head (whole);

  fixture->backbone = toy_save_network (backbone, test_folder, "toy.onnx");
  fixture->contour = toy_save_network (contour, test_folder, "contour.onnx");
  write_contour_mean (120);
}

static void
set_up (void)
{
  test_folder_set_up ();
  fixture = g_new0 (Fixture, 1);
  fixture->dataset = g_build_filename (test_folder, "shapes", NULL);
  fixture->output = g_build_filename (test_folder, "fused.onnx", NULL);
  toy_dataset (fixture->dataset, N_TRAIN, N_VALIDATION, N_TEST);
  save_networks ();
  fixture->params = ENS_TRAIN_FUSED_DEFAULTS;
  fixture->params.recipe.dataset = fixture->dataset;
  fixture->params.recipe.output = fixture->output;
  fixture->params.recipe.batch = 8;
  fixture->params.recipe.n_workers = 2;
  fixture->params.recipe.loop.n_epochs = 2;
  fixture->params.backbone = fixture->backbone;
  fixture->params.contour = fixture->contour;
  fixture->params.normalise =
      (EnsNormalise) {ENS_ORDER_BGR, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};
  fixture->params.network.size = SIZE;
  fixture->params.network.filters = 8;
  fixture->params.network.dropout = 0;
  fixture->params.augment = ENS_CLASSIFIER_AUGMENT_CROP;
  fixture->device = ens_device_open ("cpu", 2, NULL);
  fixture->opener = toy_opener (&fixture->n_opened);
  test_monitor_init (&fixture->listener);
}

static void
tear_down (void)
{
  test_monitor_clear (&fixture->listener);
  ens_device_unref (fixture->device);
  g_free (fixture->output);
  g_free (fixture->contour);
  g_free (fixture->backbone);
  g_free (fixture->dataset);
  g_clear_pointer (&fixture, g_free);
  test_folder_tear_down ();
}

static gboolean
train (EnsTrainFusedResult *result, GError **error)
{
  return ens_train_fused (&fixture->params, fixture->device, &fixture->opener,
                          &fixture->listener.monitor, result, error);
}

static void
train_well (EnsTrainFusedResult *result)
{
  g_autoptr (GError) error = NULL;

  train (result, &error);
  ck_assert_no_error (error);
}

/* -- learning -- */

START_TEST (test_learns)
{
  EnsTrainFusedResult result;

  toy_drop_none (fixture->dataset);
  fixture->params.network.without_contour = _i == 1;
  fixture->params.recipe.loop.n_epochs = 20;
  train_well (&result);
  ck_assert (!result.has_several);
  ck_assert_uint_eq (result.recipe.n_classes, N_CLASSES);
  ck_assert_double_ge (result.recipe.loop.best.accuracy, 0.8);
  ck_assert_double_eq (result.measures[ENS_SPLIT_VALIDATION].accuracy,
                       result.recipe.loop.best.accuracy);
  ck_assert (isnan (result.measures[ENS_SPLIT_TRAIN].accuracy));
  ck_assert_uint_eq (result.exchanged_split, ENS_SPLIT_TEST);
  /* Each class has a colour of its own, which exchanges take away. */
  ck_assert_double_lt (result.exchanged.accuracy, result.measures[ENS_SPLIT_TEST].accuracy);
}
END_TEST

/* Pictures of no class: a sigmoid for each. */
START_TEST (test_several)
{
  EnsTrainFusedResult result;
  g_autoptr (EnsGraph) written = NULL;

  train_well (&result);
  ck_assert (result.has_several);
  written = test_network_read (fixture->output);
  ck_assert_str_eq (((EnsValue *)written->outputs->pdata[0])->producer->op->name, "Sigmoid");
}
END_TEST

/* -- what changes -- */

static const struct {
  const char *name;
  EnsFusedUpdate update;
  gboolean backbone, head; /* change */
} updates[] = {
    {"both", ENS_FUSED_UPDATE_BOTH, TRUE, TRUE},
    {"head", ENS_FUSED_UPDATE_HEAD, FALSE, TRUE},
    {"backbone", ENS_FUSED_UPDATE_BACKBONE, TRUE, FALSE},
};

static const EnsTensor *
get_weights (const EnsGraph *graph, const char *layer)
{
  const EnsNode *node = g_hash_table_lookup (graph->nodes_by_name, layer);

  ck_assert_msg (node != NULL, "there is no node “%s”", layer);
  return ens_node_constant (node, 1);
}

static gboolean
is_same (const EnsTensor *a, const EnsTensor *b)
{
  ck_assert_uint_eq (ens_tensor_size (a), ens_tensor_size (b));
  return memcmp (a->data, b->data, ens_tensor_size (a)) == 0;
}

START_TEST (test_update)
{
  g_autoptr (EnsGraph) backbone = test_network_read (fixture->backbone),
                       contour = test_network_read (fixture->contour);
  g_autoptr (EnsGraph) written = NULL, fresh = NULL;
  g_autoptr (GError) error = NULL;
  EnsFusedParams network = fixture->params.network;
  EnsTrainFusedResult result;

  toy_drop_none (fixture->dataset);
  fixture->params.update = updates[_i].update;
  train_well (&result);
  network.backbone = backbone;
  network.contour = contour;
  network.backbone_pixels = network.contour_pixels = fixture->params.normalise;
  network.n_classes = N_CLASSES;
  fresh = ens_fused_new (&network, &error);
  ck_assert_no_error (error);
  written = test_network_read (fixture->output);
  ck_assert (ens_contour_compare_weights (written, "contour/", contour, &error));
  ck_assert_int_eq (!is_same (get_weights (written, "conv1"), get_weights (backbone, "conv1")),
                    updates[_i].backbone);
  ck_assert_int_eq (
      !is_same (get_weights (written, "fusion1/conv"), get_weights (fresh, "fusion1/conv")),
      updates[_i].head);
  ck_assert_int_eq (!is_same (get_weights (written, "logits"), get_weights (fresh, "logits")),
                    updates[_i].head);
}
END_TEST

/* -- the files -- */

START_TEST (test_files)
{
  g_autofree char *path = ens_recipe_name_beside (&fixture->params.recipe, ".json");
  g_autofree char *text = NULL;
  g_autoptr (EnsGraph) written = NULL;
  EnsTrainFusedResult result;

  fixture->params.network.kind = ENS_FUSED_CONCAT;
  train_well (&result);
  written = test_network_read (fixture->output);
  ck_assert_uint_eq (written->inputs->len, 1);
  ck_assert_ptr_nonnull (ens_graph_find (written, "contour/feature"));
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_contains (text, "\"taps\": [\"fusion\", \"logits\"]");
  ck_assert_contains (text, "\"order\": \"bgr\"");
  ck_assert_contains (text, "\"role\": \"retrained\"");
}
END_TEST

START_TEST (test_resume)
{
  g_autofree char *expected = NULL, *found = NULL;
  g_autoptr (GError) error = NULL;
  EnsTrainFusedResult result;
  gsize n_expected, n_found;

  fixture->params.network.dropout = 0.3;
  fixture->params.augment = ENS_CLASSIFIER_AUGMENT_FULL;
  train_well (&result);
  ck_assert (g_file_get_contents (fixture->output, &expected, &n_expected, NULL));
  fixture->listener.cancel_after = 3;
  ck_assert (!train (&result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
  train_well (&result);
  ck_assert (g_file_get_contents (fixture->output, &found, &n_found, NULL));
  ck_assert_bytes_eq (found, n_found, expected, n_expected);
}
END_TEST

/* -- refusals -- */

static void
set_same_file (void)
{
  fixture->params.recipe.output = fixture->contour;
}

static void
set_no_contour (void)
{
  fixture->params.contour = fixture->backbone;
}

static void
set_no_input (void)
{
  g_free (fixture->backbone);
  fixture->params.backbone = fixture->backbone = test_network_write_no_input (test_folder);
  fixture->params.network.size = 0;
}

static void
set_no_layers (void)
{
  fixture->params.network.n_layers = 0;
}

static void
interrupt (void)
{
  EnsTrainFusedResult result;

  fixture->listener.cancel_after = 1;
  ck_assert (!train (&result, NULL));
  test_monitor_go_on (&fixture->listener);
  fixture->params.recipe.loop.resume = TRUE;
}

static void
set_other_mean (void)
{
  interrupt ();
  fixture->params.normalise.mean[1] = 110;
}

static void
set_other_contour_mean (void)
{
  interrupt ();
  write_contour_mean (110);
}

static const struct {
  const char *name;
  void (*set) (void);
  const char *message;
} refusals[] = {
    {"overwrites", set_same_file, "is what the network is made of"},
    {"no-contour", set_no_contour, "expected a contour network"},
    {"no-input", set_no_input,
     "no-input.onnx: expected one input of float32 images with 3 channels, found 0 inputs"},
    {"other-mean", set_other_mean, "other settings"},
    {"other-contour-mean", set_other_contour_mean, "other settings"},
    {"no-layers", set_no_layers, "expected at least 1 convolution of 1 filter, found 0 of 8"},
};

START_TEST (test_refusals)
{
  g_autoptr (GError) error = NULL;
  EnsTrainFusedResult result;

  refusals[_i].set ();
  ck_assert (!train (&result, &error));
  ck_assert_contains (error->message, refusals[_i].message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/train-fused");
  test_fixture (set_up, tear_down);
  test_add_loop ("learns", test_learns, 2);
  test_add ("several", test_several);
  TEST_ADD_ROWS ("update", test_update, updates);
  test_add ("files", test_files);
  test_add ("resume", test_resume);
  TEST_ADD_ROWS ("refusals", test_refusals, refusals);
  return test_run ();
}
