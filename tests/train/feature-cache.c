/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/feature-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/files.h"
#include "check-main.h"
#include "train/features.h"

#define STORES 3

typedef struct {
  const char *name;
  guint limit;             /* in stores' sizes */
  const char *open, *kept; /* a digit for each store, 0 the one used longest ago */
} Row;

static const Row rows[] = {
    {"all-fit", 3, "", "012"},     {"oldest-goes", 2, "", "12"}, {"only-newest-stays", 1, "", "2"},
    {"none-stays", 0, "", ""},     {"open-stays", 1, "0", "0"},  {"open-counts", 2, "01", "01"},
    {"all-open", 0, "012", "012"},
};

static EnsFeatureStore *
open_store (const char *folder, guint i)
{
  g_autofree char *configuration = g_strdup_printf ("configuration %u", i);
  g_autoptr (GError) error = NULL;
  EnsFeatureStore *store = ens_feature_store_open (folder, configuration, 1, &error);

  ck_assert_no_error (error);
  return store;
}

/* (transfer full) */
static char *
store_path (const char *folder, guint i)
{
  g_autofree char *configuration = g_strdup_printf ("configuration %u", i);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, configuration, -1);
  g_autofree char *name = g_strconcat (digest, ENS_FEATURES_ENDING, NULL);

  return g_build_filename (folder, name, NULL);
}

/* Returns the size of one store. */
static guint64
make_stores (const char *folder)
{
  GStatBuf status = {0};

  for (guint i = 0; i < STORES; i++) {
    g_autofree char *path = store_path (folder, i);
    struct timespec used[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};

    ens_feature_store_close (open_store (folder, i));
    ck_assert_int_eq (utimensat (AT_FDCWD, path, used, 0), 0);
    ck_assert_int_eq (g_stat (path, &status), 0);
  }
  return (guint64)status.st_size;
}

START_TEST (test_prune)
{
  const Row *row = &rows[_i];
  g_autofree char *folder = g_dir_make_tmp ("ensemble-cache-XXXXXX", NULL);
  g_autofree char *other = g_build_filename (folder, "notes.txt", NULL);
  guint64 size = make_stores (folder);
  EnsFeatureStore *open[STORES] = {NULL};
  EnsFeatureCachePruned pruned;

  ck_assert (g_file_set_contents (other, "mine", -1, NULL));
  for (const char *digit = row->open; *digit != '\0'; digit++)
    open[*digit - '0'] = open_store (folder, *digit - '0');
  pruned = ens_feature_cache_prune (folder, row->limit * size);

  ck_assert_uint_eq (pruned.n, STORES - strlen (row->kept));
  ck_assert_uint_eq (pruned.size, pruned.n * size);
  for (guint i = 0; i < STORES; i++) {
    g_autofree char *path = store_path (folder, i);

    ck_assert_int_eq (g_file_test (path, G_FILE_TEST_EXISTS),
                      strchr (row->kept, (char)('0' + i)) != NULL);
    ens_feature_store_close (open[i]);
  }
  ck_assert (g_file_test (other, G_FILE_TEST_EXISTS));
  ens_remove_tree (folder);
}
END_TEST

/* What was opened last is used last, whatever the order in which stores were made. */
START_TEST (test_opening_is_use)
{
  g_autofree char *folder = g_dir_make_tmp ("ensemble-cache-XXXXXX", NULL);
  g_autofree char *path = store_path (folder, 0);
  guint64 size = make_stores (folder);

  ens_feature_store_close (open_store (folder, 0));
  ck_assert_uint_eq (ens_feature_cache_prune (folder, size).n, STORES - 1);
  ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
  ens_remove_tree (folder);
}
END_TEST

/* A part goes with its last store; one that is read stays. */
START_TEST (test_parts)
{
  g_autofree char *folder = g_dir_make_tmp ("ensemble-cache-XXXXXX", NULL);
  g_autofree char *part = g_build_filename (folder, "part", NULL);
  EnsFeatureStore *store = ens_feature_store_open_part (folder, "part", "a", 1, NULL);
  const EnsImageKey key = ens_image_key ("image", 5);
  EnsFeatureStore *reader;

  ck_assert (ens_feature_store_append (store, &key, &(float) {1}, 1, NULL));
  ens_feature_store_close (store);
  reader = ens_feature_store_open (folder, "a", 1, NULL);
  ck_assert_uint_eq (ens_feature_cache_prune (folder, 0).n, 0);
  ck_assert (g_file_test (part, G_FILE_TEST_IS_DIR));
  ens_feature_store_close (reader);
  ck_assert_uint_eq (ens_feature_cache_prune (folder, 0).n, 2);
  ck_assert (!g_file_test (part, G_FILE_TEST_EXISTS));
  ens_remove_tree (folder);
}
END_TEST

START_TEST (test_no_folder)
{
  ck_assert_uint_eq (ens_feature_cache_prune ("/proc/none", 0).n, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/feature-cache");
  TEST_ADD_ROWS ("prune", test_prune, rows);
  test_add ("opening-is-use", test_opening_is_use);
  test_add ("parts", test_parts);
  test_add ("no-folder", test_no_folder);
  return test_run ();
}
