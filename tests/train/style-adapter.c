/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a style is measured against: colours and low frequencies taken over, batch normalisation
 * with other statistics. */
#include "train/style-adapter.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "ensemble/bundle-private.h"
#include "gst/colour-bundle.h"
#include "networks/layers.h"
#include "onnx/onnx.h"
#include "support/folder.h"
#include "train/style-batch-norm.h"

enum { WIDTH = 230, HEIGHT = 210 };

/* A colour, a slow wave across and noise. */
static EnsSmallPicture *
draw (guint seed, float red, float wave)
{
  EnsSmallPicture *picture = g_new0 (EnsSmallPicture, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  *picture = (EnsSmallPicture) {WIDTH, HEIGHT, g_new (float, WIDTH *HEIGHT * 3)};
  for (guint i = 0; i < WIDTH * HEIGHT * 3; i++) {
    float x = (float)(i / 3 % WIDTH) / WIDTH;

    picture->values[i] = (i % 3 == 0 ? red : 100) + wave * cosf (2 * (float)G_PI * x)
                         + (float)g_rand_double_range (rand, -20, 20);
  }
  return picture;
}

static GPtrArray *
make_list (EnsSmallPicture *first, EnsSmallPicture *second)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_small_picture_free);

  g_ptr_array_add (list, first);
  g_ptr_array_add (list, second);
  return list;
}

/* Mean of red, and the amplitude of the wave in green. */
static void
measure (const EnsSmallPicture *picture, double *red, double *wave)
{
  *red = *wave = 0;
  for (guint i = 0; i < WIDTH * HEIGHT; i++) {
    double x = (double)(i % WIDTH) / WIDTH;

    *red += (double)picture->values[3 * i] / (WIDTH * HEIGHT);
    *wave += (double)picture->values[3 * i + 1] * cos (2 * G_PI * x) * 2 / (WIDTH * HEIGHT);
  }
}

typedef struct {
  const char *name;
  EnsStyleMethod method;
  double red, wave;
} Row;

static const Row rows[] = {
    {"nothing", ENS_STYLE_NOTHING, 80, 10},
    {"means", ENS_STYLE_MEANS, 140, 22.6}, /* noise and wave grow alike */
    {"frequencies", ENS_STYLE_FREQUENCIES, 140, 40},
    {"style", ENS_STYLE_LEARNT, 100, 10}, /* which exchanges red and green */
};

START_TEST (test_methods)
{
  const Row *row = &rows[_i];
  static const float exchange[9] = {0, 1, 0, 1, 0, 0, 0, 0, 1};
  g_autofree char *style = colour_bundle_add_style (test_folder, "s", exchange, NULL);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GPtrArray) from = make_list (draw (1, 80, 10), draw (2, 80, 10));
  g_autoptr (GPtrArray) to = make_list (draw (3, 140, 40), draw (4, 140, 40));
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsStyleAdapter) adapter = ens_style_adapter_new (from, to, style, device, &error);
  g_autoptr (EnsSmallPicture) adapted = NULL;
  double red, wave;

  ck_assert_no_error (error);
  adapted = ens_style_adapter_run (adapter, row->method, 5, from->pdata[0], &error);
  ck_assert_no_error (error);
  measure (adapted, &red, &wave);
  ck_assert_double_eq_tol (red, row->red, 1);
  ck_assert_double_eq_tol (wave, row->wave, 1);
}
END_TEST

/* A picture's own frequencies leave it as it is; others leave what is fine alone. */
START_TEST (test_frequencies)
{
  g_autofree char *style = colour_bundle_add_style (test_folder, "s", colour_bundle_shift, NULL);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GPtrArray) from = make_list (draw (1, 80, 10), draw (2, 80, 10));
  g_autoptr (GPtrArray) to = make_list (draw (1, 80, 10), draw (2, 80, 10));
  g_autoptr (EnsStyleAdapter) adapter = ens_style_adapter_new (from, to, style, device, NULL);
  const EnsSmallPicture *picture = from->pdata[0];
  g_autoptr (EnsSmallPicture) adapted =
      ens_style_adapter_run (adapter, ENS_STYLE_FREQUENCIES, 0, picture, NULL);
  g_autoptr (EnsSmallPicture) other = draw (3, 140, 40);
  g_autoptr (EnsSmallPicture) unlike = NULL;
  float largest = 0;

  for (guint i = 0; i < WIDTH * HEIGHT * 3; i++)
    ck_assert_double_eq_tol (adapted->values[i], picture->values[i], 1e-3);
  g_ptr_array_set_size (to, 0);
  g_ptr_array_add (to, g_steal_pointer (&other));
  unlike = ens_style_adapter_run (adapter, ENS_STYLE_FREQUENCIES, 0, picture, NULL);
  for (guint i = 3; i < WIDTH * HEIGHT * 3; i++) {
    float added = unlike->values[i] - picture->values[i];
    float before = unlike->values[i - 3] - picture->values[i - 3];

    largest = MAX (largest, ABS (added));
    if (i / 3 % WIDTH > 0)
      ck_assert_double_eq_tol (added, before, 3);
  }
  ck_assert_double_gt (largest, 50);
}
END_TEST

/* One layer of batch normalisation in place of the bundle's network. */
static void
save_network (const char *bundle, gboolean normalised)
{
  g_autofree char *path = g_build_filename (bundle, "average.onnx", NULL);
  g_autoptr (EnsGraph) graph = ens_graph_new ("network");
  EnsLayers layers = {graph, 1};
  EnsMap x = {ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, -1, -1, 3)),
              3};

  x = normalised ? ens_layers_batch_norm (&layers, "norm", x)
                 : ens_layers_conv (&layers, "conv", x, &(EnsConvLayer) {3, .kernel = 1});
  ens_graph_add_output (graph, x.value);
  ck_assert (ens_onnx_export (graph, path, NULL));
}

START_TEST (test_batch_norm)
{
  g_autofree char *bundle = colour_bundle_make (test_folder), *copy = NULL, *path = NULL;
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GPtrArray) pictures = make_list (draw (1, 80, 0), draw (2, 120, 0));
  g_autoptr (EnsGraph) network = NULL;
  g_autoptr (GError) error = NULL;
  const EnsNode *node;
  const float *means, *variances;

  save_network (bundle, _i);
  ens_style_adapt_batch_norm (bundle, pictures, device, &copy, &error);
  ck_assert_no_error (error);
  ck_assert_int_eq (copy != NULL, _i);
  if (!_i)
    return;
  path = g_build_filename (copy, "average.onnx", NULL);
  network = ens_onnx_import (path, NULL, &error);
  ck_assert_no_error (error);
  node = network->nodes->pdata[0];
  means = node->inputs[3]->constant->data;
  variances = node->inputs[4]->constant->data;
  /* The bundle takes 0 … 1, and scales pictures down, which averages noise. */
  ck_assert_double_eq_tol (means[0], 100.0 / 255, 0.01);
  ck_assert_double_eq_tol (variances[0], 400.0 / (255 * 255), 0.002);
  ck_assert_double_lt (variances[1], variances[0] / 4);
  ens_style_remove_bundle (copy);
  ck_assert (!g_file_test (copy, G_FILE_TEST_EXISTS));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/style-adapter");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("methods", test_methods, rows);
  test_add ("frequencies", test_frequencies);
  test_add_loop ("batch-norm", test_batch_norm, 2);
  return test_run ();
}
