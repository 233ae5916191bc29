/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/clip-folder.h"

#include <glib/gstdio.h>
#include <string.h>

#define NAME "^[0-9]{8}T[0-9]{6}Z-.+-[0-9]{5,}\\.mkv$"
#define BLOCK 512 /* bytes, of which stat () counts blocks */

typedef struct {
  char *path;
  guint64 size, used; /* bytes of the file, and of the disk */
} Clip;

static void
free_clip (gpointer data)
{
  Clip *clip = data;

  g_free (clip->path);
  g_free (clip);
}

/* By time: names begin with it, and are compared alone, as folders say nothing of it. */
static int
compare_clips (gconstpointer a, gconstpointer b)
{
  const Clip *first = *(Clip *const *)a, *second = *(Clip *const *)b;

  return strcmp (strrchr (first->path, '/'), strrchr (second->path, '/'));
}

/* The oldest first. (transfer full) */
static GPtrArray *
list_clips (const char *folder)
{
  GPtrArray *clips = g_ptr_array_new_with_free_func (free_clip);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf status;
    Clip *clip;

    if (!g_regex_match_simple (NAME, name, 0, 0) || g_lstat (path, &status) != 0)
      continue;
    clip = g_new0 (Clip, 1);
    *clip = (Clip) {g_steal_pointer (&path), (guint64)status.st_size,
                    (guint64)status.st_blocks * BLOCK};
    g_ptr_array_add (clips, clip);
  }
  g_ptr_array_sort (clips, compare_clips);
  return clips;
}

void
watch_clips_limit (const char *folder, guint64 limit)
{
  g_autoptr (GPtrArray) clips = list_clips (folder);
  guint64 bytes = 0;

  for (guint i = 0; i < clips->len; i++)
    bytes += ((const Clip *)clips->pdata[i])->size;
  for (guint i = 0; i + 1 < clips->len && bytes > limit; i++) {
    const Clip *clip = clips->pdata[i];

    if (g_remove (clip->path) == 0)
      bytes -= clip->size;
  }
}

/* Those of all cameras that may go, the oldest first. (transfer full) */
static GPtrArray *
list_all (const char *root)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (free_clip);
  g_autoptr (GDir) dir = g_dir_open (root, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *folder = g_build_filename (root, name, NULL);
    g_autoptr (GPtrArray) clips = list_clips (folder);

    if (clips->len > 0)
      g_ptr_array_remove_index (clips, clips->len - 1);
    g_ptr_array_extend_and_steal (all, g_steal_pointer (&clips));
  }
  g_ptr_array_sort (all, compare_clips);
  return all;
}

WatchClipsRemoved
watch_clips_remove (const char *root, guint64 bytes)
{
  WatchClipsRemoved removed = {0};
  g_autoptr (GPtrArray) clips = list_all (root);

  for (guint i = 0; i < clips->len && removed.bytes < bytes; i++) {
    const Clip *clip = clips->pdata[i];

    if (g_remove (clip->path) != 0)
      continue;
    removed.n++;
    removed.bytes += clip->used;
  }
  return removed;
}
