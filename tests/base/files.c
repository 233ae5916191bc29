/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "check-main.h"
#include "support/folder.h"

static void
make_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  ck_assert (g_file_set_contents (path, "x", 1, NULL));
}

START_TEST (test_remove_tree)
{
  g_autofree char *root = g_dir_make_tmp ("ensemble-files-XXXXXX", NULL);
  g_autofree char *outside = g_build_filename (root, "outside", NULL);
  g_autofree char *tree = g_build_filename (root, "tree", NULL);
  g_autofree char *deep = g_build_filename (tree, "a", "b", NULL);
  g_autofree char *link = g_build_filename (deep, "link", NULL);
  g_autofree char *kept = g_build_filename (outside, "kept", NULL);

  ck_assert_int_eq (g_mkdir_with_parents (deep, 0700), 0);
  ck_assert_int_eq (g_mkdir (outside, 0700), 0);
  make_file (outside, "kept");
  make_file (deep, "file");
  make_file (tree, "file");
  ck_assert_int_eq (symlink (outside, link), 0);

  ens_remove_tree (tree);
  ck_assert (!g_file_test (tree, G_FILE_TEST_EXISTS));
  ck_assert (g_file_test (kept, G_FILE_TEST_EXISTS));

  ens_remove_tree (kept);
  ck_assert (!g_file_test (kept, G_FILE_TEST_EXISTS));
  ens_remove_tree ("/nowhere/at/all");
  ens_remove_tree (root);
  ck_assert (!g_file_test (root, G_FILE_TEST_EXISTS));
}
END_TEST

/* NULL: the file is what its name says. */
static const struct {
  const char *bytes, *said;
} stand_ins[] = {
    {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
    {"\n  <!DOCTYPE html>", "a web page"},
    {"<HTML>", "a web page"},
    {"version https://git", NULL},
    {" \n", NULL},
    {"", NULL},
};

START_TEST (test_stand_ins)
{
  const gsize size = strlen (stand_ins[_i].bytes);
  g_autofree char *bytes = g_memdup2 (stand_ins[_i].bytes, size); /* no zero behind them */
  const char *said = ens_find_stand_in (bytes, size);

  if (stand_ins[_i].said == NULL)
    ck_assert_ptr_null (said);
  else
    ck_assert_contains (said, stand_ins[_i].said);
}
END_TEST

static void
make_socket (const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *)&address, sizeof address), 0);
  close (fd);
}

/* Nothing that is no file is waited for. */
START_TEST (test_no_files)
{
  g_autofree char *pipe = g_build_filename (test_folder, "pipe", NULL);
  g_autofree char *socket = g_build_filename (test_folder, "socket", NULL);
  const struct {
    const char *path, *reason;
  } rows[] = {
      {pipe, "a pipe, expected a file"},
      {socket, "a socket, expected a file"},
      {test_folder, "a folder, expected a file"},
      {"/dev/zero", "a device, expected a file"},
      {"/nowhere/at/all", "No such file or directory"},
  };

  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
  make_socket (socket);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    ck_assert_ptr_null (ens_file_map (rows[i].path, &error));
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
    ck_assert_pstr_eq (error->message, rows[i].reason);
  }
}
END_TEST

/* What is read of "é<", however it was written; NULL: it can't be. */
static const struct {
  const char *name, *bytes;
  gsize size;
  const char *text;
} text_rows[] = {
    {"plain", "\xc3\xa9<", 3, "\xc3\xa9<"},
    {"mark", "\xef\xbb\xbf\xc3\xa9<", 6, "\xc3\xa9<"},
    {"utf-16", "\xff\xfe\xe9\0<\0", 6, "\xc3\xa9<"},
    {"utf-16-big-endian", "\xfe\xff\0\xe9\0<", 6, "\xc3\xa9<"},
    {"utf-16-without-mark", "<\0\xe9\0", 4, "<\xc3\xa9"},
    {"declared", "<?xml encoding='latin1'?>\xe9", 26, "<?xml encoding='latin1'?>\xc3\xa9"},
    {"declared-wrongly", "<?xml encoding=\"abc\"?>\xe9", 23, NULL},
    {"latin-1", "\xe9<", 2, NULL},
    {"zero", "a\0b", 3, NULL},
    {"utf-16-cut", "\xff\xfe\xe9", 3, NULL},
    {"empty", "", 0, ""},
};

