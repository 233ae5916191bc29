/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of classes in files, and bundles made of them. */
#include "train/zero-shot.h"

#include <math.h>
#include <string.h>

#include "../ensemble/toy.h"
#include "base/files.h"
#include "check-main.h"
#include "cpu/interpret.h"
#include "ensemble/ensemble.h"
#include "onnx/onnx.h"

static char *folder;

static void
set_up (void)
{
  folder = g_dir_make_tmp ("ens-zero-shot-XXXXXX", NULL);
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_free (folder);
}

/* (transfer full) */
static char *
save (const char *name, gconstpointer bytes, gsize size)
{
  char *path = g_build_filename (folder, name, NULL);

  ck_assert (g_file_set_contents (path, bytes, (gssize)size, NULL));
  return path;
}

/* Files: their headers, and the numbers behind. */

typedef enum { NUMPY, SAFETENSORS } Kind;

#define F4(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape "}"
#define TENSOR(name, shape, begin, end) \
  "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
/* Two vectors, (3, 4) and (0, 3). */
static const float two[] = {3, 4, 0, 3}, zero[] = {0}, wrong[] = {NAN};

static const struct {
  const char *name;
  Kind kind;
  const char *header;
  const float *numbers;
  guint n_numbers;
  const char *names;    /* contents of that file, or NULL */
  const char *expected; /* the classes' names, or … */
  const char *message;
} files[] = {
    {"numpy", NUMPY, F4 ("(2, 2)"), two, 4, "cat\ndog\n", "cat dog"},
    {"numpy-blank-lines", NUMPY, F4 ("(2, 2)"), two, 4, "\n cat \n\ndog", "cat dog"},
    {"numpy-without-names", NUMPY, F4 ("(2, 2)"), two, 4, NULL, NULL,
     "the rows of its matrix have no names; give a text file with a line for each"},
    {"numpy-three-names", NUMPY, F4 ("(2, 2)"), two, 4, "a\nb\nc", NULL,
     "has 3 names, expected 2: one for each vector"},
    {"numpy-same-names", NUMPY, F4 ("(2, 2)"), two, 4, "a\na", NULL,
     "the class “a” is given twice"},
    {"numpy-short", NUMPY, F4 ("(2, 2)"), two, 1, "a\nb", NULL, "but there are 4 bytes of numbers"},
    {"numpy-vector", NUMPY, F4 ("(4,)"), two, 4, "a\nb", NULL, "expected a matrix"},
    {"numpy-cube", NUMPY, F4 ("(1, 2, 2)"), two, 4, "a\nb", NULL, "expected a matrix"},
    {"numpy-nothing", NUMPY, F4 ("(0, 2)"), two, 0, "a\nb", NULL, "expected a matrix"},
    {"numpy-huge", NUMPY, F4 ("(99999, 9999999)"), two, 4, "a\nb", NULL, "but there are 16 bytes"},
    {"numpy-zeroes", NUMPY, F4 ("(1, 1)"), zero, 1, "a", NULL,
     "the vector of class “a” has a length of 0"},
    {"numpy-not-a-number", NUMPY, F4 ("(1, 1)"), wrong, 1, "a", NULL,
     "the vector of class “a” has a length of"},
    {"numpy-integers", NUMPY, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2)}", two, 4,
     "a\nb", NULL, "numbers of type '<i4'"},
    {"numpy-columns", NUMPY, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", two, 4,
     "a\nb", NULL, "column by column; save numpy.ascontiguousarray (matrix)"},
    {"numpy-no-header", NUMPY, "", two, 0, "a\nb", NULL, "cut off in its header"},
    {"safetensors", SAFETENSORS,
     "{\"__metadata__\":{\"a\":\"b\"}," TENSOR ("dog", "[2]", "0",
                                                "8") "," TENSOR ("cat", "[2]", "8", "16") "}  ",
     two, 4, NULL, "dog cat"},
    {"safetensors-matrix", SAFETENSORS, "{" TENSOR ("v", "[2,2]", "0", "16") "}", two, 4, "a\nb",
     "a b"},
    {"safetensors-named-twice", SAFETENSORS, "{" TENSOR ("v", "[4]", "0", "16") "}", two, 4, "a",
     NULL, "its vectors have names already"},
    {"safetensors-beyond", SAFETENSORS, "{" TENSOR ("v", "[2,2]", "8", "24") "}", two, 4, "a\nb",
     NULL, "tensor “v”: its place in the file does not fit its shape"},
    {"safetensors-backwards", SAFETENSORS, "{" TENSOR ("v", "[2,2]", "16", "0") "}", two, 4, "a\nb",
     NULL, "tensor “v”: its place in the file does not fit its shape"},
    {"safetensors-negative", SAFETENSORS, "{" TENSOR ("v", "[2,-2]", "0", "16") "}", two, 4, "a\nb",
     NULL, "tensor “v”: expected a vector, or a matrix with a row for each class"},
    {"safetensors-integers", SAFETENSORS,
     "{\"v\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", two, 4, "a\nb", NULL,
     "tensor “v”: expected float32"},
    {"safetensors-lengths", SAFETENSORS,
     "{" TENSOR ("a", "[1]", "0", "4") "," TENSOR ("b", "[2]", "4", "12") "}", two, 4, NULL, NULL,
     "vectors of 1 and of 2 numbers, expected one length"},
    {"safetensors-two-matrices", SAFETENSORS,
     "{" TENSOR ("a", "[1,2]", "0", "8") "," TENSOR ("b", "[1,2]", "8", "16") "}", two, 4, NULL,
     NULL, "tensor “b”: expected one matrix, or vectors alone"},
    {"safetensors-matrix-then-vector", SAFETENSORS,
     "{" TENSOR ("v", "[1,2]", "0", "8") "," TENSOR ("cat", "[2]", "8", "16") "}", two, 4, NULL,
     NULL, "tensor “cat”: expected one matrix, or vectors alone"},
    {"safetensors-no-json", SAFETENSORS, "{\"v\":", two, 4, NULL, NULL, "not sound JSON"},
    {"safetensors-nothing", SAFETENSORS, "{}", two, 0, NULL, NULL, "has no vectors"},
};

