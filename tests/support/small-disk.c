/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/small-disk.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

static gboolean
write_map (const char *path, guint id)
{
  g_autofree char *line = g_strdup_printf ("0 %u 1\n", id);

  return g_file_set_contents_full (path, line, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

/* Who isn't root is in a name space of its own. */
static gboolean
leave_namespace (void)
{
  const guint user = getuid (), group = getgid ();

  if (unshare (CLONE_NEWNS) == 0)
    return TRUE;
  return unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0
         && g_file_set_contents_full ("/proc/self/setgroups", "deny", -1, G_FILE_SET_CONTENTS_NONE,
                                      0600, NULL)
         && write_map ("/proc/self/uid_map", user) && write_map ("/proc/self/gid_map", group);
}

static gboolean
mount_disk (const char *folder, gulong flags, guint bytes, guint files)
{
  g_autofree char *size = g_strdup_printf ("size=%u,nr_inodes=%u", bytes, files);

  return mount ("none", folder, "tmpfs", flags, size) == 0;
}

gboolean
test_small_disk_mount (const char *folder, guint bytes, guint files)
{
  return leave_namespace () && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount_disk (folder, 0, bytes, files);
}

void
test_small_disk_grow (const char *folder, guint bytes, guint files)
{
  if (!mount_disk (folder, MS_REMOUNT, bytes, files))
    g_error ("%s: can't be grown: %s", folder, g_strerror (errno));
}

void
test_small_disk_unmount (const char *folder)
{
  umount2 (folder, MNT_DETACH);
}
