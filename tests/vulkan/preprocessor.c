/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches sampled on the device against the same sampled on the CPU: formats, ranges, colours, odd
 * sizes, scales up and down, rectangles at and over borders; with memory shared, and copying as for
 * a graphics card. Software Vulkan will do; without any, tests skip. */
#include <math.h>

#include "check-main.h"
#include "cpu/weights.h"
#include "ops/params.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "support/picture.h"
#include "vision/batch-table.h"
#include "vulkan/executor.h"

typedef struct {
  const char *name;
  EnsVulkanOptions options;
} Mode;

static const Mode modes[] = {
    {"validated", {.validation = TRUE}},
    {"validated-copying", {.validation = TRUE, .staged = TRUE}},
};

/* What is sampled: the whole frame, parts with edges between pixels, at borders, over them, and
 * less than a pixel. */
static const EnsRect rects[] = {
    {0, 0, 1, 1},       {.25F, .1F, .6F, .85F}, {.9F, .9F, .1F, .1F},   {-.5F, .5F, 1, 2},
    {0, 0, .01F, .01F}, {.995F, 0, .005F, 1},   {.3F, .999F, .4F, .1F},
};
#define N_RECTS G_N_ELEMENTS (rects)

static const struct {
  guint width, height;       /* of the frame */
  guint to_width, to_height; /* of the pictures */
} sizes[] = {
    {16, 12, 16, 12},  /* as it is */
    {61, 47, 8, 9},    /* down */
    {7, 5, 19, 23},    /* up */
    {129, 33, 31, 40}, /* down and up */
    {1, 1, 3, 2},
};

static const EnsNormalise colours[] = {
    {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}},
    {ENS_ORDER_BGR, {104, 117, 123}, {0.017F, 0.018F, 0.019F}},
    {ENS_ORDER_GRAY, {127.5F}, {1 / 127.5F}},
};

static const EnsFraming framings[] = {ENS_FRAMING_STRETCH, ENS_FRAMING_CROP};

/* A network that gives its input back, of float32. */
typedef struct {
  EnsType type;
  EnsVulkanWeights *weights;
  EnsPackedWeights *cpu_weights;
  EnsVulkanExecutor *executor;
} Network;

static void
network_init (Network *network, EnsVulkanDevice *device, EnsThreadPool *pool, const EnsShape *shape,
              EnsType type)
{
  static const EnsCastParams to_float32 = {ENS_TYPE_FLOAT32};
  EnsGraph *graph = ens_graph_new ("sampled");
  EnsValue *input = ens_graph_add_input (graph, "x", type, shape);
  EnsValue *output = type == ENS_TYPE_FLOAT32
                         ? ens_graph_apply (graph, ens_op_find ("Neg"), NULL, input, NULL)
                         : ens_graph_apply (graph, ens_op_find ("Cast"), &to_float32, input, NULL);
  g_autoptr (GError) error = NULL;

  ens_graph_add_output (graph, output);
  ens_passes_plan (graph, shape, &error);
  ck_assert_no_error (error);
  network->type = type;
  network->weights = ens_vulkan_weights_new (device);
  network->cpu_weights = ens_packed_weights_new ();
  network->executor = ens_vulkan_executor_new (
      graph, &(EnsVulkanContext) {device, network->weights, pool, network->cpu_weights}, &error);
  ck_assert_no_error (error);
}

static void
network_clear (Network *network)
{
  ens_vulkan_executor_free (network->executor);
  ens_packed_weights_unref (network->cpu_weights);
  ens_vulkan_weights_unref (network->weights);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Network, network_clear)

typedef struct {
  const EnsFrame *frame;
  const EnsFramedResize *sampling;
  EnsVulkanPreprocessor *preprocessor;
  EnsThreadPool *pool;
} Case;

