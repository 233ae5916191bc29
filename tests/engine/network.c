/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices, networks, their plans, and taps. */
#include <string.h>

#include "build.h"
#include "check-main.h"
#include "engine/feature-layers.h"
#include "engine/network-private.h"
#include "support/folder.h"
#include "support/network.h"

static void
set_open (EnsValue *input)
{
  for (guint i = 0; i < 3; i++)
    input->shape.dims[i] = -1;
}

/* Takes any size: (N, h, w, 3) → (N, 4). */
static EnsNetwork *
make_network (EnsDevice *device)
{
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsNetwork *network;
  EnsValue *input, *x;

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, 8, 8, 3));
  x = build_batch_norm (&b, build_conv (&b, input, (ConvRow) {.filters = 6, .kernel = 3}));
  x = build (&b, "GlobalAveragePool", NULL, build (&b, "Relu", NULL, x, NULL), NULL);
  x = build (&b, "Dropout", NULL, build_gemm (&b, build_flatten (&b, x), 4), NULL);
  ens_graph_rename (b.graph, x, "scores");
  ens_graph_add_output (b.graph, x);
  set_open (input);
  network = ens_network_new (g_steal_pointer (&b.graph), device, &error);
  ck_assert_no_error (error);
  return network;
}

static EnsPlan *
make_plan (EnsNetwork *network, gint64 batch, gint64 height, gint64 width)
{
  g_autoptr (GError) error = NULL;
  EnsPlan *plan = ens_network_plan (network, &ENS_SHAPE (batch, height, width, 3), &error);

  ck_assert_no_error (error);
  return plan;
}

static const struct {
  const char *name, *message;
} device_rows[] = {
    {"cpu", NULL},
    {"vulkan:no such GPU", "device “vulkan:no such GPU”: "},
    {"vulkans", "device “vulkans” is unknown, expected auto, cpu, vulkan or vulkan:N"},
    {"", "device “” is unknown, expected auto, cpu, vulkan or vulkan:N"},
};

START_TEST (test_device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (device_rows[_i].name, 3, &error);

  if (device_rows[_i].message != NULL) {
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
    ck_assert (g_str_has_prefix (error->message, device_rows[_i].message));
    return;
  }
  ck_assert_no_error (error);
  ck_assert_str_eq (ens_device_get_name (device), "cpu");
  ck_assert (g_str_has_suffix (ens_device_get_description (device), "3 threads"));
  ck_assert_uint_eq (ens_thread_pool_get_threads (ens_device_get_pool (device)), 3);
}
END_TEST

START_TEST (test_network)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  g_autoptr (EnsPlan) plan = make_plan (network, 2, 10, 9);
  EnsNodeTime times[8] = {0};
  float input[2 * 10 * 9 * 3] = {0}, output[8], again[8];

  ck_assert_uint_eq (ens_network_get_n_inputs (network), 1);
  ck_assert_uint_eq (ens_network_get_n_outputs (network), 1);
  ck_assert_str_eq (ens_network_get_input_name (network, 0), "input");
  ck_assert_str_eq (ens_network_get_output_name (network, 0), "scores");
  ck_assert (
      ens_shape_equal (ens_network_get_input_shape (network, 0), &ENS_SHAPE (-1, -1, -1, 3)));
  ck_assert (ens_shape_equal (ens_plan_get_output_shape (plan, 0), &ENS_SHAPE (2, 4)));
  ck_assert_uint_gt (ens_network_get_weights_size (network), (6 * 27 + 4 * 6) * sizeof (float));

  /* Convolution with batch normalisation and Relu, pooling, product. */
  ck_assert_uint_eq (ens_plan_get_n_nodes (plan), 3);
  ens_plan_profile (plan, (const gconstpointer[]) {input}, (const gpointer[]) {output}, times,
                    NULL);
  ck_assert_str_eq (times[0].op, "Conv");
  ck_assert_double_eq (times[0].flops, 2 * (2 * 8 * 7 * 6) * 27);
  ck_assert_str_eq (times[2].op, "Gemm");
  ck_assert_ptr_nonnull (times[2].kernel);
  ens_plan_run (plan, (const gconstpointer[]) {input}, (const gpointer[]) {again}, NULL);
  ck_assert_bytes_eq (output, sizeof output, again, sizeof again);
}
END_TEST