/* The header's length, little-endian. */
static void
append_length (GByteArray *bytes, gsize length, guint width)
{
  for (guint i = 0; i < width; i++) {
    guint8 byte = (guint8)(length >> 8 * i);

    g_byte_array_append (bytes, &byte, 1);
  }
}

/* (transfer full) */
static char *
save_row (guint i)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gsize length = strlen (files[i].header);

  if (files[i].kind == NUMPY)
    g_byte_array_append (bytes, (const guint8 *)"\x93NUMPY\x01\x00", 8);
  append_length (bytes, length, files[i].kind == NUMPY ? 2 : 8);
  g_byte_array_append (bytes, (const guint8 *)files[i].header, (guint)length);
  g_byte_array_append (bytes, (const guint8 *)files[i].numbers,
                       files[i].n_numbers * (guint)sizeof (float));
  return save ("vectors", bytes->data, bytes->len);
}

START_TEST (test_file)
{
  g_autofree char *path = save_row ((guint)_i);
  g_autofree char *names =
      files[_i].names != NULL ? save ("names", files[_i].names, strlen (files[_i].names)) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsClassVectors) vectors = ens_class_vectors_load (path, names, &error);
  g_autofree char *found = NULL;

  if (files[_i].message != NULL) {
    ck_assert_ptr_null (vectors);
    ck_assert_contains (error->message, files[_i].message);
    return;
  }
  ck_assert_no_error (error);
  found = g_strjoinv (" ", vectors->names);
  ck_assert_pstr_eq (found, files[_i].expected);
  ck_assert_uint_eq (vectors->n, 2);
  ck_assert_uint_eq (vectors->length, 2);
  ck_assert_float_eq_tol (vectors->values[0], 0.6F, 1e-6F);
  ck_assert_float_eq_tol (vectors->values[1], 0.8F, 1e-6F);
  ck_assert_float_eq_tol (vectors->values[2], 0, 1e-6F);
  ck_assert_float_eq_tol (vectors->values[3], 1, 1e-6F);
}
END_TEST

static const struct {
  const char *name, *bytes;
  gsize size;
  const char *message;
} others[] = {
    {"text", "hello, world", 12, "expected a file of NumPy (.npy) or of safetensors"},
    {"empty", "", 0, "expected a file of NumPy (.npy) or of safetensors"},
    {"cut", "\x93NUMPY\x01", 7, "the file is cut off in its header"},
    {"cut-header", "\x93NUMPY\x01\x00\xff\xff{", 11, "the file is cut off in its header"},
    {"missing", NULL, 0, "vectors: "},
};

START_TEST (test_other_file)
{
  g_autofree char *path = others[_i].bytes != NULL
                              ? save ("vectors", others[_i].bytes, others[_i].size)
                              : g_build_filename (folder, "vectors", NULL);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_class_vectors_load (path, NULL, &error));
  ck_assert_contains (error->message, others[_i].message);
}
END_TEST

/* Bundles. The toy network's "pool" gives 8 values. */

