/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/left-out.h"

#include <stdlib.h>
#include <string.h>

#include "dataset/picture-names.h"

void
ens_left_out_clear (EnsLeftOut *left_out)
{
  for (guint i = 0; i < ENS_N_LEFT_OUT; i++)
    g_free (left_out->example[i]);
}

void
ens_left_out_add (EnsLeftOut *left_out, EnsLeftOutReason reason, const char *path)
{
  if (left_out->n[reason]++ == 0)
    left_out->example[reason] = g_strdup (path);
}

void
ens_left_out_add_names (EnsLeftOut *left_out, EnsLeftOutReason reason, const char *folder,
                        const GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);

    ens_left_out_add (left_out, reason, path);
  }
}

void
ens_left_out_add_rest (EnsLeftOut *left_out, const char *folder, const EnsListing *listing)
{
  ens_left_out_add_names (left_out, ENS_LEFT_OUT_HIDDEN, folder, listing->hidden);
  ens_left_out_add_names (left_out, ENS_LEFT_OUT_NO_FILE, folder, listing->others);
}

char *
ens_left_out_describe (const EnsLeftOut *left_out)
{
  static const char *const reasons[ENS_N_LEFT_OUT] = {
      "pictures that have no annotation",
      "pictures in formats that can't be read (convert them to JPEG or PNG)",
      "pictures beside the classes' folders (put each into its class's folder)",
      "folders that are no split (splits are called train, validation, test)",
      "annotations, lists and tables that this layout does not need",
      "files that are no pictures",
      "pipes, sockets, devices and links that lead nowhere",
      "folders that lead back to one above them, or lie too deep",
      "hidden files",
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < ENS_N_LEFT_OUT; i++)
    if (left_out->n[i] > 0)
      g_string_append_printf (text, "%s%s: %u, such as %s", text->len > 0 ? "; " : "", reasons[i],
                              left_out->n[i], left_out->example[i]);
  return g_string_free (text, FALSE);
}

void
ens_left_out_tell (const EnsLeftOut *left_out, const char *folder, GPtrArray *notes)
{
  g_autofree char *description = ens_left_out_describe (left_out);

  if (*description != '\0')
    g_ptr_array_add (notes, g_strdup_printf ("%s: left out %s", folder, description));
}

/* How many names a note lists. */
#define MAX_NAMES 6

char *
ens_left_out_list_names (GHashTable *set)
{
  guint n;
  g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array (set, &n);
  g_autofree char *text = NULL;

  qsort (names, n, sizeof *names, ens_listing_compare);
  if (n <= MAX_NAMES)
    return g_strjoinv (", ", (char **)names);
  names[MAX_NAMES] = NULL;
  text = g_strjoinv (", ", (char **)names);
  return g_strdup_printf ("%s and %u more", text, n - MAX_NAMES);
}

/* ---- What no annotation has used ---- */

EnsLeftOutReason
ens_left_out_find_reason (const char *name)
{
  static const char *const endings[] = {".xml", ".json", ".jsonl", ".csv",
                                        ".tsv", ".txt",  ".yaml",  ".yml"};
  g_autofree char *lower = g_ascii_strdown (name, -1);

  if (ens_picture_has_name (name))
    return ENS_LEFT_OUT_UNNAMED;
  if (ens_picture_has_foreign_name (name))
    return ENS_LEFT_OUT_FORMAT;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i]))
      return ENS_LEFT_OUT_ANNOTATION;
  return ENS_LEFT_OUT_OTHER;
}

static void
add_below (EnsLeftOut *left_out, const char *folder, const EnsTrail *above, GHashTable *used)
{
  g_auto (EnsListing) listing = {0};
  EnsTrail trail;

  if (!ens_trail_enter (&trail, above, folder)) {
    ens_left_out_add (left_out, ENS_LEFT_OUT_LOOP, folder);
    return;
  }
  if (!ens_listing_read (&listing, folder, NULL))
    return;
  ens_left_out_add_rest (left_out, folder, &listing);
  for (guint i = 0; i < listing.files->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.files->pdata[i], NULL);
    g_autofree char *canonical = g_canonicalize_filename (path, NULL);

    if (!g_hash_table_contains (used, canonical))
      ens_left_out_add (left_out, ens_left_out_find_reason (listing.files->pdata[i]), path);
  }
  for (guint i = 0; i < listing.folders->len; i++) {
    g_autofree char *path = g_build_filename (folder, listing.folders->pdata[i], NULL);
    g_autofree char *canonical = g_canonicalize_filename (path, NULL);

    if (!g_hash_table_contains (used, canonical))
      add_below (left_out, path, &trail, used);
  }
}

void
ens_left_out_add_unused (EnsLeftOut *left_out, const char *folder, GHashTable *used)
{
  add_below (left_out, folder, NULL, used);
}
