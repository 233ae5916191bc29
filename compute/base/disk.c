/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/disk.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

static gboolean
look (const char *path, struct statvfs *status)
{
  g_autofree char *place = g_canonicalize_filename (path, NULL);

  while (statvfs (place, status) != 0) {
    g_autofree char *child = g_steal_pointer (&place);

    if ((errno != ENOENT && errno != ENOTDIR) || strcmp (child, "/") == 0)
      return FALSE;
    place = g_path_get_dirname (child);
  }
  return TRUE;
}

guint64
ens_disk_get_free (const char *path)
{
  struct statvfs status;

  if (!look (path, &status))
    return G_MAXUINT64;
  /* Some file systems make inodes as they are needed, and say that there are none. */
  if (status.f_files > 0 && status.f_favail == 0)
    return 0;
  return (guint64)status.f_bavail * status.f_frsize;
}

guint64
ens_disk_get_missing (const char *path, guint64 reserve, gboolean was_missing)
{
  const guint64 wanted = reserve + (was_missing ? reserve / 8 : 0);
  const guint64 available = reserve > 0 ? ens_disk_get_free (path) : wanted;

  return available < wanted ? wanted - available : 0;
}