static const float rows[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
static const char *const names[] = {"one", "other", NULL};

typedef struct {
  EnsFitNetwork network;
  EnsClassVectors vectors;
  EnsZeroShotParams params;
  char *bundle;
} Setting;

static void
setting_init (Setting *setting, guint length, gboolean exclusive)
{
  static const char *const taps[] = {"pool", NULL};
  g_autoptr (EnsGraph) network = toy_network (1, 32, 5, FALSE);

  *setting = (Setting) {.network = {.path = toy_save_network (network, folder, "toy.onnx"),
                                    .taps = taps,
                                    .normalise = {.scale = {0.01F, 0.01F, 0.01F}}},
                        .vectors = {2, length, (float *)rows, (char **)names}};
  setting->bundle = g_build_filename (folder, "toy.ensemble", NULL);
  setting->params = (EnsZeroShotParams) {.network = &setting->network,
                                         .vectors = &setting->vectors,
                                         .source = "texts.npy",
                                         .bundle = setting->bundle,
                                         .temperature = 4,
                                         .bias = -1,
                                         .exclusive = exclusive,
                                         .threshold = 0.25F};
}

static void
setting_clear (Setting *setting)
{
  g_free ((gpointer)setting->network.path);
  g_free (setting->bundle);
}

/* The file's decision values for these features. */
static void
decide (const EnsBundle *bundle, const float *features, double *decisions)
{
  g_autofree char *path = g_build_filename (bundle->folder, bundle->networks[0].classifier, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, &error);
  g_autoptr (EnsTensor) input = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (1, 8), features);
  g_autoptr (GPtrArray) outputs = NULL;

  ck_assert_no_error (error);
  outputs = ens_interpret (graph, (EnsTensor *[]) {input}, &error);
  ck_assert_no_error (error);
  for (guint c = 0; c < 2; c++)
    decisions[c] = ((const float *)((EnsTensor *)outputs->pdata[0])->data)[c];
}

static double
sigmoid (double t)
{
  return 1 / (1 + exp (-t));
}

START_TEST (test_bundle)
{
  static const float features[] = {3, 4, 0, 0, 0, 0, 0, 0}; /* cosines 0.6 and 0.8 */
  gboolean exclusive = _i == 1;
  double scores[] = {4 * 0.6 - 1, 4 * 0.8 - 1}, found[2];
  g_autoptr (EnsBundle) bundle = NULL;
  g_autoptr (GError) error = NULL;
  Setting setting;

  setting_init (&setting, 8, exclusive);
  ens_zero_shot (&setting.params, NULL, &error);
  ck_assert_no_error (error);
  bundle = ens_bundle_load (setting.bundle, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (bundle->n_classes, 2);
  ck_assert_pstr_eq (bundle->classes[1], "other");
  ck_assert_float_eq (bundle->thresholds[0], 0.25F);
  ck_assert_pstr_eq (bundle->name, "toy");
  decide (bundle, features, found);
  for (guint c = 0; c < 2; c++) {
    double expected = exclusive ? sigmoid (scores[c] - scores[1 - c]) : sigmoid (scores[c]);

    ck_assert_double_eq_tol (sigmoid (found[c]), expected, 1e-6);
  }
  setting_clear (&setting);
}
END_TEST

/* What the bundle says of a picture is what the classifier says of the network's features. */
START_TEST (test_picture)
{
  g_autoptr (EnsPicture) picture = toy_picture (1, 0, 64, 48);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsResult) result = NULL;
  g_autoptr (GError) error = NULL;
  EnsAnalyseOptions options = ENS_ANALYSE_DEFAULTS;
  EnsAnalysis *analysis;
  Setting setting;

  setting_init (&setting, 8, TRUE);
  ens_zero_shot (&setting.params, NULL, &error);
  ck_assert_no_error (error);
  ensemble = ens_ensemble_open (setting.bundle, device, &error);
  ck_assert_no_error (error);
  analysis = ens_analysis_new (ensemble);
  result = ens_analysis_run (analysis, &picture->frame, 0, &options, &error);
  ck_assert_no_error (error);
  ck_assert_float_eq_tol (result->classes[0].p + result->classes[1].p, 1, 1e-5F);
  ck_assert_float_eq (result->classes[0].p, result->classes[0].p2);
  ens_analysis_free (analysis);
  setting_clear (&setting);
}
END_TEST

START_TEST (test_other_length)
{
  g_autoptr (GError) error = NULL;
  Setting setting;

  setting_init (&setting, 4, TRUE);
  ck_assert (!ens_zero_shot (&setting.params, NULL, &error));
  ck_assert_contains (error->message,
                      "toy.onnx: the layer “pool” has 8 values, the vectors of texts.npy have 4; "
                      "name the layer that gives the embedding (taps=LAYER)");
  setting_clear (&setting);
}
END_TEST

/* Without taps: the first output that is as long as the vectors. */
START_TEST (test_output)
{
  g_autoptr (EnsBundle) bundle = NULL;
  g_autoptr (GError) error = NULL;
  Setting setting;

  setting_init (&setting, 5, TRUE);
  setting.network.taps = NULL;
  ens_zero_shot (&setting.params, NULL, &error);
  ck_assert_no_error (error);
  bundle = ens_bundle_load (setting.bundle, &error);
  ck_assert_no_error (error);
  ck_assert_pstr_eq (bundle->networks[0].taps[0], "prob");
  setting_clear (&setting);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/zero-shot");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("files", test_file, files);
  TEST_ADD_ROWS ("other-files", test_other_file, others);
  test_add_loop ("bundle", test_bundle, 2);
  test_add ("picture", test_picture);
  test_add ("other-length", test_other_length);
  test_add ("output", test_output);
  return test_run ();
}
