/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

void
ens_remove_tree (const char *path)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    folder = g_dir_open (path, 0, NULL);
  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    ens_remove_tree (child);
  }
  g_remove (path);
}

const char *
ens_write_advice (int error_number)
{
  switch (error_number) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return "; free some space there or choose another folder";
  case EACCES:
  case EPERM:
  case EROFS:
  case ENOENT:
  case ENOTDIR:
    return "; choose a folder that you may write to";
  default:
    return "";
  }
}

static gboolean
begins_with (const char *text, gsize size, const char *start)
{
  gsize length = strlen (start);

  return size >= length && g_ascii_strncasecmp (text, start, length) == 0;
}

const char *
ens_find_stand_in (gconstpointer bytes, gsize size)
{
  const char *text = bytes;

  if (begins_with (text, size, "version https://git-lfs"))
    return "a Git LFS pointer; fetch the file itself with “git lfs pull”";
  while (size > 0 && g_ascii_isspace (*text)) {
    text++;
    size--;
  }
  if (begins_with (text, size, "<!doctype html") || begins_with (text, size, "<html"))
    return "a web page; download the file itself, not the page about it";
  return NULL;
}
