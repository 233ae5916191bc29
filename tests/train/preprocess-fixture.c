/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preprocess-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "graph/op.h"
#include "onnx/onnx.h"
#include "ops/params.h"

#define N_FILTERS 16
#define N_CLASSES 3

void
place_init (Place *place)
{
  place->folder = g_dir_make_tmp ("ens-preprocess-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "net.onnx", NULL);
}

void
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

void
put_file (const Place *place, const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (place->folder, name, NULL);

  ck_assert (g_file_set_contents (path, contents, -1, NULL));
}

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
  EnsValue *value = ens_graph_add_input (
      graph, "pixels", design->type, &ENS_SHAPE (-1, design->size, design->size, design->channels));
  g_autoptr (GError) error = NULL;
  GBytes *bytes;

  if (design->type != ENS_TYPE_FLOAT32)
    value = ens_graph_apply (graph, ens_op_find ("Cast"), &(EnsCastParams) {ENS_TYPE_FLOAT32},
                             value, NULL);
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

/* In protobuf a field may simply be appended. */
void
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

void
put_network (const Place *place, const Design *design, const char *key, const char *value,
             const char *producer)
{
  put_network_with (place, design, (const char *const[]) {key, value, NULL}, producer);
}

EnsPreprocess *
find (const Place *place)
{
  g_autoptr (GError) error = NULL;
  EnsPreprocess *preprocess = ens_preprocess_find (place->path, &error);

  ck_assert_no_error (error);
  return preprocess;
}

void
assert_explained (const EnsPreprocess *preprocess, EnsPreprocessPart part, const char *how)
{
  g_autofree char *explained = ens_preprocess_explain (preprocess, part);

  ck_assert_ptr_nonnull (explained);
  if (strstr (explained, how) == NULL)
    ck_abort_msg ("expected “%s” in “%s”", how, explained);
}

void
assert_range (const EnsPreprocess *preprocess, const double *means, const double *scales)
{
  for (guint c = 0; c < 3; c++) {
    ck_assert_double_eq_tol (preprocess->normalise.mean[c], means[c], 1e-3);
    ck_assert_double_eq_tol (preprocess->normalise.scale[c], scales[c], 1e-5);
  }
}
