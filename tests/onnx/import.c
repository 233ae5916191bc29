/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What models become: order of dimensions, names, constants, sizes left open, outputs that can't be
 * computed, files that are links. */
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check-main.h"
#include "graph/infer.h"
#include "models.h"
#include "onnx/onnx.h"
#include "ops/operands.h"

#define FLOAT ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64

static EnsGraph *
import (const Onnx__ModelProto *model, const char *folder, const EnsOnnxOptions *options,
        GError **error)
{
  g_autoptr (GBytes) bytes = model_pack (model);

  return ens_onnx_import_bytes (bytes, "test.onnx", folder, options, error);
}

START_TEST (test_text)
{
  const ModelRow *row = &model_rows[_i];
  g_autoptr (Onnx__ModelProto) model = model_new_from_row (row);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = import (model, NULL, NULL, &error);
  g_autofree char *text = NULL;

  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_pstr_eq (text, row->text);
}
END_TEST

/* Import looks at one size; the graph holds for others. */
static const struct {
  const char *model;
  EnsShape input, output;
} other_sizes_rows[] = {
    {"conv-chain", {4, {1, 10, 10, 3}}, {4, {1, 6, 4, 8}}},
    {"conv-chain", {4, {5, 31, 17, 3}}, {4, {5, 27, 11, 8}}},
    {"fully-connected", {4, {7, 4, 4, 3}}, {2, {7, 2}}},
    {"computed-shape", {4, {4, 5, 6, 3}}, {2, {4, 90}}},
    {"fixed-batch", {4, {9, 2, 2, 3}}, {2, {9, 12}}},
    {"channels-last-file", {4, {2, 18, 9, 3}}, {4, {2, 17, 8, 4}}},
};

START_TEST (test_other_sizes)
{
  for (guint j = 0; j < n_model_rows; j++) {
    g_autoptr (Onnx__ModelProto) model = NULL;
    g_autoptr (EnsGraph) graph = NULL;
    g_autoptr (GError) error = NULL;
    EnsValue *output;

    if (strcmp (other_sizes_rows[_i].model, model_rows[j].name) != 0)
      continue;
    model = model_new_from_row (&model_rows[j]);
    graph = import (model, NULL, NULL, &error);
    ck_assert_no_error (error);
    ens_infer_graph (graph, &other_sizes_rows[_i].input, &error);
    ck_assert_no_error (error);
    output = g_ptr_array_index (graph->outputs, 0);
    ck_assert (ens_shape_equal (&output->shape, &other_sizes_rows[_i].output));
  }
}
END_TEST

/* x → Flatten → Gemm, which takes images of one size alone. */
static Onnx__ModelProto *
make_one_size (gint64 size)
{
  Onnx__ModelProto *model = model_new (13);

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 3, -1, -1));
  model_add_initializer (model, "w", FLOAT, &ENS_SHAPE (3 * size * size, 1));
  model_add_node (model, "Flatten", "x", "f");
  model_add_node (model, "Gemm", "f w", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 1));
  return model;
}

static const struct {
  gint64 size;
  guint nominal_size;
  gboolean good;
} nominal_size_rows[] = {{224, 0, TRUE},  {227, 0, TRUE},   {299, 0, TRUE},   {32, 0, TRUE},
                         {100, 0, FALSE}, {100, 100, TRUE}, {224, 100, FALSE}};

START_TEST (test_nominal_size)
{
  g_autoptr (Onnx__ModelProto) model = make_one_size (nominal_size_rows[_i].size);
  EnsOnnxOptions options = {.nominal_size = nominal_size_rows[_i].nominal_size};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = import (model, NULL, &options, &error);

  ck_assert ((graph != NULL) == nominal_size_rows[_i].good);
  if (nominal_size_rows[_i].good)
    return;
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_SHAPE);
  ck_assert (g_str_has_prefix (error->message, "test.onnx: node “Gemm1” (Gemm): "));
}
END_TEST

/* Tensors of every type, in both kinds of fields. */