START_TEST (test_plans_are_kept)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  g_autoptr (EnsPlan) first = make_plan (network, 1, 8, 8), again = NULL, after = NULL;
  gsize weights = ens_network_get_weights_size (network);

  for (gint64 size = 9; size < 16; size++) {
    g_autoptr (EnsPlan) other = make_plan (network, 1, size, 8);

    ck_assert (other != first);
  }
  again = make_plan (network, 1, 8, 8);
  ck_assert (again == first);
  ck_assert_uint_eq (ens_network_get_weights_size (network), weights);
  /* Room for those that were used last. */
  g_setenv ("ENSEMBLE_PLAN_MEMORY", "1", TRUE);
  for (gint64 size = 16; size < 20; size++)
    ens_plan_unref (make_plan (network, 1, size, 8));
  after = make_plan (network, 1, 8, 8);
  g_unsetenv ("ENSEMBLE_PLAN_MEMORY");
  ck_assert (after != first);
}
END_TEST

START_TEST (test_drop_plan)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  g_autoptr (EnsPlan) kept = make_plan (network, 1, 8, 8), dropped = make_plan (network, 2, 8, 8);
  g_autoptr (EnsPlan) again = NULL, anew = NULL;

  ens_network_drop_plan (network, dropped);
  again = make_plan (network, 1, 8, 8);
  anew = make_plan (network, 2, 8, 8);
  ck_assert (again == kept);
  ck_assert (anew != dropped);
}
END_TEST

/* Images that threads work on side by side take a copy of the graph each, which counts. */
START_TEST (test_plan_size)
{
  g_autoptr (EnsDevice) one = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsDevice) eight = ens_device_open ("cpu", 8, NULL);
  g_autoptr (EnsNetwork) network = make_network (one), threaded = make_network (eight);
  g_autoptr (EnsPlan) plan = make_plan (network, 16, 200, 200);
  g_autoptr (EnsPlan) parallel = make_plan (threaded, 16, 200, 200);

  test_message ("%zu and %zu bytes", ens_plan_get_own_size (plan),
                ens_plan_get_own_size (parallel));
  ck_assert_uint_gt (ens_plan_get_own_size (parallel), 2 * ens_plan_get_own_size (plan));
}
END_TEST

/* Plans that take turns stay, however little memory there is for them; the one that was used
 * longest ago goes first. */
START_TEST (test_plans_in_turn)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  EnsPlan *plans[3];

  g_setenv ("ENSEMBLE_PLAN_MEMORY", "1", TRUE);
  for (gint64 i = 0; i < 3; i++)
    plans[i] = make_plan (network, 1 << i, 8, 8);
  for (gint64 i = 0; i < 9; i++) {
    g_autoptr (EnsPlan) again = make_plan (network, 1 << i % 3, 8, 8);

    ck_assert (again == plans[i % 3]);
  }
  for (gint64 i = 0; i < 2; i++)
    ens_plan_unref (make_plan (network, 1, 9 + i, 8));
  for (gint64 i = 2; i >= 0; i--) {
    g_autoptr (EnsPlan) again = make_plan (network, 1 << i, 8, 8);

    ck_assert_int_eq (again == plans[i], i == 2);
  }
  g_unsetenv ("ENSEMBLE_PLAN_MEMORY");
  for (guint i = 0; i < 3; i++)
    ens_plan_unref (plans[i]);
}
END_TEST

static const struct {
  EnsShape shape;
  const char *message;
} errors_rows[] = {
    {{3, {8, 8, 3}}, "test: input “input” is 8x8x3, expected ?x?x?x3"},
    {{4, {1, 8, 8, 4}},
     "test: node “Conv_0” (Conv): weights are 6x3x3x3 in 1 groups, expected them "
     "for an input of 4 channels"},
    {{4, {1, 2, 8, 3}}, NULL},
    {{4, {0, 8, 8, 3}}, ""},
    {{4, {1 << 20, 1 << 10, 1 << 10, 3}}, NULL},
    {{4, {1, 1 << 18, 1 << 17, 3}}, NULL}, /* 800 GB */
};

START_TEST (test_errors)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPlan) plan = ens_network_plan (network, &errors_rows[_i].shape, &error);

  if (errors_rows[_i].message != NULL && *errors_rows[_i].message == '\0') {
    ck_assert_no_error (error); /* no images: nothing to do */
    return;
  }
  ck_assert_ptr_null (plan);
  ck_assert_ptr_nonnull (error);
  test_message ("%s", error->message);
  if (errors_rows[_i].message != NULL)
    ck_assert_pstr_eq (error->message, errors_rows[_i].message);
}
END_TEST

START_TEST (test_missing_file)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_network_load ("/nowhere/network.onnx", device, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "/nowhere/network.onnx");
}
END_TEST

