/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/folder-layout.h"

#include "dataset/dataset-private.h"
#include "dataset/picture-names.h"

/* ---- Splits ---- */

static gboolean
is_picture (const char *path)
{
  return ens_picture_has_name (path);
}

/* Whether there are pictures in the folder, or down to so many levels below it. */
static gboolean
has_pictures (const char *folder, const char *name, guint depth)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *picture = ens_listing_find (path, is_picture, depth);

  return picture != NULL;
}

gboolean
ens_folders_are_words (const char *folder, const EnsListing *listing)
{
  gboolean train = FALSE;
  EnsSplit split;

  for (guint i = 0; i < listing->folders->len; i++) {
    const char *name = listing->folders->pdata[i];

    if (ens_split_parse (name, &split) || has_pictures (folder, name, 0))
      return FALSE;
    if (ens_split_find (name, &split))
      train |= split == ENS_SPLIT_TRAIN;
    else if (has_pictures (folder, name, ENS_LISTING_DEPTH))
      return FALSE;
  }
  return train;
}

gboolean
ens_folders_find_split (const char *name, gboolean words, EnsSplit *split)
{
  return words ? ens_split_find (name, split) : ens_split_parse (name, split);
}

GPtrArray *
ens_dataset_find_split (const char *folder, EnsSplit split)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  g_auto (EnsListing) listing = {0};
  gboolean words;
  EnsSplit found;

  if (!ens_listing_read (&listing, folder, NULL))
    return folders;
  words = ens_folders_are_words (folder, &listing);
  for (guint i = 0; i < listing.folders->len; i++)
    if (ens_folders_find_split (listing.folders->pdata[i], words, &found) && found == split)
      g_ptr_array_add (folders, g_build_filename (folder, listing.folders->pdata[i], NULL));
  return folders;
}

/* ---- Classes without splits ---- */

/* What the folders of a set without splits are. */
typedef struct {
  guint n_classes; /* with pictures in them or below */
  guint n_words;   /* of these, called by a word for a split */
  gboolean differ; /* and by words for several ones */
} Folders;

/* FALSE if one of them is called like a split, or there are none. */
static gboolean
look_at_folders (Folders *folders, const char *folder)
{
  g_auto (EnsListing) listing = {0};
  EnsSplit split, first = ENS_SPLIT_TRAIN;

  if (!ens_listing_read (&listing, folder, NULL) || ens_folders_are_words (folder, &listing))
    return FALSE;
  for (guint i = 0; i < listing.folders->len; i++) {
    const char *name = listing.folders->pdata[i];

    if (ens_split_parse (name, &split))
      return FALSE;
    if (!has_pictures (folder, name, ENS_LISTING_DEPTH))
      continue;
    folders->n_classes++;
    if (ens_split_find (name, &split)) {
      folders->differ |= folders->n_words > 0 && split != first;
      first = split;
      folders->n_words++;
    }
  }
  return TRUE;
}

gboolean
ens_dataset_is_classed (const char *folder)
{
  Folders folders = {0};

  return look_at_folders (&folders, folder) && folders.n_classes > 1 && !folders.differ
         && folders.n_words < folders.n_classes;
}

/* A folder with pictures in it that is called like a split. (transfer full) */
static char *
find_split_in (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_auto (EnsListing) listing = {0};
  EnsSplit split;

  if (ens_listing_read (&listing, path, NULL))
    for (guint i = 0; i < listing.folders->len; i++)
      if (ens_split_parse (listing.folders->pdata[i], &split)
          && has_pictures (path, listing.folders->pdata[i], 0))
        return g_build_filename (name, listing.folders->pdata[i], NULL);
  return NULL;
}

char *
ens_folders_find_word (const char *folder)
{
  g_auto (EnsListing) listing = {0};
  EnsSplit split;

  if (ens_listing_read (&listing, folder, NULL))
    for (guint i = 0; i < listing.folders->len; i++)
      if (ens_split_find (listing.folders->pdata[i], &split))
        return g_strdup (listing.folders->pdata[i]);
  return NULL;
}

char *
ens_folders_find_inner_split (const char *folder)
{
  g_auto (EnsListing) listing = {0};
  char *found = NULL;

  if (ens_listing_read (&listing, folder, NULL))
    for (guint i = 0; found == NULL && i < listing.folders->len; i++)
      found = find_split_in (folder, listing.folders->pdata[i]);
  return found;
}

/* ---- Sets inside another folder ---- */

/* The only folder that has pictures. (transfer full) */
static char *
find_only_folder (const char *folder, const EnsListing *listing)
{
  const char *only = NULL;

  for (guint i = 0; i < listing->folders->len; i++)
    if (has_pictures (folder, listing->folders->pdata[i], ENS_LISTING_DEPTH)) {
      if (only != NULL)
        return NULL;
      only = listing->folders->pdata[i];
    }
  return only != NULL ? g_build_filename (folder, only, NULL) : NULL;
}

/* So deep archives put a set into folders of their own. */
#define MAX_WRAPPED 4

/* Whether a folder is called after a split, which is then a part of the set. */
static gboolean
is_split (const char *folder)
{
  g_autofree char *name = g_path_get_basename (folder);
  EnsSplit split;

  return ens_split_find (name, &split);
}

char *
ens_dataset_find_inner (const char *folder)
{
  g_autofree char *inner = g_strdup (folder);

  for (guint i = 0; i < MAX_WRAPPED; i++) {
    g_auto (EnsListing) listing = {0};
    g_autofree char *outer = g_steal_pointer (&inner);
    g_autoptr (GPtrArray) train = NULL;

    if (!ens_listing_read (&listing, outer, NULL) || has_pictures (outer, "", 0))
      return NULL;
    inner = find_only_folder (outer, &listing);
    if (inner == NULL || is_split (inner))
      return NULL;
    train = ens_dataset_find_split (inner, ENS_SPLIT_TRAIN);
    if (train->len > 0 || ens_dataset_is_classed (inner))
      return g_steal_pointer (&inner);
  }
  return NULL;
}