/* A graph whose only output is its only initializer. */
static EnsTensor *
import_tensor (const Onnx__TensorProto *proto)
{
  Onnx__ModelProto *model = model_new (13);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  EnsTensor *tensor;

  model_add_initializer (model, "k", FLOAT, &ENS_SHAPE (1));
  model_add_output (model, "k", FLOAT, &ENS_SHAPE (1));
  protobuf_c_message_free_unpacked (&model->graph->initializer[0]->base, NULL);
  model->graph->initializer[0] = (Onnx__TensorProto *)proto;
  graph = import (model, NULL, NULL, &error);
  ck_assert_no_error (error);
  tensor = ens_tensor_ref (((EnsValue *)g_ptr_array_index (graph->outputs, 0))->constant);
  model->graph->n_initializer = 0;
  g_clear_pointer (&model->graph->initializer, free);
  model_free (model);
  return tensor;
}

static double
element (const EnsTensor *tensor, guint i)
{
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  return ens_view_real (&view, (gsize)i);
}

#define TYPE(type) ONNX__TENSOR_PROTO__DATA_TYPE__##type

static const struct {
  int onnx;
  gsize size;
  guint8 raw[8];
  EnsType type;
  guint n;
  double expected[4];
} raw_types_rows[] = {
    {TYPE (FLOAT), 8, {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, ENS_TYPE_FLOAT32, 2, {1, -10}},
    /* 1, −2, the largest, the smallest below normal */
    {TYPE (FLOAT16),
     8,
     {0, 0x3c, 0, 0xc0, 0xff, 0x7b, 1, 0x80},
     ENS_TYPE_FLOAT32,
     4,
     {1, -2, 65504, -0x1p-24}},
    {TYPE (FLOAT16), 4, {0, 0x7c, 0, 0xfc}, ENS_TYPE_FLOAT32, 2, {INFINITY, -INFINITY}},
    {TYPE (BFLOAT16), 4, {0x80, 0x3f, 0x20, 0xc1}, ENS_TYPE_FLOAT32, 2, {1, -10}},
    {TYPE (DOUBLE), 8, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, ENS_TYPE_FLOAT32, 1, {1.5}},
    {TYPE (INT64), 8, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ENS_TYPE_INT64, 1, {-2}},
    {TYPE (INT32), 8, {0xfe, 0xff, 0xff, 0xff, 0, 1, 0, 0}, ENS_TYPE_INT32, 2, {-2, 256}},
    {TYPE (INT8), 2, {0xfe, 5}, ENS_TYPE_INT8, 2, {-2, 5}},
    {TYPE (UINT8), 2, {0xfe, 5}, ENS_TYPE_UINT8, 2, {254, 5}},
    {TYPE (BOOL), 3, {0, 1, 7}, ENS_TYPE_BOOL, 3, {0, 1, 1}},
};

START_TEST (test_raw_types)
{
  Onnx__TensorProto proto = ONNX__TENSOR_PROTO__INIT;
  g_autoptr (EnsTensor) tensor = NULL;
  gint64 n = raw_types_rows[_i].n;

  proto.name = "k";
  proto.has_data_type = proto.has_raw_data = TRUE;
  proto.data_type = raw_types_rows[_i].onnx;
  proto.n_dims = 1;
  proto.dims = &n;
  proto.raw_data =
      (ProtobufCBinaryData) {raw_types_rows[_i].size, (guint8 *)raw_types_rows[_i].raw};
  tensor = import_tensor (&proto);
  ck_assert_int_eq (tensor->type, raw_types_rows[_i].type);
  for (guint j = 0; j < n; j++)
    ck_assert_double_eq (element (tensor, j), raw_types_rows[_i].expected[j]);
}
END_TEST

static const struct {
  int onnx;
  gint32 given[2];
  EnsType type;
  double expected[2];
} typed_fields_rows[] = {
    {TYPE (FLOAT16), {0x3c00, 0xc000}, ENS_TYPE_FLOAT32, {1, -2}},
    {TYPE (BFLOAT16), {0x3f80, 0xc120}, ENS_TYPE_FLOAT32, {1, -10}},
    {TYPE (INT32), {-3, 70000}, ENS_TYPE_INT32, {-3, 70000}},
    {TYPE (INT8), {-3, 7}, ENS_TYPE_INT8, {-3, 7}},
    {TYPE (UINT8), {200, 7}, ENS_TYPE_UINT8, {200, 7}},
    {TYPE (BOOL), {0, 9}, ENS_TYPE_BOOL, {0, 1}},
    {TYPE (FLOAT), {5, -6}, ENS_TYPE_FLOAT32, {5, -6}},
    {TYPE (DOUBLE), {5, -6}, ENS_TYPE_FLOAT32, {5, -6}},
    {TYPE (INT64), {5, -6}, ENS_TYPE_INT64, {5, -6}},
};

START_TEST (test_typed_fields)
{
  Onnx__TensorProto proto = ONNX__TENSOR_PROTO__INIT;
  const gint32 *given = typed_fields_rows[_i].given;
  float reals[] = {(float)given[0], (float)given[1]};
  double doubles[] = {given[0], given[1]};
  gint64 longs[] = {given[0], given[1]};
  g_autoptr (EnsTensor) tensor = NULL;
  gint64 n = 2;

  proto.name = "k";
  proto.has_data_type = TRUE;
  proto.data_type = typed_fields_rows[_i].onnx;
  proto.n_dims = 1;
  proto.dims = &n;
  proto.float_data = reals;
  proto.double_data = doubles;
  proto.int64_data = longs;
  proto.int32_data = (gint32 *)given;
  *(typed_fields_rows[_i].onnx == TYPE (FLOAT)    ? &proto.n_float_data
    : typed_fields_rows[_i].onnx == TYPE (DOUBLE) ? &proto.n_double_data
    : typed_fields_rows[_i].onnx == TYPE (INT64)  ? &proto.n_int64_data
                                                  : &proto.n_int32_data) = 2;
  tensor = import_tensor (&proto);
  ck_assert_int_eq (tensor->type, typed_fields_rows[_i].type);
  for (guint j = 0; j < 2; j++)
    ck_assert_double_eq (element (tensor, j), typed_fields_rows[_i].expected[j]);
}
END_TEST

START_TEST (test_external)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autofree char *folder = g_dir_make_tmp ("ens-import-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "weights.bin", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  const float contents[] = {9, 8, 7, 6, 5};
  const float *weights;

  ck_assert (g_file_set_contents (path, (const char *)contents, sizeof contents, NULL));
  model_add_initializer (model, "a", FLOAT, &ENS_SHAPE (2));
  model_add_initializer (model, "b", FLOAT, &ENS_SHAPE (5));
  tensor_set_external (model->graph->initializer[0], "weights.bin", "4", "8");
  tensor_set_external (model->graph->initializer[1], "./weights.bin", NULL, NULL);
  model_add_output (model, "a", FLOAT, &ENS_SHAPE (2));
  model_add_output (model, "b", FLOAT, &ENS_SHAPE (5));
  graph = import (model, folder, NULL, &error);
  ck_assert_no_error (error);
  g_remove (path);
  g_rmdir (folder);
  weights = ens_graph_find (graph, "a")->constant->data;
  ck_assert_double_eq (weights[0], 8);
  ck_assert_double_eq (weights[1], 7);
  weights = ens_graph_find (graph, "b")->constant->data;
  ck_assert_bytes_eq (weights, sizeof contents, contents, sizeof contents);
}
END_TEST

/* As a hub's cache has them: the model and its weights are links to files of other names. */
START_TEST (test_links)
{
  g_autofree char *root = g_dir_make_tmp ("onnx-XXXXXX", NULL);
  g_autofree char *blobs = g_build_filename (root, "blobs", NULL);
  g_autofree char *shown = g_build_filename (root, "shown", NULL);
  g_autofree char *blob = g_build_filename (blobs, "aaa", NULL);
  g_autofree char *weights = g_build_filename (blobs, _i == 0 ? "bbb" : "model.data", NULL);
  g_autofree char *model_link = g_build_filename (shown, "model.onnx", NULL);
  g_autofree char *weights_link = g_build_filename (shown, "model.data", NULL);
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (EnsGraph) graph = NULL, confined = NULL;
  g_autofree char *zeroes = g_malloc0 (432);

  g_mkdir (blobs, 0700);
  g_mkdir (shown, 0700);
  tensor_set_external (model->graph->initializer[0], "model.data", NULL, NULL);
  bytes = model_pack (model);
  g_file_set_contents (blob, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes),
                       NULL);
  g_file_set_contents (weights, zeroes, 432, NULL);
  ck_assert_int_eq (symlink (blob, model_link), 0);
  /* Or the weights lie beside the file that the link leads to. */
  ck_assert_int_eq (_i == 0 ? symlink (weights, weights_link) : 0, 0);
  graph = ens_onnx_import (model_link, NULL, &error);
  ck_assert_no_error (error);
  confined = ens_onnx_import (model_link, &(EnsOnnxOptions) {.confined = TRUE}, &error);
  ck_assert_ptr_null (confined);
  g_unlink (weights_link);
  g_unlink (model_link);
  g_unlink (weights);
  g_unlink (blob);
  g_rmdir (shown);
  g_rmdir (blobs);
  g_rmdir (root);
}
END_TEST

