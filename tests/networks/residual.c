/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Residual networks as they are built: nodes, shapes, parameters, and what their blocks read. */
#include "networks/residual.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "graph/infer.h"
#include "onnx/onnx.h"

#include "passes/parameters.h"
#include "support/folder.h"

static EnsResidualParams
find (const char *name, guint n_classes)
{
  EnsResidualParams params;
  g_autoptr (GError) error = NULL;

  ens_residual_find (name, &params, &error);
  ck_assert_no_error (error);
  params.n_classes = n_classes;
  return params;
}

static EnsGraph *
build (const EnsResidualParams *params)
{
  g_autoptr (GError) error = NULL;
  EnsGraph *graph = ens_residual_build (params, &error);

  ck_assert_no_error (error);
  ck_assert (ens_graph_validate (graph, NULL));
  return graph;
}

/* One block that reduces a map of the picture's size, and one that does not. */
static EnsResidualParams
make_tiny (guint size)
{
  return (EnsResidualParams) {.height = size,
                              .width = size,
                              .n_classes = 5,
                              .initial = {16, 1, 1},
                              .first_kernel = 1,
                              .second_kernel = 3,
                              .n_stages = 1,
                              .stages = {{2, 32, 2}}};
}

/* -- nodes -- */

typedef struct {
  const char *name;
  gboolean stride_everywhere, plain;
} TextRow;

static const TextRow text_rows[] = {
    {"variant"}, {"stride-everywhere", .stride_everywhere = TRUE}, {"plain", .plain = TRUE}};

START_TEST (test_text)
{
  const TextRow *row = &text_rows[_i];
  EnsResidualParams params = make_tiny (8);
  g_autofree char *file = g_strdup_printf ("%s/residual-%s.txt", SOURCE_FOLDER, row->name);
  g_autofree char *expected = NULL, *text = NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) error = NULL;

  params.stride_everywhere = row->stride_everywhere;
  params.plain = row->plain;
  graph = build (&params);
  ens_infer_graph (graph, &ENS_SHAPE (1, 8, 8, 3), &error);
  ck_assert_no_error (error);
  text = ens_graph_to_string (graph);
  g_file_get_contents (file, &expected, NULL, &error);
  ck_assert_no_error (error);
  test_message ("%s", text);
  /* The first line is the licence. */
  ck_assert_msg (strcmp (text, strchr (expected, '\n') + 1) == 0, "not what %s says", file);
}
END_TEST

/* -- sizes -- */

typedef struct {
  const char *name, *preset;
  guint size;
  gint64 maps[5];     /* initial, then stages: height and width */
  gsize n_parameters; /* trained ones, with 10 classes */
} SizeRow;

static const SizeRow size_rows[] = {
    {"50", "50", 224, {112, 56, 28, 14, 7}, 23524554},
    {"50-odd", "50", 225, {113, 57, 29, 15, 8}, 23524554},
    {"small", "small", 128, {128, 64, 32, 16, 8}, 510378},
    {"small-odd", "small", 97, {97, 49, 25, 13, 7}, 510378},
};

static gsize
count_parameters (EnsGraph *graph)
{
  g_autoptr (GArray) all = ens_graph_find_parameters (graph);
  gsize n = 0;

  for (guint i = 0; i < all->len; i++) {
    const EnsGraphParameter *parameter = &g_array_index (all, EnsGraphParameter, i);

    if (parameter->kind < ENS_PARAMETER_MEAN)
      n += (gsize)ens_shape_elements (&parameter->node->inputs[parameter->input]->shape);
  }
  return n;
}

START_TEST (test_size)
{
  static const char *const names[] = {"initial", "stage1", "stage2", "stage3", "stage4"};
  const SizeRow *row = &size_rows[_i];
  EnsResidualParams params = find (row->preset, 10);
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) error = NULL;

  params.height = params.width = row->size;
  graph = build (&params);
  ck_assert_uint_eq (count_parameters (graph), row->n_parameters);
  ens_infer_graph (graph, &ENS_SHAPE (2, row->size, row->size, 3), &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    guint channels = i == 0 ? params.initial.filters : params.stages[i - 1].channels;
    const EnsShape expected = ENS_SHAPE (2, row->maps[i], row->maps[i], channels);

    ck_assert (ens_shape_equal (&ens_graph_find (graph, names[i])->shape, &expected));
  }
  ck_assert (ens_shape_equal (&ens_graph_find (graph, "logits")->shape, &ENS_SHAPE (2, 10)));
}
END_TEST

/* -- no input is skipped -- */

#define SIZE 8

/* (transfer full) */
static EnsTensor *
make_image (guint size)
{
  EnsTensor *image = ens_tensor_new (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, size, size, 3));

  for (guint i = 0; i < size * size * 3; i++)
    ((float *)image->data)[i] = sinf ((float)i);
  return image;
}

/* (transfer full) */
static EnsTensor *
run (EnsGraph *graph, EnsTensor *image)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) outputs = ens_interpret (graph, &image, &error);

  ck_assert_no_error (error);
  return ens_tensor_ref (outputs->pdata[0]);
}

/* Those that change the graph's output. The tiny network's initial convolution makes one position
 * of one pixel, so that they are the positions of the map before the block. */
static guint
count_read_pixels (EnsGraph *graph)
{
  g_autoptr (EnsTensor) image = make_image (SIZE), before = run (graph, image);
  float *pixels = image->data;
  guint n = 0;

  for (guint i = 0; i < SIZE * SIZE; i++) {
    float old = pixels[3 * i];
    g_autoptr (EnsTensor) after = NULL;

    pixels[3 * i] = old + 1;
    after = run (graph, image);
    pixels[3 * i] = old;
    n += memcmp (before->data, after->data, ens_tensor_size (before)) != 0;
  }
  return n;
}

