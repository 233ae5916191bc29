/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/rotate.h"

#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PATIENCE_MS 500

gboolean
publish_is_file (const char *path, int file)
{
  struct stat named, open;

  return stat (path, &named) == 0 && fstat (file, &open) == 0 && named.st_dev == open.st_dev
         && named.st_ino == open.st_ino;
}

static char *
numbered (const char *path, guint number)
{
  return number == 0 ? g_strdup (path) : g_strdup_printf ("%s.%u", path, number);
}

/* Others hold the lock while they rename, and should no longer. */
static gboolean
lock_file (int file)
{
  for (guint tries = 0; tries < PATIENCE_MS; tries++) {
    if (flock (file, LOCK_EX | LOCK_NB) == 0)
      return TRUE;
    g_usleep (1000);
  }
  return FALSE;
}

gboolean
publish_rotate (const char *path, int file, guint keep)
{
  gboolean renamed = FALSE;

  /* Who has the lock renames the file that the lock is on, once. */
  if (!lock_file (file))
    return FALSE;
  if (publish_is_file (path, file)) {
    for (guint i = keep; i > 0; i--) {
      g_autofree char *from = numbered (path, i - 1), *to = numbered (path, i);

      renamed = g_rename (from, to) == 0;
    }
    if (keep == 0)
      renamed = g_unlink (path) == 0;
  }
  flock (file, LOCK_UN);
  return renamed;
}