START_TEST (test_text)
{
  g_autofree char *path = g_build_filename (test_folder, "text", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 99;

  ck_assert (g_file_set_contents (path, text_rows[_i].bytes, (gssize)text_rows[_i].size, NULL));
  text = ens_file_read_text (path, &length, &error);
  ck_assert_pstr_eq (text, text_rows[_i].text);
  if (text == NULL)
    ck_assert_contains (error->message, "save it in UTF-8");
  else
    ck_assert_uint_eq (length, strlen (text));
}
END_TEST

/* ---- Writing ---- */

/* What happens to a file of "old", or to what is there in place of one. */
static const struct {
  const char *name, *path; /* path: in the test's folder, or elsewhere */
  rlim_t limit;            /* bytes of a file, 0: any */
  const char *message;     /* NULL: it is written */
} write_rows[] = {
    {"new", "new", 0, NULL},
    {"old", "old", 0, NULL},
    {"link", "link", 0, NULL},
    {"full", "old", 2, "File too large; free some space there or choose another folder"},
    {"folder", "", 0, "can't write it: a folder, expected a file"},
    {"pipe", "pipe", 0, "can't write it: a pipe, expected a file"},
    {"device", "/dev/zero", 0, "can't write it: a device, expected a file"},
    {"nowhere", "nowhere/file", 0,
     "can't write it: No such file or directory; choose a folder that you may write to"},
};

static void
make_targets (void)
{
  g_autofree char *old = g_build_filename (test_folder, "old", NULL);
  g_autofree char *link = g_build_filename (test_folder, "link", NULL);
  g_autofree char *pipe = g_build_filename (test_folder, "pipe", NULL);

  ck_assert (g_file_set_contents (old, "old", -1, NULL));
  ck_assert_int_eq (symlink (old, link), 0);
  ck_assert_int_eq (mkfifo (pipe, 0600), 0);
}

static void
assert_contents (const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (test_folder, name, NULL), *found = NULL;

  ck_assert (g_file_get_contents (path, &found, NULL, NULL));
  ck_assert_str_eq (found, expected);
}

static guint
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open (test_folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static gboolean
write_limited (const char *path, rlim_t limit, EnsFileWrite how, GError **error)
{
  struct rlimit old;
  gboolean done;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &old);
  setrlimit (RLIMIT_FSIZE, &(struct rlimit) {limit > 0 ? limit : old.rlim_cur, old.rlim_max});
  done = ens_file_write (path, "written", 7, how, error);
  setrlimit (RLIMIT_FSIZE, &old);
  return done;
}

START_TEST (test_write)
{
  const char *name = write_rows[_i / 2].path, *message = write_rows[_i / 2].message;
  const gboolean is_elsewhere = g_path_is_absolute (name);
  g_autofree char *path =
      is_elsewhere ? g_strdup (name) : g_build_filename (test_folder, name, NULL);
  g_autoptr (GError) error = NULL;
  guint n;

  make_targets ();
  n = count_files ();
  if (write_limited (path, write_rows[_i / 2].limit, (EnsFileWrite)(_i % 2), &error)) {
    ck_assert_ptr_null (message);
    ck_assert (!g_file_test (path, G_FILE_TEST_IS_SYMLINK));
    assert_contents (name, "written");
  } else {
    ck_assert_ptr_nonnull (message);
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
    ck_assert (g_str_has_prefix (error->message, path));
    ck_assert_contains (error->message, message);
  }
  if (strcmp (name, "old") != 0 || message != NULL)
    assert_contents ("old", "old");
  ck_assert_uint_eq (count_files (), n + (strcmp (name, "new") == 0));
}
END_TEST

START_TEST (test_make_folder)
{
  g_autofree char *path = g_build_filename (test_folder, "a", "b", NULL);
  g_autoptr (GError) error = NULL;

  ck_assert (ens_folder_make (path, &error));
  ck_assert (ens_folder_make (path, &error));
  ck_assert (!ens_folder_make ("/dev/zero/a", &error));
  ck_assert_contains (error->message,
                      "/dev/zero/a: can't make this folder: Not a directory; choose");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/files");
  test_add ("remove-tree", test_remove_tree);
  TEST_ADD_LOOP ("stand-ins", test_stand_ins, stand_ins);
  test_suite ("base/files/reading");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  test_add ("no-files", test_no_files);
  TEST_ADD_ROWS ("text", test_text, text_rows);
  test_suite ("base/files/writing");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  test_add_loop ("write", test_write, 2 * G_N_ELEMENTS (write_rows));
  test_add ("make-folder", test_make_folder);
  return test_run ();
}
