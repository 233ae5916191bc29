/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are no models, or damaged ones: a clear error each, and never a crash. */
#include <glib/gstdio.h>
#include <string.h>

#include "check-main.h"
#include "models.h"
#include "onnx/onnx.h"

static const struct {
  const char *contents;
  gsize size;
  const char *message;
} other_files_files[] = {
    {"", 0, "empty, expected an ONNX model"},
    {"<!DOCTYPE html><html>", 21, "not an ONNX model but a web page; download the file itself"},
    {"\n  <html lang=\"en\">", 19, "not an ONNX model but a web page; download the file itself"},
    {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "not an ONNX model but a PNG picture"},
    {"\xff\xd8\xff\xe0\0\x10JFIF", 10, "not an ONNX model but a JPEG picture"},
    {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", 63,
     "not an ONNX model but a Git LFS pointer"},
    {"404: Not Found\n", 15, "not an ONNX model but text"},
    {"PK\x03\x04\x14\0\0\0", 8, "not an ONNX model but a ZIP archive"},
    {"\x1f\x8b\x08\0\0\0", 6, "not an ONNX model but compressed by gzip"},
    {"\x20\0\0\0TFL3\0\0", 10, "not an ONNX model but a TensorFlow Lite model"},
    {"\x07\x07\x07\x07\x07\x07", 6, "ModelProto has no field where one should start at byte 0"},
    {"\x08\x07\x0b\x01", 4, "ModelProto has a field of unknown kind 3 at byte 2"},
    {"\x08\x80\x80", 3, "ModelProto ends within a number at byte 0"},
    {"\x08\x07\x3a\x80", 4, "ModelProto ends within a length at byte 2"},
    {"\x08\x07\x3a\x7f\x0a", 5,
     "ModelProto should go on for 127 bytes and has 1 (is the file complete?) at byte 2"},
    {"\x08\x07\x38\x01", 4, "“graph” of ModelProto is a number at byte 2"},
    {"\x08\x07\x3a\x00\x3a\x00", 6, "ModelProto has a second “graph” at byte 4"},
    {"\x08\x07\x12\x02\xc3\x28", 6, "“producer_name” of ModelProto is not UTF-8 text at byte 4"},
    {"\x08\x07\x12\x02\x41\x00", 6, "“producer_name” of ModelProto is not UTF-8 text at byte 4"},
    {"\x0a\x01\x07", 3, "a field has another type than ONNX says"},
    {"\x08\x07", 2, "the file holds no graph"},
    {"\x08\x07\x3a\x00", 4, "the file does not say its opset"},
};

START_TEST (test_other_files)
{
  g_autoptr (GBytes) bytes =
      g_bytes_new_static (other_files_files[_i].contents, other_files_files[_i].size);

  assert_import_refuses (bytes, NULL, ENS_ERROR_FORMAT, other_files_files[_i].message);
}
END_TEST

/* Messages in messages: graph → node → attribute → graph → … */
START_TEST (test_deep)
{
  static const guint8 tags[] = {0x32, 0x2a, 0x0a}; /* attribute.g, node.attribute, graph.node */
  g_autoptr (GByteArray) array = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i < 12001; i++) {
    guint8 head[6] = {tags[i % 3]};
    guint n = 1, length = array->len;

    for (; length > 0x7f; length >>= 7)
      head[n++] = (guint8)(length | 0x80);
    head[n++] = (guint8)length;
    g_byte_array_prepend (array, head, n);
  }
  array->data[0] = 0x3a;
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&array));
  assert_import_refuses (bytes, NULL, ENS_ERROR_FORMAT, "levels deep");
}
END_TEST

/* Two bytes in the file, two hundred in memory. */
START_TEST (test_many_parts)
{
  const guint n = 1100000;
  guint8 *data = g_malloc (2 * n + 6);
  g_autoptr (GBytes) bytes = NULL;
  guint length = 2 * n;

  data[0] = 0x3a;
  for (guint i = 0; i < 4; i++)
    data[1 + i] = (guint8)(length >> 7 * i | (i < 3 ? 0x80 : 0));
  for (guint i = 0; i < n; i++) {
    data[5 + 2 * i] = 0x0a;
    data[6 + 2 * i] = 0;
  }
  bytes = g_bytes_new_take (data, 2 * n + 5);
  assert_import_refuses (bytes, NULL, ENS_ERROR_FORMAT, "more than 1000000 parts");
}
END_TEST

START_TEST (test_paths)
{
  g_autofree char *folder = g_dir_make_tmp ("ens-hostile-XXXXXX", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing.onnx", NULL);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_onnx_import (missing, NULL, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert (g_str_has_prefix (error->message, missing));
  ck_assert (g_str_has_suffix (error->message, ".onnx: No such file or directory"));
  g_clear_error (&error);
  ck_assert_ptr_null (ens_onnx_import (folder, NULL, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert (g_str_has_suffix (error->message, ": a folder, expected a file"));
  g_rmdir (folder);
}
END_TEST

START_TEST (test_truncation)
{
  g_autoptr (Onnx__ModelProto) model = model_new_small ();
  g_autoptr (GBytes) whole = model_pack (model);

  for (gsize size = 0; size < g_bytes_get_size (whole); size++) {
    g_autofree gpointer copy = g_memdup2 (g_bytes_get_data (whole, NULL), size);
    g_autoptr (GBytes) bytes = g_bytes_new_static (copy, size);

    assert_import_refuses (bytes, NULL, ENS_ERROR_FORMAT, "");
  }
}
END_TEST

/* Whatever comes of it, nothing crashes, and what is accepted is sound. */
static guint
damage_at_random (const Onnx__ModelProto *model, GRand *random, guint n)
{
  g_autoptr (GBytes) whole = model_pack (model);
  gsize size = g_bytes_get_size (whole);
  guint n_accepted = 0;

  for (guint i = 0; i < n; i++) {
    guint8 *copy = g_memdup2 (g_bytes_get_data (whole, NULL), size);
    g_autoptr (GBytes) bytes = g_bytes_new_take (copy, size);
    g_autoptr (EnsGraph) graph = NULL;
    g_autoptr (GError) error = NULL;

    for (gint32 j = g_rand_int_range (random, 1, 4); j > 0; j--)
      copy[g_rand_int_range (random, 0, (gint32)size)] = (guint8)g_rand_int (random);
    graph = ens_onnx_import_bytes (bytes, "bad.onnx", NULL, NULL, &error);
    ck_assert ((graph == NULL) == (error != NULL));
    if (graph != NULL) {
      g_autoptr (GBytes) exported = ens_onnx_export_bytes (graph, NULL);

      ck_assert (ens_graph_validate (graph, NULL));
      n_accepted++;
    }
  }
  return n_accepted;
}

START_TEST (test_random_damage)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20120913);
  g_autoptr (Onnx__ModelProto) sound = model_new_small ();
  guint n_accepted = damage_at_random (sound, random, 10000);

  for (guint i = 0; i < n_model_rows; i++) {
    g_autoptr (Onnx__ModelProto) model = model_new_from_row (&model_rows[i]);

    n_accepted += damage_at_random (model, random, 1000);
  }
  test_message ("%u accepted", n_accepted);
  ck_assert_uint_gt (n_accepted, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/onnx-bytes");
  TEST_ADD_LOOP ("other-files", test_other_files, other_files_files);
  test_add ("deep", test_deep);
  test_add ("many-parts", test_many_parts);
  test_add ("paths", test_paths);
  test_add ("truncation", test_truncation);
  test_add ("random-damage", test_random_damage);
  return test_run ();
}
