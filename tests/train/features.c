/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/features.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "check-main.h"

#define FEATURES 3
#define IMAGES 4

static const guint n_rows[IMAGES] = {1, 2, 0, 5};

static EnsImageKey
key_of (guint image)
{
  return ens_image_key (&image, sizeof image);
}

static void
fill_rows (guint image, float *rows)
{
  for (guint i = 0; i < n_rows[image] * FEATURES; i++)
    rows[i] = (float)(image * 100 + i);
}

static void
append_image (EnsFeatureStore *store, guint image)
{
  g_autoptr (GError) error = NULL;
  EnsImageKey key = key_of (image);
  float rows[5 * FEATURES];

  fill_rows (image, rows);
  ck_assert (!ens_feature_store_has (store, &key));
  ck_assert (ens_feature_store_append (store, &key, rows, n_rows[image], &error));
  ck_assert_no_error (error);
}

static void
check_image (EnsFeatureStore *store, guint image)
{
  g_autoptr (GError) error = NULL;
  EnsImageKey key = key_of (image);
  float expected[5 * FEATURES];
  g_autofree float *rows = NULL;
  guint n;

  ck_assert (ens_feature_store_has (store, &key));
  rows = ens_feature_store_read (store, &key, &n, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (n, n_rows[image]);
  fill_rows (image, expected);
  ck_assert_bytes_eq (rows, n * FEATURES * sizeof (float), expected, n * FEATURES * sizeof (float));
}

typedef struct {
  char *folder, *file;
} Fixture;

static Fixture *fixture;

static EnsFeatureStore *
open_store (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  EnsFeatureStore *store =
      ens_feature_store_open (fixture->folder, "network a, taps b", FEATURES, &error);

  ck_assert_no_error (error);
  return store;
}

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  g_autofree char *digest =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, "network a, taps b", -1);
  g_autofree char *name = g_strconcat (digest, ".features", NULL);

  fixture->folder = g_dir_make_tmp ("ensemble-features-XXXXXX", NULL);
  fixture->file = g_build_filename (fixture->folder, name, NULL);
}

static void
tear_down (void)
{
  g_unlink (fixture->file);
  g_rmdir (fixture->folder);
  g_free (fixture->file);
  g_free (fixture->folder);
  g_clear_pointer (&fixture, g_free);
}

START_TEST (test_round_trip)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);

  for (guint i = 0; i < IMAGES; i++)
    append_image (store, i);
  for (guint i = 0; i < IMAGES; i++)
    check_image (store, i);
  g_clear_pointer (&store, ens_feature_store_close);
  store = open_store (fixture);
  ck_assert_uint_eq (ens_feature_store_get_size (store), IMAGES);
  ck_assert_uint_eq (ens_feature_store_get_cut (store), 0);
  for (guint i = IMAGES; i-- > 0;)
    check_image (store, i);
}
END_TEST

/* Features say something of pictures: they are their owner's alone. */
START_TEST (test_private)
{
  g_autofree char *folder = g_build_filename (fixture->folder, "a", "b", NULL);
  g_autoptr (EnsFeatureStore) store = ens_feature_store_open (folder, "x", 2, NULL);
  g_autofree char *parent = g_path_get_dirname (folder);
  GStatBuf status;

  ck_assert_ptr_nonnull (store);
  ck_assert_int_eq (g_stat (folder, &status), 0);
  ck_assert_uint_eq (status.st_mode & 0777, 0700);
  ck_assert_int_eq (g_stat (parent, &status), 0);
  ck_assert_uint_eq (status.st_mode & 0777, 0700);
  ens_remove_tree (parent);
}
END_TEST

/* Sizes of the file after the header and after each image. */
static void
write_all (const Fixture *fixture, gsize *sizes)
{
  for (guint i = 0; i <= IMAGES; i++) {
    g_autoptr (EnsFeatureStore) store = open_store (fixture);
    GStatBuf status;

    if (i > 0)
      append_image (store, i - 1);
    ck_assert_int_eq (g_stat (fixture->file, &status), 0);
    sizes[i] = (gsize)status.st_size;
  }
}

