/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "check-main.h"

static void
make_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  ck_assert (g_file_set_contents (path, "x", 1, NULL));
}

START_TEST (test_remove_tree)
{
  g_autofree char *root = g_dir_make_tmp ("ensemble-files-XXXXXX", NULL);
  g_autofree char *outside = g_build_filename (root, "outside", NULL);
  g_autofree char *tree = g_build_filename (root, "tree", NULL);
  g_autofree char *deep = g_build_filename (tree, "a", "b", NULL);
  g_autofree char *link = g_build_filename (deep, "link", NULL);
  g_autofree char *kept = g_build_filename (outside, "kept", NULL);

  ck_assert_int_eq (g_mkdir_with_parents (deep, 0700), 0);
  ck_assert_int_eq (g_mkdir (outside, 0700), 0);
  make_file (outside, "kept");
  make_file (deep, "file");
  make_file (tree, "file");
  ck_assert_int_eq (symlink (outside, link), 0);

  ens_remove_tree (tree);
  ck_assert (!g_file_test (tree, G_FILE_TEST_EXISTS));
  ck_assert (g_file_test (kept, G_FILE_TEST_EXISTS));

  ens_remove_tree (kept);
  ck_assert (!g_file_test (kept, G_FILE_TEST_EXISTS));
  ens_remove_tree ("/nowhere/at/all");
  ens_remove_tree (root);
  ck_assert (!g_file_test (root, G_FILE_TEST_EXISTS));
}
END_TEST

/* NULL: the file is what its name says. */
static const struct {
  const char *bytes, *said;
} stand_ins[] = {
    {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
    {"\n  <!DOCTYPE html>", "a web page"},
    {"<HTML>", "a web page"},
    {"version https://git", NULL},
    {" \n", NULL},
    {"", NULL},
};

START_TEST (test_stand_ins)
{
  const gsize size = strlen (stand_ins[_i].bytes);
  g_autofree char *bytes = g_memdup2 (stand_ins[_i].bytes, size); /* no zero behind them */
  const char *said = ens_find_stand_in (bytes, size);

  if (stand_ins[_i].said == NULL)
    ck_assert_ptr_null (said);
  else
    ck_assert_contains (said, stand_ins[_i].said);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/files");
  test_add ("remove-tree", test_remove_tree);
  TEST_ADD_LOOP ("stand-ins", test_stand_ins, stand_ins);
  return test_run ();
}
