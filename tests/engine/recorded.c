/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real networks on real photographs, against outputs that ONNX Runtime gave. Needs
 * ENSEMBLE_TEST_DATA. */
#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check-main.h"
#include "engine/network-private.h"
#include "onnx/onnx.h"

/* As networks.json says; `feature` is what was recorded as the pooled feature tensor. */
typedef struct {
  const char *name, *feature;
  gint64 size;
  gboolean bgr;
  double mean[3], scale[3]; /* of values from 0 to 255, in channel order */
} Row;

#define HALF 0.00784313725490196

static const Row rows[] = {
    {"squeezenet1.1", "pool10", 227, TRUE, {104, 117, 123}, {1, 1, 1}},
    {"mobilenet_v1_0.5_160", "avgpool", 160, FALSE, {127.5, 127.5, 127.5}, {HALF, HALF, HALF}},
    {"resnet20-cifar10",
     "gap",
     32,
     FALSE,
     {123.675, 116.28, 103.53},
     {0.017124753831663668, 0.01750700280112045, 0.017429193899782137}},
};

/* How close to what was recorded a device has to come. */
typedef struct {
  const char *name;
  double tolerance;
  guint n_ranked; /* of the best five classes, how many have to be in their order */
} Device;

static const Device devices[] = {
    {"cpu", 1e-4, 5},
    {"vulkan", 1e-4, 5},
    {"vulkan+float16", 2e-2, 1},
};

typedef struct {
  const Row *row;
  const Device *device;
} Case;

static const char *const photos[] = {"bird", "cat_720p", "hot_dog", "parrot", "sunflower"};

static char *
find_data (const char *folder, const char *name)
{
  return g_build_filename (g_getenv ("ENSEMBLE_TEST_DATA"), folder, name, NULL);
}

/* The photograph as the network wants it, NHWC. (transfer full) */
static float *
read_photo (const Row *row, const char *photo)
{
  g_autofree char *name = g_strdup_printf ("%s_%" G_GINT64_FORMAT ".png", photo, row->size);
  g_autofree char *path = find_data ("reference/inputs", name);
  cairo_surface_t *surface = cairo_image_surface_create_from_png (path);
  const guchar *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  float *image = g_new (float, row->size * row->size * 3), *to = image;

  ck_assert_int_eq (cairo_surface_status (surface), CAIRO_STATUS_SUCCESS);
  ck_assert_int_eq (cairo_image_surface_get_width (surface), row->size);
  for (gint64 y = 0; y < row->size; y++)
    for (gint64 x = 0; x < row->size; x++) {
      guint32 pixel;

      memcpy (&pixel, data + y * stride + x * 4, sizeof pixel);
      for (guint c = 0; c < 3; c++) {
        guint value = pixel >> (row->bgr ? 8 * c : 16 - 8 * c) & 255;

        *to++ = (float)((value - row->mean[c]) * row->scale[c]);
      }
    }
  cairo_surface_destroy (surface);
  return image;
}

static float *
read_expected (const char *network, const char *photo, const char *suffix, gsize n)
{
  g_autofree char *name = g_strdup_printf ("%s__%s%s.f32", network, photo, suffix);
  g_autofree char *path = find_data ("reference/outputs", name);
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (size, n * sizeof (float));
  return (float *)data;
}

static void
assert_near (const char *what, const float *found, const float *expected, gsize n, double tolerance)
{
  double largest = 0, difference = 0;

  for (gsize i = 0; i < n; i++) {
    largest = MAX (largest, fabs (expected[i]));
    difference = MAX (difference, fabs ((double)found[i] - expected[i]));
  }
  test_message ("%s: relative error %.2g", what, difference / largest);
  ck_assert_double_lt (difference / largest, tolerance);
}

static gsize
count_larger (const float *scores, gsize n, gsize i)
{
  gsize count = 0;

  for (gsize j = 0; j < n; j++)
    count += scores[j] > scores[i];
  return count;
}

