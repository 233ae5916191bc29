/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What could be annotations, and why it is not. */
#include <string.h>

#include "base/files.h"
#include "dataset/boxes-private.h"
#include "dataset/csv-table.h"
#include "dataset/left-out.h"

/* So many are named. */
#define MAX_NAMED 3

#define WRITE_TABLE "write its pictures as files, with a table (*.csv) of “file,class”"

/* Files that sets come as, or with, and what to do about them. */
static const struct {
  const char *ending, *what;
} foreign[] = {
    {".zip", "an archive; unpack it"},
    {".tar", "an archive; unpack it"},
    {".tgz", "an archive; unpack it"},
    {".tar.gz", "an archive; unpack it"},
    {".7z", "an archive; unpack it"},
    {".rar", "an archive; unpack it"},
    {".parquet", "a Parquet file; " WRITE_TABLE},
    {".arrow", "an Arrow file; " WRITE_TABLE},
    {".tfrecord", "TensorFlow's records; " WRITE_TABLE},
    {".tfrecords", "TensorFlow's records; " WRITE_TABLE},
    {".rec", "MXNet's records; " WRITE_TABLE},
    {".h5", "an HDF5 file; " WRITE_TABLE},
    {".hdf5", "an HDF5 file; " WRITE_TABLE},
    {".npz", "NumPy's arrays; " WRITE_TABLE},
    {".pkl", "a Python pickle; " WRITE_TABLE},
    {".mat", "MATLAB's file; write a table (*.csv) of “file,class”"},
    {".lst", "MXNet's list; write a table (*.csv) of “file,class”"},
    {".manifest", "SageMaker's manifest; write JSON lines of {\"image\": …, \"label\": …}"},
    {".xlsx", "a spreadsheet; save it as *.csv"},
    {".ods", "a spreadsheet; save it as *.csv"},
    {".json", "JSON of another kind; write a list of {\"image\": …, \"label\": …}"},
};

static const char *
find_foreign (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    if (g_str_has_suffix (lower, foreign[i].ending))
      return foreign[i].what;
  return NULL;
}

/* Of a table that can be read but not understood; NULL if it can. (transfer full) */
static char *
explain_table (const char *path, GBytes *text)
{
  g_autoptr (GError) reason = NULL;
  EnsCsvTable table;
  EnsCsvScan scan;

  ens_csv_scan_init (&scan, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  ens_csv_table_init (&table, &scan, path, NULL, NULL, &reason);
  ens_csv_table_clear (&table);
  return reason != NULL ? g_strdup (reason->message) : NULL;
}

/* (transfer full) */
static char *
explain (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  g_autoptr (GError) reason = NULL;
  gboolean json = g_str_has_suffix (lower, ".json");
  const char *what = find_foreign (path);
  g_autoptr (GBytes) text = NULL;
  char *explained = NULL;

  if (what != NULL && !json)
    return g_strdup_printf ("%s (%s)", path, what);
  text = ens_file_map_text (path, &reason);
  if (text == NULL)
    return g_strdup_printf ("%s: %s", path, reason->message);
  if (g_str_has_suffix (lower, ".csv") || g_str_has_suffix (lower, ".tsv"))
    explained = explain_table (path, text);
  if (explained == NULL && what != NULL)
    return g_strdup_printf ("%s (%s)", path, what);
  return explained != NULL ? explained : g_strdup (path);
}

static void
add_files (const char *folder, GPtrArray *files, GPtrArray *found)
{
  for (guint i = 0; i < files->len; i++)
    if ((ens_left_out_find_reason (files->pdata[i]) == ENS_LEFT_OUT_ANNOTATION
         || find_foreign (files->pdata[i]) != NULL)
        && g_ascii_strncasecmp (files->pdata[i], "readme", 6) != 0)
      g_ptr_array_add (found, g_build_filename (folder, files->pdata[i], NULL));
}

/* Of the folder, and of the folders in it. (transfer full, char *) */
static GPtrArray *
list_unfit (const char *folder)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  g_auto (EnsListing) listing = {0};

  if (!ens_listing_read (&listing, folder, NULL))
    return found;
  add_files (folder, listing.files, found);
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);
    g_auto (EnsListing) inner = {0};

    if (ens_listing_read (&inner, path, NULL))
      add_files (path, inner.files, found);
  }
  return found;
}

char *
ens_boxes_describe_unfit (const char *folder)
{
  g_autoptr (GPtrArray) found = list_unfit (folder);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < found->len && i < MAX_NAMED; i++) {
    g_autofree char *explained = explain (found->pdata[i]);

    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", explained);
  }
  if (found->len > MAX_NAMED)
    g_string_append_printf (text, " and %u more", found->len - MAX_NAMED);
  return g_string_free (text, FALSE);
}