/* g_file_set_contents () would spend its time in fsync (). */
static void
rewrite (const Fixture *fixture, const char *contents, gsize size)
{
  FILE *file = g_fopen (fixture->file, "wb");

  ck_assert_ptr_nonnull (file);
  ck_assert_uint_eq (fwrite (contents, 1, size, file), size);
  ck_assert_int_eq (fclose (file), 0);
}

/* Opens what is left of a file, checks that the images that were whole are there, adds the others,
 * and checks that all are there when opened again. */
static void
check_recovery (const Fixture *fixture, guint n_whole)
{
  EnsFeatureStore *store = open_store (fixture);

  ck_assert_uint_eq (ens_feature_store_get_size (store), n_whole);
  for (guint i = 0; i < n_whole; i++)
    check_image (store, i);
  for (guint i = n_whole; i < IMAGES; i++)
    append_image (store, i);
  ens_feature_store_close (store);
  store = open_store (fixture);
  ck_assert_uint_eq (ens_feature_store_get_cut (store), 0);
  for (guint i = 0; i < IMAGES; i++)
    check_image (store, i);
  ens_feature_store_close (store);
}

START_TEST (test_killed_at_any_byte)
{
  g_autofree char *contents = NULL;
  gsize sizes[IMAGES + 1], size;

  write_all (fixture, sizes);
  ck_assert (g_file_get_contents (fixture->file, &contents, &size, NULL));
  ck_assert_uint_eq (size, sizes[IMAGES]);
  for (gsize left = 0; left <= size; left++) {
    guint n_whole = 0;

    rewrite (fixture, contents, left);
    while (n_whole < IMAGES && left >= sizes[n_whole + 1])
      n_whole++;
    check_recovery (fixture, n_whole);
  }
}
END_TEST

/* A flipped bit in a record costs it and what follows, one in the header costs all. */
START_TEST (test_damage_at_any_byte)
{
  g_autofree char *contents = NULL;
  gsize sizes[IMAGES + 1], size;

  write_all (fixture, sizes);
  ck_assert (g_file_get_contents (fixture->file, &contents, &size, NULL));
  for (gsize at = 0; at < size; at++) {
    guint n_whole = 0;

    contents[at] ^= 0x10;
    rewrite (fixture, contents, size);
    contents[at] ^= 0x10;
    while (n_whole < IMAGES && at >= sizes[n_whole + 1])
      n_whole++;
    check_recovery (fixture, n_whole);
  }
}
END_TEST

START_TEST (test_in_use)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);
  g_autoptr (EnsFeatureStore) other = NULL;
  g_autoptr (GError) error = NULL;

  other = ens_feature_store_open (fixture->folder, "network a, taps b", FEATURES, &error);
  ck_assert_ptr_null (other);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "in use");
}
END_TEST

/* (transfer full) */
static EnsFeatureStore *
open_part (const char *part)
{
  g_autoptr (GError) error = NULL;
  EnsFeatureStore *store =
      ens_feature_store_open_part (fixture->folder, part, "network a, taps b", FEATURES, &error);

  ck_assert_no_error (error);
  return store;
}

/* All read what the others had when they opened it, also of one that is still at it; half a record
 * is none, and stays to its writer. */
START_TEST (test_parts)
{
  g_autoptr (EnsFeatureStore) first = open_part ("first"), second = NULL, whole = NULL;
  g_autofree char *folder = g_build_filename (fixture->folder, "third", NULL);
  g_autofree char *name = g_path_get_basename (fixture->file);
  g_autofree char *half = g_build_filename (folder, name, NULL);
  g_autofree char *contents = NULL;
  g_autofree char *of_first = g_build_filename (fixture->folder, "first", name, NULL);
  gsize size, found;

  append_image (first, 0);
  append_image (first, 1);
  ck_assert (g_file_get_contents (of_first, &contents, &size, NULL));
  ck_assert_int_eq (g_mkdir (folder, 0700), 0);
  ck_assert (g_file_set_contents (half, contents, (gssize)size - 1, NULL));
  second = open_part ("second");
  ck_assert_uint_eq (ens_feature_store_get_size (second), 2);
  append_image (second, 2);
  whole = open_part (NULL);
  ck_assert_uint_eq (ens_feature_store_get_size (whole), 3);
  append_image (whole, 3);
  for (guint i = 0; i < 4; i++)
    check_image (whole, i);
  ck_assert_uint_eq (ens_feature_store_get_size (first), 2);
  g_clear_pointer (&contents, g_free);
  ck_assert (g_file_get_contents (half, &contents, &found, NULL));
  ck_assert_uint_eq (found, size - 1);
  ens_remove_tree (fixture->folder);
}
END_TEST

