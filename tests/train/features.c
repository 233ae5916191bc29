#include "train/features.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

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
  g_assert_false (ens_feature_store_has (store, &key));
  g_assert_true (ens_feature_store_append (store, &key, rows, n_rows[image], &error));
  g_assert_no_error (error);
}

static void
check_image (EnsFeatureStore *store, guint image)
{
  g_autoptr (GError) error = NULL;
  EnsImageKey key = key_of (image);
  float expected[5 * FEATURES];
  g_autofree float *rows = NULL;
  guint n;

  g_assert_true (ens_feature_store_has (store, &key));
  rows = ens_feature_store_read (store, &key, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, n_rows[image]);
  fill_rows (image, expected);
  g_assert_cmpmem (rows, n * FEATURES * sizeof (float), expected, n * FEATURES * sizeof (float));
}

typedef struct {
  char *folder, *file;
} Fixture;

static EnsFeatureStore *
open_store (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  EnsFeatureStore *store =
      ens_feature_store_open (fixture->folder, "network a, taps b", FEATURES, &error);

  g_assert_no_error (error);
  return store;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *digest =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, "network a, taps b", -1);
  g_autofree char *name = g_strconcat (digest, ".features", NULL);

  fixture->folder = g_dir_make_tmp ("ensemble-features-XXXXXX", NULL);
  fixture->file = g_build_filename (fixture->folder, name, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->file);
  g_rmdir (fixture->folder);
  g_free (fixture->file);
  g_free (fixture->folder);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);

  for (guint i = 0; i < IMAGES; i++)
    append_image (store, i);
  for (guint i = 0; i < IMAGES; i++)
    check_image (store, i);
  g_clear_pointer (&store, ens_feature_store_close);
  store = open_store (fixture);
  g_assert_cmpuint (ens_feature_store_get_size (store), ==, IMAGES);
  g_assert_cmpuint (ens_feature_store_get_cut (store), ==, 0);
  for (guint i = IMAGES; i-- > 0;)
    check_image (store, i);
}

/* Sizes of the file after the header and after each image. */
static void
write_all (const Fixture *fixture, gsize *sizes)
{
  for (guint i = 0; i <= IMAGES; i++) {
    g_autoptr (EnsFeatureStore) store = open_store (fixture);
    GStatBuf status;

    if (i > 0)
      append_image (store, i - 1);
    g_assert_cmpint (g_stat (fixture->file, &status), ==, 0);
    sizes[i] = (gsize)status.st_size;
  }
}

/* g_file_set_contents () would spend its time in fsync (). */
static void
rewrite (const Fixture *fixture, const char *contents, gsize size)
{
  FILE *file = g_fopen (fixture->file, "wb");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (contents, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
}

/* Opens what is left of a file, checks that the images that were whole are there, adds the others,
 * and checks that all are there when opened again. */
static void
check_recovery (const Fixture *fixture, guint n_whole)
{
  EnsFeatureStore *store = open_store (fixture);

  g_assert_cmpuint (ens_feature_store_get_size (store), ==, n_whole);
  for (guint i = 0; i < n_whole; i++)
    check_image (store, i);
  for (guint i = n_whole; i < IMAGES; i++)
    append_image (store, i);
  ens_feature_store_close (store);
  store = open_store (fixture);
  g_assert_cmpuint (ens_feature_store_get_cut (store), ==, 0);
  for (guint i = 0; i < IMAGES; i++)
    check_image (store, i);
  ens_feature_store_close (store);
}

static void
test_killed_at_any_byte (Fixture *fixture, gconstpointer data)
{
  g_autofree char *contents = NULL;
  gsize sizes[IMAGES + 1], size;

  write_all (fixture, sizes);
  g_assert_true (g_file_get_contents (fixture->file, &contents, &size, NULL));
  g_assert_cmpuint (size, ==, sizes[IMAGES]);
  for (gsize left = 0; left <= size; left++) {
    guint n_whole = 0;

    rewrite (fixture, contents, left);
    while (n_whole < IMAGES && left >= sizes[n_whole + 1])
      n_whole++;
    check_recovery (fixture, n_whole);
  }
}

/* A flipped bit in a record costs it and what follows, one in the header costs all. */
static void
test_damage_at_any_byte (Fixture *fixture, gconstpointer data)
{
  g_autofree char *contents = NULL;
  gsize sizes[IMAGES + 1], size;

  write_all (fixture, sizes);
  g_assert_true (g_file_get_contents (fixture->file, &contents, &size, NULL));
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

static void
test_in_use (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);
  g_autoptr (EnsFeatureStore) other = NULL;
  g_autoptr (GError) error = NULL;

  other = ens_feature_store_open (fixture->folder, "network a, taps b", FEATURES, &error);
  g_assert_null (other);
  g_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "in use"));
}

static void
test_configurations (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EnsFeatureStore) store = open_store (fixture);
  g_autoptr (EnsFeatureStore) other = NULL;
  g_autoptr (GDir) dir = NULL;
  g_autofree char *other_file = NULL;
  const char *name;

  append_image (store, 0);
  other = ens_feature_store_open (fixture->folder, "network a, taps c", FEATURES, NULL);
  g_assert_nonnull (other);
  g_assert_cmpuint (ens_feature_store_get_size (other), ==, 0);
  g_clear_pointer (&other, ens_feature_store_close);
  dir = g_dir_open (fixture->folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (!g_str_has_suffix (fixture->file, name))
      other_file = g_build_filename (fixture->folder, name, NULL);
  g_assert_cmpint (g_unlink (other_file), ==, 0);
}

static void
test_unwritable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ens_feature_store_open ("/proc/none/features", "text", FEATURES, &error));
  g_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "/proc/none/features"));
}

#define ADD(name, function) \
  g_test_add ("/train/features/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("round-trip", test_round_trip);
  ADD ("killed-at-any-byte", test_killed_at_any_byte);
  ADD ("damage-at-any-byte", test_damage_at_any_byte);
  ADD ("in-use", test_in_use);
  ADD ("configurations", test_configurations);
  ADD ("unwritable", test_unwritable);
  return g_test_run ();
}