static void
check (const Case *test, const Network *network)
{
  const EnsFramedResize *sampling = test->sampling;
  gsize n = N_RECTS * sampling->width * sampling->height
            * ens_order_channels (sampling->normalise->order);
  g_autofree float *expected = g_new (float, n), *found = g_new (float, n);
  g_auto (EnsBatchTable) table = {0};
  EnsPackedFrame packed;
  float sign = network->type == ENS_TYPE_FLOAT32 ? -1 : 1;
  g_autoptr (GError) error = NULL;

  ens_frame_resize_framed (test->frame, rects, N_RECTS, sampling, test->pool, expected);
  ens_packed_frame_init (&packed, test->frame, 0);
  ck_assert (ens_batch_table_init (&table, &(EnsBatchSource) {test->frame, &packed, rects, N_RECTS},
                                   sampling));
  ens_vulkan_executors_run (&(EnsVulkanRun) {network->executor, NULL, (gpointer[]) {found},
                                             &(EnsPreprocessedImages) {test->preprocessor, &table},
                                             1},
                            1, NULL, &error);
  ck_assert_no_error (error);
  for (gsize i = 0; i < n; i++) {
    double tolerance = 2e-3 * sampling->normalise->scale[0];

    if (network->type == ENS_TYPE_FLOAT16)
      tolerance += fabs (expected[i]) / 1024;
    ck_assert_double_eq_tol (sign * found[i], expected[i], tolerance);
  }
}

/* A frame of one format in all colours and framings. */
static void
check_frame (const EnsFrame *frame, Case *test, const Network networks[2][2])
{
  EnsFramedResize sampling = *test->sampling;
  EnsPackedFrame packed;

  test->frame = frame;
  test->sampling = &sampling;
  ens_packed_frame_init (&packed, frame, 0);
  ens_vulkan_preprocessor_set_frame (test->preprocessor, &packed);
  for (guint c = 0; c < G_N_ELEMENTS (colours); c++)
    for (guint f = 0; f < G_N_ELEMENTS (framings); f++)
      for (guint t = 0; t < 2; t++) {
        sampling.normalise = &colours[c];
        sampling.framing = framings[f];
        check (test, &networks[colours[c].order == ENS_ORDER_GRAY][t]);
      }
}

/* All formats in both matrices and ranges. */
static void
check_size (guint s, EnsVulkanDevice *device, EnsVulkanPreprocessor *preprocessor,
            EnsThreadPool *pool)
{
  const EnsFramedResize sampling = {
      .crop = 0.875F, .width = sizes[s].to_width, .height = sizes[s].to_height};
  Network networks[2][2]; /* by gray, by float16 */

  for (guint g = 0; g < 2; g++)
    for (guint t = 0; t < 2; t++)
      network_init (&networks[g][t], device, pool,
                    &ENS_SHAPE (N_RECTS, sampling.height, sampling.width, g ? 1 : 3),
                    t ? ENS_TYPE_FLOAT16 : ENS_TYPE_FLOAT32);
  for (guint pixels = 0; pixels < ENS_N_PIXELS; pixels++) {
    g_autoptr (EnsPicture) picture =
        ens_picture_new ((EnsPixels)pixels, sizes[s].width, sizes[s].height);
    guint n_variants = pixels >= ENS_PIXELS_NV12 ? 4 : 1;

    test_picture_fill_random (picture, picture->frame.width);
    for (guint v = 0; v < n_variants; v++) {
      EnsFrame frame = picture->frame;

      frame.matrix = v % 2 ? ENS_COLOR_MATRIX_BT709 : ENS_COLOR_MATRIX_BT601;
      frame.range = v / 2 ? ENS_RANGE_LIMITED : ENS_RANGE_FULL;
      check_frame (&frame, &(Case) {NULL, &sampling, preprocessor, pool}, networks);
    }
  }
  for (guint i = 0; i < 4; i++)
    network_clear (&networks[i / 2][i % 2]);
}