START_TEST (test_read_pixels)
{
  EnsResidualParams params = make_tiny (SIZE);
  g_autoptr (EnsGraph) graph = NULL;

  params.plain = _i == 1;
  graph = build (&params);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, ens_graph_find (graph, "stage1/block1/conv3"));
  ens_graph_remove_unused (graph);
  ck_assert_uint_eq (count_read_pixels (graph), params.plain ? SIZE * SIZE / 4 : SIZE * SIZE);
}
END_TEST

/* -- weights, files -- */

/* (transfer full) */
static GBytes *export(guint64 seed)
{
  EnsResidualParams params = make_tiny (8);
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  GBytes *file;

  params.seed = seed;
  graph = build (&params);
  file = ens_onnx_export_bytes (graph, &error);
  ck_assert_no_error (error);
  return file;
}

START_TEST (test_seed)
{
  g_autoptr (GBytes) file = export(0), again = export(0), other = export(1);

  ck_assert (g_bytes_equal (file, again));
  ck_assert (!g_bytes_equal (file, other));
}
END_TEST

/* The same logits after a file in between, and the names that are tapped. */
START_TEST (test_export)
{
  EnsResidualParams params = make_tiny (9);
  g_autofree char *path = g_build_filename (test_folder, "residual.onnx", NULL);
  g_autoptr (EnsGraph) graph = build (&params), read = NULL;
  g_autoptr (EnsTensor) image = make_image (9), before = NULL, after = NULL;
  g_autoptr (GError) error = NULL;

  ens_onnx_export (graph, path, &error);
  ck_assert_no_error (error);
  read = ens_onnx_import (path, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_ptr_nonnull (ens_graph_find (read, "stage1"));
  ck_assert_ptr_nonnull (ens_graph_find (read, "features"));
  ck_assert_str_eq (((EnsValue *)read->outputs->pdata[0])->name, "logits");
  before = run (graph, image);
  after = run (read, image);
  for (guint i = 0; i < params.n_classes; i++)
    ck_assert_double_eq_tol (((float *)before->data)[i], ((float *)after->data)[i], 1e-5);
}
END_TEST

/* -- errors -- */

typedef struct {
  const char *name;
  void (*change) (EnsResidualParams *params);
  const char *message;
} ErrorRow;

static void
widen_first (EnsResidualParams *params)
{
  params->first_kernel = 3;
}

static void
raise_stride (EnsResidualParams *params)
{
  params->stages[2].stride = 3;
}

static void
drop_stride (EnsResidualParams *params)
{
  params->stages[1].stride = 1;
}

static void
shrink (EnsResidualParams *params)
{
  params->height = params->width = 8;
}

static void
stride_everywhere (EnsResidualParams *params)
{
  params->stages[3].n_blocks = 4;
  params->stride_everywhere = TRUE;
}

static void
split_channels (EnsResidualParams *params)
{
  params->stages[0].channels = 66;
}

static void
even_kernel (EnsResidualParams *params)
{
  params->initial.kernel = 4;
}

static void
drop_classes (EnsResidualParams *params)
{
  params->n_classes = 0;
}

static void
drop_blocks (EnsResidualParams *params)
{
  params->stages[1].n_blocks = 0;
}

static const ErrorRow error_rows[] = {
    {"kernels", widen_first,
     "stage1/block1: the first convolution's kernel is 3 wide, the second's 3; the first has to be "
     "narrower"},
    {"stride-too-large", raise_stride,
     "stage3/block1: the second convolution's stride is 3; it has to be larger than the first's, "
     "1, "
     "and smaller than its kernel's width, 3, so that no input is skipped"},
    {"stride-too-small", drop_stride, "stage2/block1: the second convolution's stride is 1;"},
    {"size", shrink,
     "stage3: of pictures of 8×8 its block 1 leaves a map of 1×1; take larger pictures, or fewer "
     "blocks with a stride"},
    {"stride-everywhere", stride_everywhere,
     "stage4: of pictures of 128×128 its block 4 leaves a map of 1×1"},
    {"channels", split_channels, "stage1/block1: found 66 channels, expected a multiple of 4"},
    {"even-kernel", even_kernel, "initial: a kernel is 4 wide; expected an odd width"},
    {"classes", drop_classes, "residual network: classes: found 0, expected 1 to 1048576"},
    {"blocks", drop_blocks, "stage2: number of blocks: found 0, expected 1 to 1000"},
};

START_TEST (test_error)
{
  const ErrorRow *row = &error_rows[_i];
  EnsResidualParams params = find ("small", 10);
  g_autoptr (GError) error = NULL;

  row->change (&params);
  ck_assert_ptr_null (ens_residual_build (&params, &error));
  ck_assert_contains (error->message, row->message);
}
END_TEST

START_TEST (test_unknown_size)
{
  EnsResidualParams params;
  g_autoptr (GError) error = NULL;

  ck_assert (!ens_residual_find ("51", &params, &error));
  ck_assert_contains (error->message, "there are 50, 101, 152, small");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("networks/residual");
  TEST_ADD_ROWS ("text", test_text, text_rows);
  TEST_ADD_ROWS ("size", test_size, size_rows);
  test_add_row ("read-pixels", "variant", test_read_pixels, 0);
  test_add_row ("read-pixels", "plain", test_read_pixels, 1);
  test_add ("seed", test_seed);
  TEST_ADD_ROWS ("error", test_error, error_rows);
  test_add ("unknown-size", test_unknown_size);
  test_suite ("networks/residual/files");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  test_add ("export", test_export);
  return test_run ();
}