/* top5.csv: network, input, then five times class index, name and value. */
static void
assert_top5 (const Case *test_case, const char *photo, const float *scores, gsize n)
{
  const Row *row = test_case->row;
  g_autofree char *path = find_data ("reference", "top5.csv"), *text = NULL;
  g_autofree char *start =
      g_strdup_printf ("%s,%s_%" G_GINT64_FORMAT ".png,", row->name, photo, row->size);
  g_auto (GStrv) lines = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], ",", -1);

    if (!g_str_has_prefix (lines[i], start))
      continue;
    ck_assert_uint_eq (g_strv_length (fields), 17);
    for (guint rank = 0; rank < test_case->device->n_ranked; rank++)
      ck_assert_uint_eq (count_larger (scores, n, (gsize)atoi (fields[2 + 3 * rank])), rank);
    return;
  }
  ck_abort_msg ("%s has no line “%s”", path, start);
}

/* The means over a map's positions. (transfer full) */
static float *
average (const float *map, const EnsShape *shape)
{
  gint64 channels = shape->dims[shape->rank - 1];
  gint64 positions = ens_shape_elements (shape) / channels;
  float *means = g_new0 (float, (gsize)MAX (channels, 1));

  for (gint64 c = 0; c < channels; c++) {
    double sum = 0;

    for (gint64 i = 0; i < positions; i++)
      sum += map[i * channels + c];
    means[c] = (float)(sum / (double)positions);
  }
  return means;
}

/* The network with its feature tensor as a second output. */
static EnsNetwork *
load (const Row *row, EnsDevice *device)
{
  g_autofree char *name = g_strdup_printf ("%s.onnx", row->name);
  g_autofree char *path = find_data ("networks", name);
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_onnx_import (path, NULL, &error);
  EnsNetwork *network;

  ck_assert_no_error (error);
  ck_assert_ptr_nonnull (ens_graph_find (graph, row->feature));
  ens_graph_add_output (graph, ens_graph_find (graph, row->feature));
  network = ens_network_new (graph, device, &error);
  ck_assert_no_error (error);
  return network;
}

static void
check_photo (const Case *test_case, EnsPlan *plan, const char *photo)
{
  const Row *row = test_case->row;
  double tolerance = test_case->device->tolerance;
  const EnsShape *shape = ens_plan_get_output_shape (plan, 0);
  const EnsShape *feature_shape = ens_plan_get_output_shape (plan, 1);
  gsize n = (gsize)ens_shape_elements (shape);
  gsize channels = (gsize)feature_shape->dims[feature_shape->rank - 1];
  g_autofree float *image = read_photo (row, photo);
  g_autoptr (EnsTensor) scores = ens_tensor_new (ENS_TYPE_FLOAT32, shape);
  g_autoptr (EnsTensor) features = ens_tensor_new (ENS_TYPE_FLOAT32, feature_shape);
  g_autofree float *expected = read_expected (row->name, photo, "", n);
  g_autofree float *expected_means = read_expected (row->name, photo, ".gap", channels);
  g_autofree float *means = NULL;

  ens_plan_run (plan, (const gconstpointer[]) {image},
                (const gpointer[]) {scores->data, features->data}, NULL);
  means = average (features->data, feature_shape);
  assert_near (photo, scores->data, expected, n, tolerance);
  assert_near (row->feature, means, expected_means, channels, tolerance);
  assert_top5 (test_case, photo, scores->data, n);
}

/* Row by row for each device. */
START_TEST (test_recorded)
{
  const Row *row = &rows[(guint)_i % G_N_ELEMENTS (rows)];
  const Device *with = &devices[(guint)_i / G_N_ELEMENTS (rows)];
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (with->name, 2, &error);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;

  if (g_getenv ("ENSEMBLE_TEST_DATA") == NULL || device == NULL) {
    test_skip (device == NULL ? error->message : "ENSEMBLE_TEST_DATA is not set");
    return;
  }
  network = load (row, device);
  plan = ens_network_plan (network, &ENS_SHAPE (1, row->size, row->size, 3), &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (photos); i++)
    check_photo (&(Case) {row, with}, plan, photos[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/recorded");
  for (guint i = 0; i < G_N_ELEMENTS (devices); i++)
    for (guint j = 0; j < G_N_ELEMENTS (rows); j++)
      test_add_row (devices[i].name, rows[j].name, test_recorded, i * G_N_ELEMENTS (rows) + j);
  return test_run ();
}