START_TEST (test_no_input)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  test_folder_set_up ();
  path = test_network_write_no_input (test_folder);
  ck_assert_ptr_null (ens_network_load_convolutional (path, 32, device, &error));
  ck_assert_contains (error->message, "no-input.onnx: a network with one input of images");
  test_folder_tear_down ();
}
END_TEST

/* Threads that plan and run as they like get the same numbers. */

#define N_THREADS 4
#define N_RUNS 40

typedef struct {
  EnsNetwork *network;
  const float *input;
  float expected[3][4];
} Shared;

static void
run_size (EnsNetwork *network, const float *input, guint size, float *output)
{
  g_autoptr (EnsPlan) plan = make_plan (network, 1, 8 + size, 8);

  ens_plan_run (plan, (const gconstpointer[]) {input}, (const gpointer[]) {output}, NULL);
}

static gpointer
run_many (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < N_RUNS; i++) {
    float output[4];

    run_size (shared->network, shared->input, i % 3, output);
    ck_assert_bytes_eq (output, sizeof output, shared->expected[i % 3], sizeof output);
  }
  return NULL;
}

START_TEST (test_threads)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsNetwork) network = make_network (device);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (EnsTensor) input = random_tensor (rand, &ENS_SHAPE (10, 8, 3));
  Shared shared = {.network = network, .input = input->data};
  GThread *threads[N_THREADS];

  for (guint i = 0; i < 3; i++)
    run_size (network, input->data, i, shared.expected[i]);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("runner", run_many, &shared);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}
END_TEST

/* Batches run in stages and, with several threads, image by image: the same bits for any number of
 * threads, and the same numbers as one by one. */

#define MAX_BATCH 7

/* Small maps, then weights that are worth a stage of their own. */
static EnsNetwork *
make_deep_network (EnsDevice *device)
{
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  EnsNetwork *network;
  EnsValue *input, *x, *y;

  builder_init (&b, 3);
  input = build_input (&b, &ENS_SHAPE (1, 32, 32, 3));
  x = build (&b, "Relu", NULL, build_conv (&b, input, (ConvRow) {.filters = 16, .kernel = 3}),
             NULL);
  y = build_conv (&b, x, (ConvRow) {.filters = 16, .kernel = 3, .pad = 1});
  x = build (&b, "Add", NULL, x, y, NULL);
  ens_graph_add_output (b.graph, x);
  x = build_flatten (&b, build (&b, "GlobalAveragePool", NULL, x, NULL));
  x = build (&b, "Sigmoid", NULL, build_gemm (&b, build_gemm (&b, x, 600), 600), NULL);
  ens_graph_add_output (b.graph, x);
  set_open (input);
  network = ens_network_new (g_steal_pointer (&b.graph), device, &error);
  ck_assert_no_error (error);
  return network;
}

typedef struct {
  float map[MAX_BATCH * 30 * 30 * 16];
  float vector[MAX_BATCH * 600];
} DeepOutputs;

static void
run_deep (EnsNetwork *network, const float *images, guint batch, guint first, DeepOutputs *out)
{
  g_autoptr (EnsPlan) plan = make_plan (network, batch, 32, 32);

  ens_plan_run (plan, (const gconstpointer[]) {images + first * 32 * 32 * 3},
                (const gpointer[]) {out->map + first * 30 * 30 * 16, out->vector + first * 600},
                NULL);
}

START_TEST (test_batches)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  g_autoptr (EnsTensor) images = random_tensor (rand, &ENS_SHAPE (MAX_BATCH, 32, 32, 3));
  g_autofree DeepOutputs *single = g_new0 (DeepOutputs, 1);

  for (guint batch = 1; batch <= MAX_BATCH; batch++) {
    g_autofree DeepOutputs *first = g_new0 (DeepOutputs, 1);

    for (guint n_threads = 1; n_threads <= 3; n_threads++) {
      g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, NULL);
      g_autoptr (EnsNetwork) network = make_deep_network (device);
      g_autofree DeepOutputs *found = g_new0 (DeepOutputs, 1);

      run_deep (network, images->data, batch, 0, found);
      if (n_threads == 1)
        memcpy (first, found, sizeof *first);
      ck_assert_bytes_eq (found, sizeof *found, first, sizeof *first);
      for (guint i = 0; i < batch; i++)
        run_deep (network, images->data, 1, i, single);
      ck_assert_double_lt (relative_error (found->map, single->map, batch * 30 * 30 * 16), 1e-5);
      ck_assert_double_lt (relative_error (found->vector, single->vector, batch * 600), 1e-5);
    }
  }
}
END_TEST