/* Weights (O, I, height, width) become (O, height, width, I). */
START_TEST (test_permuted_weights)
{
  g_autoptr (Onnx__ModelProto) model = model_new_from_row (&model_rows[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = import (model, NULL, NULL, &error);
  const float *weights;

  ck_assert_no_error (error);
  weights = ens_graph_find (graph, "w")->constant->data;
  for (guint o = 0; o < 4; o++)
    for (guint y = 0; y < 5; y++)
      for (guint x = 0; x < 7; x++)
        for (guint i = 0; i < 3; i++)
          ck_assert_double_eq (*weights++, ((o * 3 + i) * 5 + y) * 7 + x + 1);
}
END_TEST

/* Inputs in TensorFlow's order, and others. */
static const struct {
  EnsShape declared; /* in the file */
  const char *nodes;
  EnsShape input; /* of the graph */
} order_rows[] = {
    {{4, {-1, 32, 32, 3}}, "Relu x>a;Transpose a>b;Relu b>y", {4, {-1, 32, 32, 3}}},
    {{4, {-1, 32, 32, 3}}, "Cast x>a;Relu a>b;Flatten b>y", {4, {-1, 32, 32, 3}}},
    {{4, {-1, -1, -1, 3}}, "Flatten x>y", {4, {-1, -1, -1, 3}}},
    {{4, {-1, 3, 32, 32}}, "Relu x>a;Flatten a>y", {4, {-1, 32, 32, 3}}},
    {{4, {-1, 32, 32, 3}}, "Relu x>a;GlobalAveragePool a>y", {4, {-1, 32, 3, 32}}},
    {{4, {-1, 3, -1, 3}}, "Flatten x>y", {4, {-1, -1, 3, 3}}},
    {{4, {-1, 5, 6, 3}}, "Flatten x>y", {4, {-1, 6, 3, 5}}},
    {{4, {-1, 32, 32, 3}}, "Resize x - scales>a;Transpose a>b;Relu b>y", {4, {-1, 32, 32, 3}}},
    {{4, {-1, 32, 32, 3}}, "Softmax x>a;Transpose a>b;Relu b>y", {4, {-1, 32, 32, 3}}},
    {{4, {-1, 3, 32, 32}}, "Resize x - scales>a;Conv a three>y", {4, {-1, 32, 32, 3}}},
    /* Numbers of channels that weights tell. */
    {{4, {-1, -1, -1, -1}}, "Relu x>a;Conv a three>y", {4, {-1, -1, -1, 3}}},
    {{4, {-1, -1, 32, 32}}, "Conv x one>y", {4, {-1, 32, 32, 1}}},
    {{4, {-1, -1, -1, -1}}, "Conv x four>y", {4, {-1, -1, -1, 4}}},
    {{4, {-1, -1, -1, -1}}, "Relu x>y", {4, {-1, -1, -1, -1}}},
};

START_TEST (test_order)
{
  static const gint64 to_first[] = {0, 3, 1, 2};
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  model_add_input (model, "x", FLOAT, &order_rows[_i].declared);
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (4), (const double[]) {1, 1, 1, 1});
  model_add_initializer (model, "one", FLOAT, &ENS_SHAPE (2, 1, 1, 1));
  model_add_initializer (model, "three", FLOAT, &ENS_SHAPE (2, 3, 1, 1));
  model_add_initializer (model, "four", FLOAT, &ENS_SHAPE (2, 4, 1, 1));
  model_add_nodes (model, order_rows[_i].nodes);
  for (gsize i = 0; i < model->graph->n_node; i++) {
    Onnx__NodeProto *node = model->graph->node[i];

    if (strcmp (node->op_type, "Transpose") == 0)
      node_add_ints (node, "perm", to_first, 4);
    if (strcmp (node->op_type, "Cast") == 0)
      node_add_int (node, "to", FLOAT);
  }
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (-1, 1));
  graph = import (model, NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert (
      ens_shape_equal (&((const EnsValue *)graph->inputs->pdata[0])->shape, &order_rows[_i].input));
}
END_TEST

/* The nearest element as opset 10 means it. */
static const struct {
  double scales[4];
  const char *text; /* of the node; NULL: refused */
} old_resize_rows[] = {
    {{1, 1, 2, 1.5}, "nearest_mode=\"floor\" scales=[1, 1, 2, 1.5]"},
    {{1, 1, 0.75, 0.5}, "nearest_mode=\"ceil\" scales=[1, 1, 0.75, 0.5]"},
    {{1, 1, 0.6, 2}, NULL},
};

START_TEST (test_old_resize)
{
  g_autoptr (Onnx__ModelProto) model = model_new (10);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autofree char *text = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (1, 3, 8, 8));
  model_add_numbers (model, "scales", FLOAT, &ENS_SHAPE (4), old_resize_rows[_i].scales);
  model_add_node (model, "Resize", "x scales", "y");
  model_add_output (model, "y", FLOAT, &ENS_SHAPE (1, 3, -1, -1));
  bytes = model_pack (model);
  if (old_resize_rows[_i].text == NULL) {
    assert_import_refuses (bytes, NULL, ENS_ERROR_UNSUPPORTED, "some axes are enlarged");
    return;
  }
  graph = import (model, NULL, NULL, &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  ck_assert_msg (strstr (text, old_resize_rows[_i].text) != NULL, "%s", text);
}
END_TEST

/* What can't be computed is left out, with what needs it. */
static const struct {
  const char *nodes; /* as model_add_nodes () has them */
  const char *outputs;
  const char *left; /* the graph's; NULL: refused */
  const char *note;
} output_rows[] = {
    {"Relu x>y", "y", "y", NULL},
    /* What no output needs. */
    {"Relu x>y;Twist y>z", "y", "y", NULL},
    {"Relu x>y;Twist y>z", "y z", "y",
     "output “z” is left out, because it needs Twist, which is not supported"},
    {"Softmax x>p;ZipMap p>m", "m", "p",
     "output “m” is left out, because it needs ZipMap, which is not supported; “p”, from which it "
     "is "
     "made, takes its place"},
    {"Softmax x>p;ZipMap p>m;Identity m>o", "o p", "p", NULL},
    {"Twist x>p;ZipMap p>m", "m", NULL, "Twist of opset 13 (node “Twist0”), ZipMap of opset 13"},
    {"Twist x>p;Relu p>m", "m", NULL, "not supported: Twist of opset 13 (node “Twist0”)"},
};

START_TEST (test_outputs)
{
  g_autoptr (Onnx__ModelProto) model = model_new (13);
  g_auto (GStrv) outputs = g_strsplit (output_rows[_i].outputs, " ", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = NULL;

  model_add_input (model, "x", FLOAT, &ENS_SHAPE (-1, 4));
  model_add_nodes (model, output_rows[_i].nodes);
  for (guint i = 0; outputs[i] != NULL; i++)
    model_add_output (model, outputs[i], FLOAT, &ENS_SHAPE (-1, 4));
  if (output_rows[_i].left == NULL) {
    g_autoptr (GBytes) bytes = model_pack (model);

    assert_import_refuses (bytes, NULL, ENS_ERROR_UNSUPPORTED, output_rows[_i].note);
    return;
  }
  graph = import (model, NULL, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (graph->outputs->len, 1);
  ck_assert_str_eq (((const EnsValue *)graph->outputs->pdata[0])->name, output_rows[_i].left);
  if (output_rows[_i].note != NULL)
    ck_assert_pstr_eq (graph->notes->pdata[0], output_rows[_i].note);
}
END_TEST

/* Real networks, at the size they were made for and at others. */
static const struct {
  const char *name;
  EnsShape input, output;
} networks_rows[] = {
    {"squeezenet1.1", {4, {1, 227, 227, 3}}, {2, {1, 1000}}},
    {"squeezenet1.1", {4, {16, 256, 341, 3}}, {2, {16, 1000}}},
    {"squeezenet1.1", {4, {2, 64, 48, 3}}, {2, {2, 1000}}},
    {"mobilenet_v1_0.5_160", {4, {1, 160, 160, 3}}, {2, {1, 1000}}},
    {"mobilenet_v1_0.5_160", {4, {3, 170, 190, 3}}, {2, {3, 1000}}},
    {"resnet20-cifar10", {4, {7, 32, 32, 3}}, {2, {7, 10}}},
    {"resnet20-cifar10", {4, {1, 100, 37, 3}}, {2, {1, 10}}},
};

START_TEST (test_networks)
{
  const char *data = g_getenv ("ENSEMBLE_TEST_DATA");

  if (data == NULL) {
    test_skip ("ENSEMBLE_TEST_DATA is not set");
    return;
  }
  g_autofree char *file = g_strconcat (networks_rows[_i].name, ".onnx", NULL);
  g_autofree char *path = g_build_filename (data, "networks", file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, &error);
  g_autofree char *text = NULL;
  EnsValue *output;

  ck_assert_no_error (error);
  ens_infer_graph (graph, &networks_rows[_i].input, &error);
  ck_assert_no_error (error);
  output = g_ptr_array_index (graph->outputs, 0);
  text = ens_shape_to_string (&output->shape);
  test_message ("%s: %s", networks_rows[_i].name, text);
  ck_assert (ens_shape_equal (&output->shape, &networks_rows[_i].output));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-import");
  test_add_rows ("text", test_text, model_rows, sizeof *model_rows, n_model_rows);
  TEST_ADD_LOOP ("other-sizes", test_other_sizes, other_sizes_rows);
  TEST_ADD_LOOP ("nominal-size", test_nominal_size, nominal_size_rows);
  TEST_ADD_LOOP ("raw-types", test_raw_types, raw_types_rows);
  TEST_ADD_LOOP ("typed-fields", test_typed_fields, typed_fields_rows);
  test_add ("external", test_external);
  test_add_loop ("links", test_links, 2);
  test_add ("permuted-weights", test_permuted_weights);
  TEST_ADD_LOOP ("order", test_order, order_rows);
  TEST_ADD_LOOP ("old-resize", test_old_resize, old_resize_rows);
  TEST_ADD_LOOP ("outputs", test_outputs, output_rows);
  TEST_ADD_ROWS ("networks", test_networks, networks_rows);
  return test_run ();
}
