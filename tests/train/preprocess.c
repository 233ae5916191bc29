/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is found out about the images that a network takes. */
#include "train/preprocess.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "check-main.h"
#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"

#define N_FILTERS 16
#define N_CLASSES 3

/* ---- A network in a folder ---- */

typedef struct {
  char *folder, *path;
} Place;

static void
place_init (Place *place)
{
  place->folder = g_dir_make_tmp ("ens-preprocess-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "net.onnx", NULL);
}

static void
place_clear (Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (place->folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (place->folder);
  g_free (place->folder);
  g_free (place->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static void
put_file (const Place *place, const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (place->folder, name, NULL);

  ck_assert (g_file_set_contents (path, contents, -1, NULL));
}

/* A convolution with what stands before and behind it. */
typedef struct {
  gint64 size, channels;  /* -1: open */
  const float *subtract;  /* 3, or NULL */
  const float *multiply;  /* 3, or NULL */
  double mean, deviation; /* of the pixels that batch normalisation has seen; deviation 0: none */
} Design;

static const Design plain = {.size = -1, .channels = 3};

static EnsValue *
add_constant (EnsGraph *graph, const char *name, const EnsShape *shape, const float *values)
{
  g_autoptr (EnsTensor) tensor = ens_tensor_new_copy (ENS_TYPE_FLOAT32, shape, values);

  return ens_graph_add_constant (graph, name, tensor);
}

static EnsValue *
append_arithmetic (EnsGraph *graph, EnsValue *value, const Design *design)
{
  static const EnsBinaryParams params = {0};
  const EnsShape shape = ENS_SHAPE (1, 1, 1, 3);

  if (design->subtract != NULL)
    value = ens_graph_apply (graph, ens_op_find ("Sub"), &params, value,
                             add_constant (graph, "mean", &shape, design->subtract), NULL);
  if (design->multiply != NULL)
    value = ens_graph_apply (graph, ens_op_find ("Mul"), &params, value,
                             add_constant (graph, "factor", &shape, design->multiply), NULL);
  return value;
}

/* Half of the filters blur, half look for edges. */
static EnsValue *
append_convolution (EnsGraph *graph, EnsValue *value, const Design *design)
{
  const EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  const EnsNormalizationParams norm = {.epsilon = 1e-5f};
  gint64 channels = design->channels;
  gint64 n = 9 * channels;
  g_autofree float *weights = g_new (float, N_FILTERS *n);
  float ones[N_FILTERS], zeroes[N_FILTERS] = {0}, means[N_FILTERS], variances[N_FILTERS];
  const EnsShape per_filter = ENS_SHAPE (N_FILTERS);

  for (guint f = 0; f < N_FILTERS; f++) {
    double sum = 0;

    for (gint64 i = 0; i < n; i++) {
      weights[f * n + i] = f % 2 == 0 ? 0.02f * (float)(1 + f) : i % 2 == 0 ? 0.3f : -0.3f;
      sum += weights[f * n + i];
    }
    ones[f] = 1;
    means[f] = (float)(design->mean * sum);
    variances[f] = (float)(design->deviation * design->deviation * sum * sum + 1e-6);
  }
  value = ens_graph_apply (
      graph, ens_op_find ("Conv"), &params, value,
      add_constant (graph, "weights", &ENS_SHAPE (N_FILTERS, 3, 3, channels), weights), NULL);
  if (design->deviation == 0)
    return value;
  return ens_graph_apply (graph, ens_op_find ("BatchNormalization"), &norm, value,
                          add_constant (graph, "scale", &per_filter, ones),
                          add_constant (graph, "shift", &per_filter, zeroes),
                          add_constant (graph, "means", &per_filter, means),
                          add_constant (graph, "variances", &per_filter, variances), NULL);
}

static GBytes *
build (const Design *design)
{
  g_autoptr (EnsGraph) graph = ens_graph_new ("net");
  const EnsGemmParams gemm = {.trans_b = TRUE, .alpha = 1, .beta = 1};
  float weights[N_CLASSES * N_FILTERS] = {1};
  EnsValue *value =
      ens_graph_add_input (graph, "pixels", ENS_TYPE_FLOAT32,
                           &ENS_SHAPE (-1, design->size, design->size, design->channels));
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  value = append_arithmetic (graph, value, design);
  value = append_convolution (graph, value, design);
  value = ens_graph_apply (graph, ens_op_find ("Relu"), NULL, value, NULL);
  value = ens_graph_apply (graph, ens_op_find ("GlobalAveragePool"), NULL, value, NULL);
  value =
      ens_graph_apply (graph, ens_op_find ("Flatten"), &(EnsAxisParams) {.axis = 1}, value, NULL);
  value = ens_graph_apply (
      graph, ens_op_find ("Gemm"), &gemm, value,
      add_constant (graph, "classes", &ENS_SHAPE (N_CLASSES, N_FILTERS), weights), NULL);
  ens_graph_add_output (graph, value);
  bytes = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  return bytes;
}

static void
append_text (GByteArray *message, guint8 tag, const char *text)
{
  guint8 head[] = {tag, (guint8)strlen (text)};

  ck_assert_uint_lt (strlen (text), 128);
  g_byte_array_append (message, head, sizeof head);
  g_byte_array_append (message, (const guint8 *)text, head[1]);
}

static void
append_property (GByteArray *file, const char *key, const char *value)
{
  g_autoptr (GByteArray) entry = g_byte_array_new ();
  guint8 head[] = {14 << 3 | 2, 0};

  append_text (entry, 1 << 3 | 2, key);
  append_text (entry, 2 << 3 | 2, value);
  head[1] = (guint8)entry->len;
  ck_assert_uint_lt (entry->len, 128);
  g_byte_array_append (file, head, sizeof head);
  g_byte_array_append (file, entry->data, entry->len);
}

/* Writes the network with metadata, keys and values in turn up to a NULL, and a producer. In
 * protobuf a field may simply be appended. */
static void
put_network_with (const Place *place, const Design *design, const char *const *properties,
                  const char *producer)
{
  g_autoptr (GBytes) bytes = build (design);
  g_autoptr (GByteArray) file = g_byte_array_new ();

  g_byte_array_append (file, g_bytes_get_data (bytes, NULL), (guint)g_bytes_get_size (bytes));
  for (; *properties != NULL; properties += 2)
    append_property (file, properties[0], properties[1]);
  if (producer != NULL)
    append_text (file, 2 << 3 | 2, producer);
  ck_assert (g_file_set_contents (place->path, (const char *)file->data, (gssize)file->len, NULL));
}

/* With one property, unless key is NULL. */
static void
put_network (const Place *place, const Design *design, const char *key, const char *value,
             const char *producer)
{
  put_network_with (place, design, (const char *const[]) {key, value, NULL}, producer);
}

static EnsPreprocess *
find (const Place *place)
{
  g_autoptr (GError) error = NULL;
  EnsPreprocess *preprocess = ens_preprocess_find (place->path, &error);

  ck_assert_no_error (error);
  return preprocess;
}

static void
assert_explained (const EnsPreprocess *preprocess, EnsPreprocessPart part, const char *how)
{
  g_autofree char *explained = ens_preprocess_explain (preprocess, part);

  ck_assert_ptr_nonnull (explained);
  if (strstr (explained, how) == NULL)
    ck_abort_msg ("expected “%s” in “%s”", how, explained);
}

static void
assert_range (const EnsPreprocess *preprocess, const double *means, const double *scales)
{
  for (guint c = 0; c < 3; c++) {
    ck_assert_double_eq_tol (preprocess->normalise.mean[c], means[c], 1e-3);
    ck_assert_double_eq_tol (preprocess->normalise.scale[c], scales[c], 1e-5);
  }
}

/* ---- Files beside the network, and its own metadata ---- */

static const struct {
  const char *file, *contents; /* beside the network, or NULL */
  const char *key, *value;     /* in its metadata */
  EnsOrder order;
  const char *order_how;
  double means[3], scales[3];
  const char *range_how;
  guint size;
} stated[] = {
    {"net.json",
     "{\"order\": \"BGR\", \"mean\": [104, 117, 123], \"scale\": 1, \"size\": 227}",
     NULL,
     NULL,
     ENS_ORDER_BGR,
     "stated in net.json",
     {104, 117, 123},
     {1, 1, 1},
     "stated in net.json",
     227},
    {"net.json",
     "{\"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, 0.225]}",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "guess",
     {123.675, 116.28, 103.53},
     {0.0171248, 0.0175070, 0.0174292},
     "stated in net.json",
     224},
    {"networks.json",
     "{\"networks\": [{\"file\": \"other.onnx\", \"order\": \"RGB\"}, {\"file\": \"net.onnx\", "
     "\"input\": {\"shape\": [\"N\", 3, 96, 96], \"channel order\": \"BGR\", \"mean (of 0..255)\": "
     "127.5, \"scale (after the mean)\": 0.5}, \"measured\": 0.9}]}",
     NULL,
     NULL,
     ENS_ORDER_BGR,
     "stated in networks.json",
     {127.5, 127.5, 127.5},
     {0.5, 0.5, 0.5},
     "stated in networks.json",
     96},
    {"net.onnx.modelinfo",
     "[modelinfo]\nversion=1.0\n[pixels]\ndir=input\ntype=float32\ndims=-1,3,160,160\n"
     "ranges=-1.0,1.0;-1.0,1.0;-1.0,1.0\n",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "guess",
     {127.5, 127.5, 127.5},
     {0.0078431, 0.0078431, 0.0078431},
     "stated in net.onnx.modelinfo",
     160},
    {"net.modelinfo",
     "[modelinfo]\nversion=1.0\n[image]\ndir=input\nranges=0.0,1.0\n",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "guess",
     {0, 0, 0},
     {0.0039216, 0.0039216, 0.0039216},
     "stated in net.modelinfo",
     224},
    {"preprocessor_config.json",
     "{\"do_normalize\": true, \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5], "
     "\"rescale_factor\": 0.00392156862745098, \"size\": {\"height\": 384, \"width\": 384}}",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "stated in preprocessor_config.json",
     {127.5, 127.5, 127.5},
     {0.0078431, 0.0078431, 0.0078431},
     "stated in preprocessor_config.json",
     384},
    {"preprocessor_config.json",
     "{\"do_flip_channel_order\": true, \"do_normalize\": false, \"image_mean\": 1, "
     "\"size\": {\"shortest_edge\": 288}, \"crop_size\": {\"height\": 256, \"width\": 256}}",
     NULL,
     NULL,
     ENS_ORDER_BGR,
     "stated in preprocessor_config.json",
     {0, 0, 0},
     {0.0039216, 0.0039216, 0.0039216},
     "stated in preprocessor_config.json",
     256},
    {"preprocessor_config.json",
     "{\"rescale_factor\": 0.00784313725490196, \"rescale_offset\": true, \"image_mean\": 0.5, "
     "\"image_std\": 2, \"size\": 240}",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "stated in preprocessor_config.json",
     {191.25, 191.25, 191.25},
     {0.0039216, 0.0039216, 0.0039216},
     "stated in preprocessor_config.json",
     240},
    {"config.json",
     "{\"architecture\": \"resnet18\", \"pretrained_cfg\": {\"mean\": [0, 0, 0], \"std\": [1, 1, "
     "1], \"input_size\": [3, 288, 288], \"crop_pct\": 0.95}}",
     NULL,
     NULL,
     ENS_ORDER_RGB,
     "stated in config.json",
     {0, 0, 0},
     {0.0039216, 0.0039216, 0.0039216},
     "stated in config.json",
     288},
    {NULL,
     NULL,
     "Image.NominalPixelRange",
     "NominalRange_0_255",
     ENS_ORDER_RGB,
     "guess",
     {0, 0, 0},
     {1, 1, 1},
     "stated in the file, as “image.nominalpixelrange”",
     224},
    {NULL,
     NULL,
     "Image.NominalPixelRange",
     "Normalized_1_1",
     ENS_ORDER_RGB,
     "guess",
     {127.5, 127.5, 127.5},
     {0.0078431, 0.0078431, 0.0078431},
     "nominalpixelrange",
     224},
    {NULL,
     NULL,
     "Image.NominalPixelRange",
     "NominalRange_16_235",
     ENS_ORDER_RGB,
     "guess",
     {-18.6301, -18.6301, -18.6301},
     {0.8588235, 0.8588235, 0.8588235},
     "nominalpixelrange",
     224},
    {NULL,
     NULL,
     "Image.BitmapPixelFormat",
     "Bgr8",
     ENS_ORDER_BGR,
     "stated in the file, as “image.bitmappixelformat”",
     {103.53, 116.28, 123.675},
     {0.0174292, 0.0175070, 0.0171248},
     "guess: usual for networks of PyTorch",
     224},
    {NULL,
     NULL,
     "imgsz",
     "[320, 320]",
     ENS_ORDER_RGB,
     "guess",
     {123.675, 116.28, 103.53},
     {0.0171248, 0.0175070, 0.0174292},
     "guess",
     320},
    /* A file beside the network goes before what is in it. */
    {"net.json",
     "{\"mean\": 0, \"scale\": 1}",
     "Image.NominalPixelRange",
     "Normalized_0_1",
     ENS_ORDER_RGB,
     "guess",
     {0, 0, 0},
     {1, 1, 1},
     "stated in net.json",
     224},
};

START_TEST (test_stated)
{
  for (guint i = 0; i < G_N_ELEMENTS (stated); i++) {
    g_auto (Place) place;
    g_autoptr (EnsPreprocess) preprocess = NULL;

    test_message ("%u: %s", i, stated[i].file != NULL ? stated[i].file : stated[i].key);
    place_init (&place);
    put_network (&place, &plain, stated[i].key, stated[i].value, NULL);
    if (stated[i].file != NULL)
      put_file (&place, stated[i].file, stated[i].contents);
    preprocess = find (&place);
    ck_assert_int_eq (preprocess->normalise.order, stated[i].order);
    assert_explained (preprocess, ENS_PREPROCESS_ORDER, stated[i].order_how);
    assert_range (preprocess, stated[i].means, stated[i].scales);
    assert_explained (preprocess, ENS_PREPROCESS_RANGE, stated[i].range_how);
    ck_assert_uint_eq (preprocess->size, stated[i].size);
    ck_assert_uint_eq (preprocess->notes->len, 0);
    ck_assert_uint_ge (g_strv_length (preprocess->taps), 2);
  }
}
END_TEST

/* What is wrong is told, and what else there is still counts. */
static const struct {
  const char *file, *contents, *key, *value, *note;
} notes_rows[] = {
    {"net.json", "{\"order\": ", NULL, NULL, "net.json: "},
    {"net.json", "{\"order\": \"GBR\"}", NULL, NULL, "net.json: “GBR” is no order of channels"},
    {"net.json", "{\"mean\": [1, 2]}", NULL, NULL,
     "net.json: mean: expected one or three numbers, and as many for scale or std"},
    {"net.json", "{\"mean\": 0, \"std\": 0}", NULL, NULL, "expected a mean and a deviation"},
    {"net.json", "{\"size\": 100000}", NULL, NULL,
     "net.json: expected a size from 1 to 4096, found 100000"},
    {"net.json", "{\"labels\": [\"cat\", \"dog\"]}", NULL, NULL,
     "labels stated in net.json: expected one for each of the network's 3 outputs, found 2; "
     "they are left out"},
    {"net.json", "{\"labels\": \"names.txt\"}", NULL, NULL, "No such file or directory"},
    {"net.modelinfo", "[modelinfo]\nversion=2.0\n[pixels]\nranges=0,1\n", NULL, NULL,
     "net.modelinfo: expected version 1 of GStreamer's modelinfo, found “2.0”"},
    {"net.modelinfo", "[modelinfo]\nversion=1.0\n[pixels]\nranges=PLACEHOLDER\n", NULL, NULL,
     "net.modelinfo: ranges: expected MIN,MAX pairs"},
    {"net.modelinfo", "[modelinfo]\nversion=1.0\n", NULL, NULL,
     "net.modelinfo: has no section for an input"},
    {"preprocessor_config.json",
     "{\"do_resize\": false, \"size\": 100, \"resample\": 3, \"do_pad\": true}", NULL, NULL,
     "preprocessor_config.json: not used: resample, do_pad"},
    {"config.json", "{\"pretrained_cfg\": {\"interpolation\": \"bicubic\", \"tag\": \"x\"}}", NULL,
     NULL, "config.json: not used: interpolation"},
    {NULL, NULL, "Image.NominalPixelRange", "Wide",
     "the file, as “image.nominalpixelrange”: “Wide” is no range of pixels"},
    {NULL, NULL, "names", "{0: 'cat', 1: 'dog'}", "network's 3 outputs, found 2"},
    {NULL, NULL, "preprocess", "BGR minus the mean",
     "stated in the file, as “preprocess”: BGR minus the mean"},
};

START_TEST (test_notes)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;

  place_init (&place);
  put_network (&place, &plain, notes_rows[_i].key, notes_rows[_i].value, NULL);
  if (notes_rows[_i].file != NULL)
    put_file (&place, notes_rows[_i].file, notes_rows[_i].contents);
  preprocess = find (&place);
  if (preprocess->notes->len != 1
      || strstr (preprocess->notes->pdata[0], notes_rows[_i].note) == NULL)
    ck_abort_msg ("expected one note with “%s”, found %u: “%s”", notes_rows[_i].note,
                  preprocess->notes->len,
                  preprocess->notes->len > 0 ? (const char *)preprocess->notes->pdata[0] : "");
  ck_assert_uint_eq (preprocess->size, 224);
  ck_assert_ptr_null (preprocess->labels);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, "guess");
}
END_TEST

/* What the graph does itself is not done again because a configuration tells how it was trained. */
START_TEST (test_not_twice)
{
  static const float mean[] = {123.675f, 116.28f, 103.53f};
  static const float factor[] = {0.0171f, 0.0175f, 0.0174f};
  const Design design = {.size = -1, .channels = 3, .subtract = mean, .multiply = factor};
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;

  place_init (&place);
  put_network (&place, &design, NULL, NULL, NULL);
  put_file (&place, "preprocessor_config.json",
            "{\"image_mean\": [0.485, 0.456, 0.406], \"image_std\": [0.229, 0.224, 0.225]}");
  preprocess = find (&place);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, "found in the graph");
  ck_assert_double_eq (preprocess->normalise.mean[0], 0);
  ck_assert_uint_eq (preprocess->notes->len, 1);
  ck_assert (g_str_has_prefix (preprocess->notes->pdata[0],
                               "preprocessor_config.json: its mean and deviation are not applied, "
                               "because node “"));
}
END_TEST

static const struct {
  const char *key, *value;
} labels_rows[] = {
    {"names", "{0: 'tabby cat', 1: \"dog\", 2: 'ass\\'s foal'}"},
    {"labels", "[\"tabby cat\", \"dog\", \"ass's foal\"]"},
    {"classes", "tabby cat, dog, ass's foal"},
    {"class_names", "tabby cat\ndog\nass's foal\n"},
    {"id2label", "{\"0\": \"tabby cat\", \"1\": \"dog\", \"2\": \"ass's foal\"}"},
    {"labels", "labels.txt"},
};

START_TEST (test_labels)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;
  g_autofree char *joined = NULL;

  place_init (&place);
  put_network (&place, &plain, labels_rows[_i].key, labels_rows[_i].value, NULL);
  put_file (&place, "labels.txt", "tabby cat\r\ndog\nass's foal\n\n");
  preprocess = find (&place);
  ck_assert_ptr_nonnull (preprocess->labels);
  joined = g_strjoinv ("|", preprocess->labels);
  ck_assert_str_eq (joined, "tabby cat|dog|ass's foal");
}
END_TEST

