/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/own-rows.h"

#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "onnx/onnx.h"
#include "passes/label-layer.h"
#include "passes/linear.h"
#include "toy.h"

#define SIZE 32
#define OUTPUTS 4
#define LENGTH 8

static char *folder, *path;

static void
set_up (void)
{
  g_autoptr (EnsGraph) network = toy_network (7, SIZE, OUTPUTS, FALSE);

  folder = g_dir_make_tmp ("ensemble-own-rows-XXXXXX", NULL);
  path = toy_save_network (network, folder, "toy.onnx");
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_free (folder);
  g_free (path);
}

/* Which output each class gets; −1: none. */
static const struct {
  const char *name, *labels; /* NULL: the network has none */
  const char *tap;
  guint length;
  const char *classes[4];
  gint outputs[3];
} rows[] = {
    {"all",
     "[\"pear\", \"apple\", \"fig\", \"plum\"]",
     "relu2",
     LENGTH,
     {"apple", "fig", "pear"},
     {1, 2, 0}},
    {"some",
     "[\"pear\", \"apple\", \"fig\", \"plum\"]",
     "pool",
     LENGTH,
     {"cherry", "Plum", "app"},
     {-1, 3, -1}},
    {"names",
     "[\"n02834778 bicycle, push-bike\", \"n0 fig\", \"Quince, fig\", \"\"]",
     "flat",
     LENGTH,
     {"push-bike", "fig", "n02834778"},
     {0, 2, -1}},
    {"none",
     "[\"pear\", \"apple\", \"fig\", \"plum\"]",
     "relu2",
     LENGTH,
     {"hat", "shoe", "sock"},
     {-1, -1, -1}},
    {"no-labels", NULL, "relu2", LENGTH, {"apple", "fig", "pear"}, {-1, -1, -1}},
    {"another-network's",
     "[\"pear\", \"apple\", \"fig\"]",
     "relu2",
     LENGTH,
     {"apple", "fig", "pear"},
     {-1, -1, -1}},
    {"behind-a-convolution",
     "[\"pear\", \"apple\", \"fig\", \"plum\"]",
     "relu1",
     LENGTH,
     {"apple", "fig", "pear"},
     {-1, -1, -1}},
    {"more-features",
     "[\"pear\", \"apple\", \"fig\", \"plum\"]",
     "relu2",
     LENGTH + 1,
     {"apple", "fig", "pear"},
     {-1, -1, -1}},
};

static void
write_labels (const char *labels)
{
  g_autofree char *beside = g_build_filename (folder, "toy.json", NULL);
  g_autofree char *text = g_strdup_printf ("{\"labels\": %s}", labels);

  if (labels != NULL)
    ck_assert (g_file_set_contents (beside, text, -1, NULL));
}

START_TEST (test_find)
{
  g_autoptr (EnsGraph) network = ens_onnx_import (path, NULL, NULL);
  g_autoptr (EnsLinear) linear = ens_linear_read (ens_label_layer_find (network, NULL));
  g_autoptr (EnsOwnRows) found = NULL;
  guint n = 0;

  write_labels (rows[_i].labels);
  found = ens_own_rows_find (
      &(EnsOwnRowsQuery) {path, SIZE, rows[_i].tap, rows[_i].length, rows[_i].classes});
  for (guint c = 0; c < 3; c++)
    n += rows[_i].outputs[c] >= 0;
  ck_assert_uint_eq (found != NULL ? found->n : 0, n);
  for (guint c = 0; c < 3 && found != NULL; c++) {
    gint output = rows[_i].outputs[c];

    ck_assert_int_eq (found->has_class[c], output >= 0);
    if (output < 0)
      continue;
    ck_assert_mem_eq (&found->layer->weights[c * LENGTH], &linear->weights[output * LENGTH],
                      LENGTH * sizeof (float));
    ck_assert_double_eq (found->layer->biases[c], linear->bias[output]);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/own-rows");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("find", test_find, rows);
  return test_run ();
}
