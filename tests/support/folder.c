/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/folder.h"

#include <glib/gstdio.h>

#include "base/files.h"
#include "check-main.h"

char *test_folder;

void
test_folder_set_up (void)
{
  g_autoptr (GError) error = NULL;

  test_folder = g_dir_make_tmp ("ensemble-test-XXXXXX", &error);
  ck_assert_no_error (error);
}

void
test_folder_tear_down (void)
{
  ens_remove_tree (test_folder);
  g_clear_pointer (&test_folder, g_free);
}

void
test_folder_write (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (test_folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  ck_assert_int_eq (g_mkdir_with_parents (parent, 0777), 0);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
}