/* Whole sets of metadata, as exporters write them. */
static const char *const custom_vision[] = {"Image.BitmapPixelFormat",
                                            "Rgb8",
                                            "Image.ColorSpaceGamma",
                                            "SRGB",
                                            "Image.NominalPixelRange",
                                            "Normalized_0_1",
                                            "CustomVision.Preprocess.NormalizeMean",
                                            "[0.485, 0.456, 0.406]",
                                            "CustomVision.Preprocess.NormalizeStd",
                                            "[0.229, 0.224, 0.225]",
                                            "CustomVision.Preprocess.TargetWidth",
                                            "300",
                                            NULL};
static const char *const ultralytics[] = {
    "author", "Ultralytics", "task",  "classify",
    "imgsz",  "[256, 256]",  "names", "{0: 'a', 1: 'b', 2: 'c'}",
    "stride", "1",           NULL};
static const struct {
  const char *const *properties;
  guint size;
  double means[3], scales[3];
  const char *how;
} exporters_rows[] = {
    {custom_vision,
     300,
     {123.675, 116.28, 103.53},
     {0.0171248, 0.0175070, 0.0174292},
     "stated in the file, as “image.nominalpixelrange”"},
    {ultralytics,
     256,
     {0, 0, 0},
     {0.0039216, 0.0039216, 0.0039216},
     "guess: what Ultralytics' networks take"},
};