START_TEST (test_formats)
{
  const Mode *mode = &modes[_i];
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanDevice) device = ens_vulkan_device_open ("", &mode->options, &error);
  g_autoptr (EnsVulkanPreprocessor) preprocessor = ens_vulkan_preprocessor_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  if (device == NULL || !ens_vulkan_device_get_info (device)->float16) {
    test_skip (error != NULL ? error->message : "it has no float16 storage");
    return;
  }
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    check_size (s, device, preprocessor, pool);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_messages, 0);
}
END_TEST

/* Pictures with bars are left to the CPU. */
START_TEST (test_letterbox)
{
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, 8, 4);
  const EnsFramedResize sampling = {
      .framing = ENS_FRAMING_LETTERBOX, .width = 4, .height = 4, .normalise = &colours[0]};
  EnsPackedFrame packed;
  EnsBatchTable table;

  ens_packed_frame_init (&packed, &picture->frame, 0);
  ck_assert (!ens_batch_table_init (&table, &(EnsBatchSource) {&picture->frame, &packed, rects, 1},
                                    &sampling));
}
END_TEST

/* Two networks on one frame, twice: it is written once, and again when another one is set. */
START_TEST (test_traffic)
{
  const Mode *mode = &modes[_i];
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanDevice) device = ens_vulkan_device_open ("", &mode->options, &error);
  g_autoptr (EnsVulkanPreprocessor) preprocessor = ens_vulkan_preprocessor_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_NV12, 641, 361);
  const EnsFramedResize sampling = {
      .framing = ENS_FRAMING_STRETCH, .width = 5, .height = 4, .normalise = &colours[0]};
  const gsize frame_size = 641 * 361 + 2 * 321 * 181, batch_size = N_RECTS * 5 * 4 * 3 * 4;
  g_auto (EnsBatchTable) table = {0};
  g_auto (Network) a, b;
  EnsPackedFrame packed;
  float found[2][N_RECTS * 5 * 4 * 3];
  gpointer outputs[] = {found[0], found[1]};
  const EnsPreprocessedImages images = {preprocessor, &table};
  EnsVulkanRun runs[2];

  if (device == NULL) {
    test_skip (error->message);
    a = b = (Network) {0};
    return;
  }
  network_init (&a, device, pool, &ENS_SHAPE (N_RECTS, 4, 5, 3), ENS_TYPE_FLOAT32);
  network_init (&b, device, pool, &ENS_SHAPE (N_RECTS, 4, 5, 3), ENS_TYPE_FLOAT32);
  ens_packed_frame_init (&packed, &picture->frame, 0);
  ens_batch_table_init (&table, &(EnsBatchSource) {&picture->frame, &packed, rects, N_RECTS},
                        &sampling);
  runs[0] = (EnsVulkanRun) {a.executor, NULL, &outputs[0], &images, 1};
  runs[1] = (EnsVulkanRun) {b.executor, NULL, &outputs[1], &images, 1};
  ck_assert_uint_eq (packed.size, frame_size);
  for (guint i = 0; i < 3; i++) {
    gsize up = ens_vulkan_device_get_counters (device).uploaded;
    gsize down = ens_vulkan_device_get_counters (device).read_back;
    guint submits = ens_vulkan_device_get_counters (device).n_submits;

    if (i != 1)
      ens_vulkan_preprocessor_set_frame (preprocessor, &packed);
    ck_assert (ens_vulkan_executors_run (runs, 2, NULL, &error));
    up = ens_vulkan_device_get_counters (device).uploaded - up;
    ck_assert_uint_gt (up, i != 1 ? frame_size : 0);
    /* Tables are rounded up. */
    ck_assert_uint_le (up, (i != 1 ? frame_size : 0) + 2 * (4 * table.n_words + 256));
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).read_back - down, 2 * batch_size);
    ck_assert_uint_eq (ens_vulkan_device_get_counters (device).n_submits - submits, 1);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/preprocessor");
  TEST_ADD_ROWS ("formats", test_formats, modes);
  TEST_ADD_ROWS ("traffic", test_traffic, modes);
  test_add ("letterbox", test_letterbox);
  return test_run ();
}