/* Taps: results of layers, with their distance from the output. */
START_TEST (test_taps)
{
  static const struct {
    const char *op;
    guint rank, channels, distance;
  } expected[] = {
      {"Relu", 4, 6, 4}, {"MaxPool", 4, 6, 3}, {"GlobalAveragePool", 4, 6, 2},
      {"Gemm", 2, 4, 1}, {"Softmax", 2, 4, 0},
  };
  EnsPoolParams pool = {.sliding = ENS_SLIDING_DEFAULT};
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) taps = NULL;
  EnsValue *input, *x;

  builder_init (&b, 2);
  input = build_input (&b, &ENS_SHAPE (1, 8, 8, 3));
  x = build_batch_norm (&b, build_conv (&b, input, (ConvRow) {.filters = 6, .kernel = 3}));
  x = build (&b, "Relu", NULL, x, NULL);
  pool.sliding.rank = 2;
  pool.sliding.kernel[0] = pool.sliding.kernel[1] = 2;
  x = build (&b, "Dropout", NULL, build (&b, "MaxPool", &pool, x, NULL), NULL);
  x = build_flatten (&b, build (&b, "GlobalAveragePool", NULL, x, NULL));
  x = build (&b, "Softmax", &(EnsSoftmaxParams) {.axis = 1}, build_gemm (&b, x, 4), NULL);
  ens_graph_add_output (b.graph, x);
  set_open (input);

  taps = ens_graph_list_feature_layers (b.graph, &ENS_SHAPE (2, 10, 10, 3), &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (taps->len, G_N_ELEMENTS (expected));
  for (guint i = 0; i < taps->len; i++) {
    const EnsFeatureLayer *tap = &g_array_index (taps, EnsFeatureLayer, i);

    ck_assert_pstr_eq (tap->value->producer->op->name, expected[i].op);
    ck_assert_uint_eq (tap->shape.rank, expected[i].rank);
    ck_assert_int_eq (tap->shape.dims[0], 2);
    ck_assert_uint_eq (tap->channels, expected[i].channels);
    ck_assert_uint_eq (tap->distance, expected[i].distance);
  }
}
END_TEST

/* Residual blocks with normalisation before convolution, and a gate: the sums and what is gated are
 * results of their own, and all of the network passes through them; not through what lies within. A
 * sigmoid at the end is a label function, no part of the layer before it. */
START_TEST (test_passages)
{
  static const struct {
    const char *op;
    gboolean is_bypassed;
  } expected[] = {
      {"Conv", FALSE}, {"Relu", TRUE},    {"Conv", TRUE}, {"Add", FALSE},
      {"Conv", FALSE}, {"Sigmoid", TRUE}, {"Mul", FALSE}, {"Sigmoid", FALSE},
  };
  g_auto (Builder) b;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) layers = NULL;
  EnsValue *x, *branch, *gate;
  const ConvRow conv = {.filters = 6, .kernel = 1};

  builder_init (&b, 2);
  x = build_conv (&b, build_input (&b, &ENS_SHAPE (1, 8, 8, 3)), conv);
  branch = build (&b, "Relu", NULL, build_batch_norm (&b, x), NULL);
  x = build (&b, "Add", NULL, build_conv (&b, branch, conv), x, NULL);
  x = build_conv (&b, x, conv);
  gate = build (&b, "Sigmoid", NULL, build (&b, "GlobalAveragePool", NULL, x, NULL), NULL);
  x = build (&b, "Mul", NULL, x, gate, NULL);
  x = build (&b, "Sigmoid", NULL, x, NULL);
  ens_graph_add_output (b.graph, x);

  layers = ens_graph_list_feature_layers (b.graph, &ENS_SHAPE (1, 8, 8, 3), &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (layers->len, G_N_ELEMENTS (expected));
  for (guint i = 0; i < layers->len; i++) {
    const EnsFeatureLayer *layer = &g_array_index (layers, EnsFeatureLayer, i);

    ck_assert_pstr_eq (layer->value->producer->op->name, expected[i].op);
    ck_assert_int_eq (layer->is_bypassed, expected[i].is_bypassed);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine");
  TEST_ADD_ROWS ("device", test_device, device_rows);
  test_add ("network", test_network);
  test_add ("plans-are-kept", test_plans_are_kept);
  test_add ("drop-plan", test_drop_plan);
  test_add ("plan-size", test_plan_size);
  test_add ("plans-in-turn", test_plans_in_turn);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  test_add ("missing-file", test_missing_file);
  test_add ("no-input", test_no_input);
  test_add ("threads", test_threads);
  test_add ("batches", test_batches);
  test_add ("taps", test_taps);
  test_add ("passages", test_passages);
  return test_run ();
}