/* One that its writer has just made, and not locked yet, is left alone. */
START_TEST (test_empty_part)
{
  g_autoptr (EnsFeatureStore) whole = NULL, part = NULL;
  g_autofree char *folder = g_build_filename (fixture->folder, "part", NULL);
  g_autofree char *name = g_path_get_basename (fixture->file);
  g_autofree char *path = g_build_filename (folder, name, NULL);

  ck_assert_int_eq (g_mkdir (folder, 0700), 0);
  ck_assert (g_file_set_contents (path, "", 0, NULL));
  whole = open_part (NULL);
  part = open_part ("part");
  append_image (part, 0);
  ens_remove_tree (fixture->folder);
}
END_TEST

static void
rewind_time (const char *path)
{
  const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

  ck_assert_int_eq (utimensat (AT_FDCWD, path, times, 0), 0);
}

/* Of two with the same features one is used; one without features goes. */
START_TEST (test_unused_part)
{
  g_autoptr (EnsFeatureStore) first = open_part ("first"), second = open_part ("second");
  g_autoptr (EnsFeatureStore) unused = NULL;
  g_autofree char *name = g_path_get_basename (fixture->file);
  g_autofree char *folder = g_build_filename (fixture->folder, "unused", NULL);
  g_autofree char *of_first = g_build_filename (fixture->folder, "first", name, NULL);
  g_autofree char *of_second = g_build_filename (fixture->folder, "second", name, NULL);
  GStatBuf status[2];

  append_image (first, 0);
  append_image (second, 0);
  rewind_time (of_first);
  rewind_time (of_second);
  unused = open_part ("unused");
  check_image (unused, 0);
  ck_assert_int_eq (g_stat (of_first, &status[0]), 0);
  ck_assert_int_eq (g_stat (of_second, &status[1]), 0);
  ck_assert_int_eq ((status[0].st_mtime > 1000) + (status[1].st_mtime > 1000), 1);
  ck_assert (g_file_test (folder, G_FILE_TEST_IS_DIR));
  g_clear_pointer (&unused, ens_feature_store_close);
  ck_assert (!g_file_test (folder, G_FILE_TEST_EXISTS));
  g_clear_pointer (&first, ens_feature_store_close);
  ck_assert (g_file_test (of_first, G_FILE_TEST_EXISTS));
  ens_remove_tree (fixture->folder);
}
END_TEST

START_TEST (test_configurations)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);
  g_autoptr (EnsFeatureStore) other = NULL;
  g_autoptr (GDir) dir = NULL;
  g_autofree char *other_file = NULL;
  const char *name;

  append_image (store, 0);
  other = ens_feature_store_open (fixture->folder, "network a, taps c", FEATURES, NULL);
  ck_assert_ptr_nonnull (other);
  ck_assert_uint_eq (ens_feature_store_get_size (other), 0);
  g_clear_pointer (&other, ens_feature_store_close);
  dir = g_dir_open (fixture->folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!g_str_has_suffix (fixture->file, name))
      other_file = g_build_filename (fixture->folder, name, NULL);
  ck_assert_int_eq (g_unlink (other_file), 0);
}
END_TEST

START_TEST (test_unwritable)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_feature_store_open ("/proc/none/features", "text", FEATURES, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "/proc/none/features");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/features");
  test_fixture (set_up, tear_down);
  test_add ("round-trip", test_round_trip);
  test_add ("private", test_private);
  test_add ("killed-at-any-byte", test_killed_at_any_byte);
  test_add ("damage-at-any-byte", test_damage_at_any_byte);
  test_add ("in-use", test_in_use);
  test_add ("parts", test_parts);
  test_add ("empty-part", test_empty_part);
  test_add ("unused-part", test_unused_part);
  test_add ("configurations", test_configurations);
  test_add ("unwritable", test_unwritable);
  return test_run ();
}
