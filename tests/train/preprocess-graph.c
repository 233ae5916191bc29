/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found out from a network's own nodes and statistics about the images that it takes. */
#include "preprocess-fixture.h"

static const float bgr[] = {103.939f, 116.779f, 123.68f}, halves[] = {0.5f, 0.5f, 0.5f};
static const float mean[] = {0.485f, 0.456f, 0.406f}, inverse[] = {4.367f, 4.464f, 4.444f};
static const float small[] = {0.0078431f, 0.0078431f, 0.0078431f};
static const struct {
  const char *name;
  Design design;
  EnsOrder order;
  const char *how;
  double scale;
} graph_rows[] = {
    {"minus Caffe's mean", {.subtract = bgr}, ENS_ORDER_BGR, "found in the graph", 1},
    {"minus a half",
     {.subtract = halves},
     ENS_ORDER_RGB,
     "prepares values 0 … 1 itself",
     1 / 255.0},
    {"torchvision's",
     {.subtract = mean, .multiply = inverse},
     ENS_ORDER_RGB,
     "prepares values 0 … 1 itself",
     1 / 255.0},
    {"a factor", {.multiply = small}, ENS_ORDER_RGB, "prepares values 0 … 255 itself", 1},
    {"seen 0 … 255", {.mean = 115, .deviation = 60}, ENS_ORDER_RGB, "guess: statistics", 1},
    {"seen 0 … 1",
     {.mean = 0.45, .deviation = 0.24},
     ENS_ORDER_RGB,
     "guess: statistics",
     1 / 255.0},
};

START_TEST (test_graph)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;
  Design design = graph_rows[_i].design;

  design.size = 64;
  design.channels = 3;
  place_init (&place);
  put_network (&place, &design, NULL, NULL, NULL);
  preprocess = find (&place);
  ck_assert_int_eq (preprocess->normalise.order, graph_rows[_i].order);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, graph_rows[_i].how);
  assert_range (
      preprocess, (const double[]) {0, 0, 0},
      (const double[]) {graph_rows[_i].scale, graph_rows[_i].scale, graph_rows[_i].scale});
  ck_assert_uint_eq (preprocess->size, 64);
  assert_explained (preprocess, ENS_PREPROCESS_SIZE, "stated in the file, as the input's shape");
}
END_TEST

static const struct {
  const char *producer;
  Design design;
  EnsOrder order;
  double mean, scale; /* of the first channel */
} guesses_rows[] = {
    {"pytorch", {.channels = 3}, ENS_ORDER_RGB, 123.675, 1 / 58.395},
    {"tf2onnx", {.channels = 3}, ENS_ORDER_RGB, 127.5, 1 / 127.5},
    {"caffe2onnx", {.channels = 3}, ENS_ORDER_BGR, 103.53, 1},
    {"pytorch", {.channels = 1}, ENS_ORDER_GRAY, 123.675, 1 / 58.395},
    {"pytorch", {.channels = 3, .deviation = 1.1}, ENS_ORDER_RGB, 123.675, 1 / 58.395},
    {"tf2onnx", {.channels = 3, .mean = 4, .deviation = 57}, ENS_ORDER_RGB, 123.675, 1},
};

START_TEST (test_guesses)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;
  Design design = guesses_rows[_i].design;

  design.size = -1;
  place_init (&place);
  put_network (&place, &design, NULL, NULL, guesses_rows[_i].producer);
  preprocess = find (&place);
  ck_assert_int_eq (preprocess->normalise.order, guesses_rows[_i].order);
  ck_assert_double_eq_tol (preprocess->normalise.mean[0], guesses_rows[_i].mean, 1e-3);
  ck_assert_double_eq_tol (preprocess->normalise.scale[0], guesses_rows[_i].scale, 1e-5);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, "guess: ");
}
END_TEST

/* Networks that take integers, whatever a file beside them or their own arithmetic says. */
static const struct {
  EnsType type;
  const float *multiply;
  const char *config;
  double mean;
  const char *how;
} integers_rows[] = {
    {ENS_TYPE_UINT8, NULL, NULL, 0, "the input takes bytes, 0 … 255"},
    {ENS_TYPE_UINT8, small, "{\"image_mean\": 0.5, \"image_std\": 0.5}", 0,
     "the input takes bytes, 0 … 255"},
    {ENS_TYPE_INT8, NULL, NULL, 128, "the input takes bytes, −128 … 127"},
    {ENS_TYPE_INT8, small, NULL, 128, "the input takes bytes, −128 … 127"},
    {ENS_TYPE_INT32, NULL, NULL, 0, "the input takes integers"},
    {ENS_TYPE_INT64, small, NULL, 0, "the input takes integers"},
};

START_TEST (test_integers)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;
  const double mean = integers_rows[_i].mean;

  place_init (&place);
  put_network (&place,
               &(Design) {.size = 64,
                          .channels = 3,
                          .multiply = integers_rows[_i].multiply,
                          .type = integers_rows[_i].type},
               NULL, NULL, NULL);
  if (integers_rows[_i].config != NULL)
    put_file (&place, "preprocessor_config.json", integers_rows[_i].config);
  preprocess = find (&place);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, integers_rows[_i].how);
  assert_range (preprocess, (const double[]) {mean, mean, mean}, (const double[]) {1, 1, 1});
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/preprocess-graph");
  TEST_ADD_ROWS ("graph", test_graph, graph_rows);
  TEST_ADD_LOOP ("guesses", test_guesses, guesses_rows);
  TEST_ADD_LOOP ("integers", test_integers, integers_rows);
  return test_run ();
}
