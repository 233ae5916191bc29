/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "/dev/shm"

static char *folder;

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inside = g_build_filename (path, name, NULL);

    remove_tree (inside);
  }
  g_remove (path);
}

static void
remove_folder (void)
{
  remove_tree (folder);
  g_clear_pointer (&folder, g_free);
}

const char *
fuzz_folder (const char *const *files)
{
  if (folder != NULL)
    return folder;
  folder = g_build_filename (g_file_test (MEMORY, G_FILE_TEST_IS_DIR) ? MEMORY : g_get_tmp_dir (),
                             "ensemble-fuzz-XXXXXX", NULL);
  if (g_mkdtemp (folder) == NULL)
    g_error ("%s: %s", folder, g_strerror (errno));
  for (guint i = 0; files[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, files[i], NULL);
    g_autofree char *parent = g_path_get_dirname (path);

    if (g_mkdir_with_parents (parent, 0700) != 0)
      g_error ("%s: %s", parent, g_strerror (errno));
    fuzz_write (folder, files[i], "", 0);
  }
  atexit (remove_folder);
  return folder;
}

void
fuzz_write (const char *in, const char *file, const void *data, gsize size)
{
  g_autofree char *path = g_build_filename (in, file, NULL);
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  if (fd < 0 || write (fd, data, size) != (gssize)size)
    g_error ("%s: %s", path, g_strerror (errno));
  close (fd);
}

void
fuzz_write_parts (const char *in, const char *const *files, guint n_files, const guint8 *data,
                  gsize size)
{
  for (guint i = 0; i < n_files; i++) {
    const guint8 *end = size > 0 && i + 1 < n_files ? memchr (data, 0, size) : NULL;
    gsize length = end != NULL ? (gsize)(end - data) : size;

    fuzz_write (in, files[i], data, length);
    data += end != NULL ? length + 1 : length;
    size -= end != NULL ? length + 1 : length;
  }
}
