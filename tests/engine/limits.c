/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans of more memory or arithmetic than there may be, and networks of one batch alone. */
#include <string.h>
#include <sys/resource.h>

#include "build.h"
#include "check-main.h"
#include "engine/limits.h"
#include "engine/network-private.h"
#include "graph/infer.h"

#define CHANNELS 3

#ifdef __SANITIZE_ADDRESS__
#define SURVIVES FALSE
#else
#define SURVIVES TRUE
#endif

/* Takes the output's place. */
static EnsNetwork *
finish (Builder *b, EnsValue *output, EnsDevice *device)
{
  g_autoptr (GError) error = NULL;
  EnsNetwork *network;

  ens_graph_add_output (b->graph, output);
  network = ens_network_new (g_steal_pointer (&b->graph), device, &error);
  ck_assert_no_error (error);
  return network;
}

/* Enlarges an image `factor` times, and averages it. */
static EnsNetwork *
make_large (EnsDevice *device, gint64 factor)
{
  g_auto (Builder) b;
  const EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  EnsConvParams padded = params;
  EnsValue *input, *x;

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, 8, 8, CHANNELS));
  padded.sliding.rank = 2;
  for (guint i = 0; i < 2; i++)
    padded.sliding.pads_begin[i] = padded.sliding.pads_end[i] = 4 * (factor - 1);
  x = build (&b, "Conv", &padded, input, build_constant (&b, &ENS_SHAPE (CHANNELS, 1, 1, CHANNELS)),
             NULL);
  ens_graph_rename_node (b.graph, x->producer, "large");
  x = build (&b, "GlobalAveragePool", NULL, build (&b, "Relu", NULL, x, NULL), NULL);
  return finish (&b, x, device);
}

static const struct {
  gint64 factor;
  EnsLimits limits;
  const char *message; /* NULL: it fits */
} limit_rows[] = {
    {4, {0}, NULL},
    {4, {.memory = 100000, .operations = 100000}, NULL},
    {4, {.memory = 10000}, ": node “large” (Conv) gives 1x32x32x3, 12.3"},
    {4, {.memory = 13000}, ", and max-memory has 13.0"},
    {4,
     {.operations = 20000},
     "would take 24.6 k operations for each image, most of them node “large” (Conv), and "
     "max-operations allows 20 k; "},
    {1 << 15, {0}, "of memory, and this machine has "},
    {1 << 15, {0}, ": node “large” (Conv) gives 1x262144x262144x3, 824.6"},
};

START_TEST (test_limits)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_large (device, limit_rows[_i].factor);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsPlan) plan = NULL;

  ens_device_set_limits (device, &limit_rows[_i].limits);
  plan = ens_network_plan (network, &ENS_SHAPE (1, 8, 8, CHANNELS), &error);
  if (limit_rows[_i].message == NULL) {
    ck_assert_no_error (error);
    return;
  }
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_RESOURCE);
  ck_assert_msg (strstr (error->message, limit_rows[_i].message) != NULL, "%s", error->message);
}
END_TEST

/* What the process may use is less than the machine has: an error, no abort. */
START_TEST (test_no_memory)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsNetwork) network = make_large (device, 300);
  g_autoptr (EnsPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  struct rlimit limit;

  if (!SURVIVES) {
    test_skip ("the address sanitizer ends programs without memory");
    return;
  }
  ens_device_set_limits (device, &(EnsLimits) {.memory = G_MAXUINT64});
  getrlimit (RLIMIT_AS, &limit);
  limit.rlim_cur = 40 << 20;
  ck_assert_int_eq (setrlimit (RLIMIT_AS, &limit), 0);
  plan = ens_network_plan (network, &ENS_SHAPE (1, 8, 8, CHANNELS), &error);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_AS, &limit);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_RESOURCE);
  ck_assert (g_str_has_prefix (error->message, "there is no memory left for "));
}
END_TEST

/* ---- Operations ---- */

#define WINDOW(side, pad)       \
  {                             \
    .sliding = {                \
      .rank = 2,                \
      .kernel = {side, side},   \
      .strides = {1, 1, 1},     \
      .dilations = {1, 1, 1},   \
      .pads_begin = {pad, pad}, \
      .pads_end = {pad, pad}    \
    }                           \
  }

/* The operations of a node with an input of 1x8x8x3. */
static const struct {
  const char *op;
  gconstpointer params;
  double expected;
} count_rows[] = {
    {"Relu", NULL, 8 * 8 * 3},
    {"MaxPool", &(const EnsPoolParams)WINDOW (3, 1), 9. * 8 * 8 * 3},
    {"AveragePool", &(const EnsPoolParams)WINDOW (5, 0), 25. * 4 * 4 * 3},
    {"MaxPool", &(const EnsPoolParams)WINDOW (20001, 10000), 20001. * 20001 * 8 * 8 * 3},
    {"GlobalAveragePool", NULL, 8 * 8 * 3},
    {"GlobalMaxPool", NULL, 8 * 8 * 3},
    {"ReduceSum", &(const EnsReduceParams) {.keepdims = TRUE}, 8 * 8 * 3},
    {"ArgMax", &(const EnsArgParams) {.axis = 1}, 8 * 8 * 3},
    {"LRN", &(const EnsLrnParams) {.size = 2, .bias = 1}, 2. * 8 * 8 * 3},
    {"LRN", &(const EnsLrnParams) {.size = G_MAXINT64, .bias = 1}, 3. * 8 * 8 * 3},
};

