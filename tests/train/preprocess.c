/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What files beside a network, and its own metadata, say about the images that it takes. */
#include "preprocess-fixture.h"

#include <string.h>

static const Design plain = {.size = -1, .channels = 3};

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

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/preprocess");
  test_add ("stated", test_stated);
  TEST_ADD_LOOP ("notes", test_notes, notes_rows);
  test_add ("not-twice", test_not_twice);
  TEST_ADD_LOOP ("labels", test_labels, labels_rows);
  TEST_ADD_LOOP ("exporters", test_exporters, exporters_rows);
  return test_run ();
}
