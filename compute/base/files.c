/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

/* Texts that are larger are none that anybody wrote. */
#define MAX_TEXT_SIZE (1U << 30)

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

/* What it is that is no file. */
static const char *
name_kind (mode_t mode)
{
  return S_ISDIR (mode)    ? "a folder, expected a file"
         : S_ISFIFO (mode) ? "a pipe, expected a file"
         : S_ISSOCK (mode) ? "a socket, expected a file"
                           : "a device, expected a file";
}

/* ---- Writing ---- */

static gboolean
write_all (int fd, const char *bytes, gsize size)
{
  while (size > 0) {
    gssize n = write (fd, bytes, size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    bytes += n;
    size -= (gsize)n;
  }
  return TRUE;
}

/* By a file beside it that takes its name. GLib's function does not tell a quota that is used up,
 * or a file that may not grow, from other errors. Returns an error number, or 0. */
static int
replace_file (const char *path, gconstpointer bytes, gsize size, EnsFileWrite how)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666), number = 0;

  if (fd < 0)
    return errno;
  if (!write_all (fd, bytes, size) || (how == ENS_FILE_DURABLE && fsync (fd) != 0))
    number = errno;
  if (close (fd) != 0 && number == 0)
    number = errno;
  if (number == 0 && g_rename (temporary, path) != 0)
    number = errno;
  if (number != 0)
    g_unlink (temporary);
  return number;
}

gboolean
ens_file_check_write (const char *path, GError **error)
{
  struct stat status;

  return stat (path, &status) != 0 || S_ISREG (status.st_mode)
         || ens_fail (error, ENS_ERROR_FILE, path, "can't write it: %s",
                      name_kind (status.st_mode));
}

gboolean
ens_file_write (const char *path, gconstpointer bytes, gsize size, EnsFileWrite how, GError **error)
{
  int number;

  if (!ens_file_check_write (path, error))
    return FALSE;
  number = replace_file (path, bytes, size, how);
  return number == 0
         || ens_fail (error, ENS_ERROR_FILE, path, "can't write it: %s%s", g_strerror (number),
                      ens_write_advice (number));
}

gboolean
ens_folder_make (const char *path, GError **error)
{
  int number;

  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  number = errno;
  return ens_fail (error, ENS_ERROR_FILE, path, "can't make this folder: %s%s", g_strerror (number),
                   ens_write_advice (number));
}

/* ---- Reading ---- */

/* Why opening failed: sockets can't be opened at all. */
static const char *
name_failure (const char *path)
{
  int number = errno;
  struct stat status;

  if (number == ENXIO && stat (path, &status) == 0 && !S_ISREG (status.st_mode))
    return name_kind (status.st_mode);
  return g_strerror (number);
}

GMappedFile *
ens_file_map (const char *path, GError **error)
{
  /* Opening a pipe would else wait for somebody to write to it. */
  int fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  GMappedFile *file = NULL;
  const char *reason = NULL;
  struct stat status;

  if (fd < 0 || fstat (fd, &status) != 0)
    reason = name_failure (path);
  else if (!S_ISREG (status.st_mode))
    reason = name_kind (status.st_mode);
  else if ((file = g_mapped_file_new_from_fd (fd, FALSE, NULL)) == NULL)
    reason = "can't be mapped";
  if (fd >= 0)
    close (fd);
  if (file == NULL)
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FILE, reason);
  return file;
}

char *
ens_file_read (const char *path, gsize *size, GError **error)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, error);
  char *bytes;

  if (file == NULL)
    return NULL;
  *size = g_mapped_file_get_length (file);
  bytes = g_malloc (*size + 1);
  if (*size > 0)
    memcpy (bytes, g_mapped_file_get_contents (file), *size);
  bytes[*size] = '\0';
  return bytes;
}

/* The encoding that begins with such bytes, and how many of them are no text; NULL: UTF-8. */
static const char *
find_encoding (const char *text, gsize size, gsize *mark)
{
  static const struct {
    const char *bytes;
    gsize length, mark;
    const char *encoding;
  } starts[] = {
      {"\xef\xbb\xbf", 3, 3, NULL}, {"\xff\xfe", 2, 2, "UTF-16LE"}, {"\xfe\xff", 2, 2, "UTF-16BE"},
      {"<\0", 2, 0, "UTF-16LE"},    {"\0<", 2, 0, "UTF-16BE"},
  };

  *mark = 0;
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    if (size >= starts[i].length && memcmp (text, starts[i].bytes, starts[i].length) == 0) {
      *mark = starts[i].mark;
      return starts[i].encoding;
    }
  return NULL;
}

/* What an XML declaration names; NULL if there is none. (transfer full) */
static char *
find_declared_encoding (const char *text, gsize size)
{
  const char *end = begins_with (text, size, "<?xml") ? memchr (text, '>', MIN (size, 256)) : NULL;
  g_autofree char *declaration = end != NULL ? g_strndup (text, (gsize)(end - text)) : NULL;
  const char *name = declaration != NULL ? strstr (declaration, "encoding=") : NULL;

  if (name == NULL || (name[9] != '"' && name[9] != '\''))
    return NULL;
  return g_strndup (name + 10, strcspn (name + 10, "\"'"));
}

/* From another encoding. encoding NULL: the one that XML declares. (transfer full) */
static char *
convert_text (const char *text, gsize size, const char *encoding, gsize *length, GError **error)
{
  g_autofree char *declared = encoding == NULL ? find_declared_encoding (text, size) : NULL;
  const char *from = encoding != NULL ? encoding : declared;
  char *converted =
      from != NULL ? g_convert (text, (gssize)size, "UTF-8", from, NULL, length, NULL) : NULL;

  if (converted == NULL || !g_utf8_validate_len (converted, *length, NULL)) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "expected text in UTF-8, found other bytes; save it in UTF-8");
    g_clear_pointer (&converted, g_free);
  }
  return converted;
}

GBytes *
ens_file_map_text (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = ens_file_map (path, error);
  g_autoptr (GBytes) bytes = file != NULL ? g_mapped_file_get_bytes (file) : NULL;
  const char *text, *encoding;
  gsize size, mark, length;
  char *converted;

  if (bytes == NULL)
    return NULL;
  text = g_bytes_get_data (bytes, &size);
  if (size == 0)
    return g_bytes_new_static ("", 0);
  if (size > MAX_TEXT_SIZE) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "expected a text of at most %u bytes, found %" G_GSIZE_FORMAT, MAX_TEXT_SIZE,
                 size);
    return NULL;
  }
  encoding = find_encoding (text, size, &mark);
  if (encoding == NULL && g_utf8_validate_len (text + mark, size - mark, NULL))
    return g_bytes_new_from_bytes (bytes, mark, size - mark);
  converted = convert_text (text + mark, size - mark, encoding, &length, error);
  return converted != NULL ? g_bytes_new_take (converted, length) : NULL;
}

char *
ens_file_read_text (const char *path, gsize *length, GError **error)
{
  g_autoptr (GBytes) bytes = ens_file_map_text (path, error);
  const char *text;
  gsize size;

  if (bytes == NULL)
    return NULL;
  text = g_bytes_get_data (bytes, &size);
  if (length != NULL)
    *length = size;
  return size > 0 ? g_strndup (text, size) : g_strdup ("");
}