START_TEST (test_count)
{
  g_auto (Builder) b;
  EnsValue *input;

  builder_init (&b, 1);
  input = build_input (&b, &ENS_SHAPE (1, 8, 8, CHANNELS));
  build (&b, count_rows[_i].op, count_rows[_i].params, input, NULL);
  ck_assert_double_eq (ens_graph_count_operations (b.graph), count_rows[_i].expected);
}
END_TEST

/* Windows of more elements than an integer holds. */
START_TEST (test_count_saturates)
{
  const gint64 side = (1 << 20) - 1, pad = (1 << 19) - 1;
  const EnsPoolParams params = {.sliding = {.rank = 3,
                                            .kernel = {side, side, side},
                                            .strides = {1, 1, 1},
                                            .dilations = {1, 1, 1},
                                            .pads_begin = {pad, pad, pad},
                                            .pads_end = {pad, pad, pad}}};
  g_auto (Builder) b;

  builder_init (&b, 1);
  build (&b, "MaxPool", &params, build_input (&b, &ENS_SHAPE (1, 8, 8, 8, CHANNELS)), NULL);
  ck_assert_double_eq_tol (ens_graph_count_operations (b.graph) / (0x1p60 * 8 * 8 * 8 * CHANNELS),
                           1, 1e-5);
}
END_TEST

/* A window that nobody waits for is an error while planning. */
START_TEST (test_window)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  const EnsPoolParams params = WINDOW (200001, 100000);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Builder) b;
  EnsValue *x;

  builder_init (&b, 1);
  x = build (&b, "MaxPool", &params, build_input (&b, &ENS_SHAPE (1, 8, 8, CHANNELS)), NULL);
  network = finish (&b, build (&b, "Relu", NULL, x, NULL), device);
  plan = ens_network_plan (network, &ENS_SHAPE (1, 8, 8, CHANNELS), &error);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_RESOURCE);
  ck_assert_msg (strstr (error->message, "would take 7.68 T operations") != NULL, "%s",
                 error->message);
}
END_TEST

static const struct {
  double operations;
  const char *text;
} format_rows[] = {{0, "0"},          {999, "999"},       {1000, "1 k"},
                   {999499, "999 k"}, {3.61e9, "3.61 G"}, {4e12, "4 T"}};

START_TEST (test_format)
{
  g_autofree char *text = ens_format_operations (format_rows[_i].operations);

  ck_assert_str_eq (text, format_rows[_i].text);
}
END_TEST

/* ---- Groups ---- */

#define SIDE 4

/* A token for each of `group` images beside what an image gives: of one batch alone. */
static EnsGraph *
make_token_graph (gint64 group)
{
  g_auto (Builder) b;
  EnsValue *input, *x, *token;

  builder_init (&b, 3);
  input = build_input (&b, &ENS_SHAPE (group, SIDE, SIDE, CHANNELS));
  x = build_gemm (&b, build_flatten (&b, input), 5);
  token = build_constant (&b, &ENS_SHAPE (1, 2));
  if (group > 1)
    token = build_concat (
        &b, 0, (EnsValue *[]) {token, build_constant (&b, &ENS_SHAPE (group - 1, 2))}, 2);
  x = build_concat (&b, 1, (EnsValue *[]) {token, x}, 2);
  ens_graph_add_output (b.graph, x);
  return g_steal_pointer (&b.graph);
}

static const struct {
  gint64 group;
  guint batch;
} group_rows[] = {{1, 1}, {1, 5}, {3, 3}, {3, 7}, {3, 2}, {4, 8}};

/* Each image gives what it gives in the place of its group that it has. */
START_TEST (test_groups)
{
  const gint64 group = group_rows[_i].group;
  const guint batch = group_rows[_i].batch, n = SIDE * SIDE * CHANNELS;
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsGraph) graph = make_token_graph (group);
  g_autoptr (EnsNetwork) network = ens_network_new (ens_graph_copy (graph), device, NULL);
  g_autoptr (EnsPlan) plan =
      ens_network_plan (network, &ENS_SHAPE (batch, SIDE, SIDE, CHANNELS), NULL);
  g_autoptr (EnsTensor) images = NULL;
  g_autofree float *found = g_new (float, batch * 7);
  GRand *rand = g_rand_new_with_seed (5);

  ck_assert_ptr_nonnull (plan);
  ck_assert (ens_network_check (network, &ENS_SHAPE (batch, SIDE, SIDE, CHANNELS), NULL));
  ck_assert (ens_shape_equal (ens_plan_get_output_shape (plan, 0), &ENS_SHAPE (batch, 7)));
  images = random_tensor (rand, &ENS_SHAPE (batch + group, SIDE, SIDE, CHANNELS));
  ck_assert (ens_plan_run (plan, &(gconstpointer) {images->data}, &(gpointer) {found}, NULL));
  for (guint i = 0; i < batch; i += (guint)group) {
    g_autoptr (EnsTensor) part =
        ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (group, SIDE, SIDE, CHANNELS),
                             (const float *)images->data + i * n);
    g_autoptr (EnsTensor) expected = run_graph (graph, part);
    guint rows = MIN ((guint)group, batch - i);

    ck_assert_double_lt (relative_error (found + i * 7, expected->data, rows * 7), 1e-5);
  }
  g_rand_free (rand);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("limits");
  TEST_ADD_LOOP ("plans", test_limits, limit_rows);
  test_add ("no-memory", test_no_memory);
  TEST_ADD_LOOP ("count", test_count, count_rows);
  test_add ("count-saturates", test_count_saturates);
  test_add ("window", test_window);
  TEST_ADD_LOOP ("format", test_format, format_rows);
  TEST_ADD_LOOP ("groups", test_groups, group_rows);
  return test_run ();
}
