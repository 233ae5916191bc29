/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/disk.h"

#include "check-main.h"
#include "support/folder.h"
#include "support/small-disk.h"

#define SIZE (1 << 20)

/* In 64ths of a file system, of which the file takes some. */
static const struct {
  const char *name;
  guint file, reserve;
  gboolean was_missing;
  guint missing;
} rows[] = {
    {"empty", 0, 16, FALSE, 0},  {"room", 40, 16, FALSE, 0},       {"exact", 48, 16, FALSE, 0},
    {"less", 52, 16, FALSE, 4},  {"was-missing", 48, 16, TRUE, 2}, {"again", 46, 16, TRUE, 0},
    {"full", 64, 16, FALSE, 16}, {"no-reserve", 64, 0, TRUE, 0},
};

static void
write_64ths (guint n)
{
  g_autofree char *path = g_build_filename (test_folder, "file", NULL);
  g_autofree char *bytes = g_malloc0 (SIZE);

  ck_assert (g_file_set_contents_full (path, bytes, n * (SIZE / 64), G_FILE_SET_CONTENTS_NONE, 0600,
                                       NULL));
}

static gboolean
mount (guint files)
{
  if (test_small_disk_mount (test_folder, SIZE, files))
    return TRUE;
  test_skip ("no small file system can be mounted");
  return FALSE;
}

START_TEST (test_missing)
{
  g_autofree char *later = g_build_filename (test_folder, "not", "yet", "there", NULL);

  if (!mount (0))
    return;
  write_64ths (rows[_i].file);
  ck_assert_uint_eq (ens_disk_get_free (test_folder), (64 - rows[_i].file) * (SIZE / 64));
  ck_assert_uint_eq (
      ens_disk_get_missing (later, rows[_i].reserve * (SIZE / 64), rows[_i].was_missing),
      rows[_i].missing * (SIZE / 64));
  test_small_disk_unmount (test_folder);
}
END_TEST

/* Bytes are of no use without an inode. */
START_TEST (test_inodes)
{
  if (!mount (2))
    return;
  ck_assert_uint_gt (ens_disk_get_free (test_folder), 0);
  write_64ths (1);
  ck_assert_uint_eq (ens_disk_get_free (test_folder), 0);
  test_small_disk_unmount (test_folder);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("disk");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("missing", test_missing, rows);
  test_add ("inodes", test_inodes);
  return test_run ();
}
