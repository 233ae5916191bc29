#include "base/files.h"

#include <glib/gstdio.h>
#include <unistd.h>

static void
make_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static void
test_remove_tree (void)
{
  g_autofree char *root = g_dir_make_tmp ("ensemble-files-XXXXXX", NULL);
  g_autofree char *outside = g_build_filename (root, "outside", NULL);
  g_autofree char *tree = g_build_filename (root, "tree", NULL);
  g_autofree char *deep = g_build_filename (tree, "a", "b", NULL);
  g_autofree char *link = g_build_filename (deep, "link", NULL);
  g_autofree char *kept = g_build_filename (outside, "kept", NULL);

  g_assert_cmpint (g_mkdir_with_parents (deep, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (outside, 0700), ==, 0);
  make_file (outside, "kept");
  make_file (deep, "file");
  make_file (tree, "file");
  g_assert_cmpint (symlink (outside, link), ==, 0);

  ens_remove_tree (tree);
  g_assert_false (g_file_test (tree, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));

  ens_remove_tree (kept);
  g_assert_false (g_file_test (kept, G_FILE_TEST_EXISTS));
  ens_remove_tree ("/nowhere/at/all");
  ens_remove_tree (root);
  g_assert_false (g_file_test (root, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/files/remove-tree", test_remove_tree);
  return g_test_run ();
}