START_TEST (test_exporters)
{
  g_auto (Place) place;
  g_autoptr (EnsPreprocess) preprocess = NULL;

  place_init (&place);
  put_network_with (&place, &plain, exporters_rows[_i].properties, NULL);
  preprocess = find (&place);
  ck_assert_int_eq (preprocess->normalise.order, ENS_ORDER_RGB);
  assert_range (preprocess, exporters_rows[_i].means, exporters_rows[_i].scales);
  assert_explained (preprocess, ENS_PREPROCESS_RANGE, exporters_rows[_i].how);
  ck_assert_uint_eq (preprocess->size, exporters_rows[_i].size);
  ck_assert_uint_eq (preprocess->notes->len, 0);
}
END_TEST

/* ---- The graph ---- */

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

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/preprocess");
  test_add ("stated", test_stated);
  TEST_ADD_LOOP ("notes", test_notes, notes_rows);
  test_add ("not-twice", test_not_twice);
  TEST_ADD_LOOP ("labels", test_labels, labels_rows);
  TEST_ADD_LOOP ("exporters", test_exporters, exporters_rows);
  TEST_ADD_ROWS ("graph", test_graph, graph_rows);
  TEST_ADD_LOOP ("guesses", test_guesses, guesses_rows);
  return test_run ();
}
