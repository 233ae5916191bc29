/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/spool.h"

#include <glib/gstdio.h>
#include <sys/resource.h>
#include <signal.h>

#include "fixture.h"

static PublishSpool *
open_spool (guint64 limit)
{
  g_autoptr (GError) error = NULL;
  PublishSpool *spool = publish_spool_open (publish_folder, limit, &error);

  ck_assert_no_error (error);
  return spool;
}

static guint64
push (PublishSpool *spool, guint first, guint n)
{
  guint64 lost = 0;

  for (guint i = 0; i < n; i++) {
    g_autoptr (PublishRecord) record =
        publish_record_new (PUBLISH_EVENT, "a\tb\nc", g_strdup_printf ("{\"n\": %u}\n", first + i));
    g_autoptr (GError) error = NULL;

    publish_spool_push (spool, record, &lost, &error);
    ck_assert_no_error (error);
  }
  return lost;
}

/* Takes n messages out, whatever batches they come in. */
static void
pull (PublishSpool *spool, guint first, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint taken = 0; taken < n;) {
    guint64 lost = 0;
    g_autoptr (GPtrArray) records = publish_spool_peek (spool, MIN (7, n - taken), &lost, NULL);

    ck_assert_uint_gt (records->len, 0);
    ck_assert_uint_eq (lost, 0);
    for (guint i = 0; i < records->len; i++) {
      const PublishRecord *record = records->pdata[i];

      ck_assert_int_eq (record->kind, PUBLISH_EVENT);
      ck_assert_str_eq (record->source, "a\tb\nc");
      g_string_append (text, record->line);
    }
    publish_spool_drop (spool, records->len);
    taken += records->len;
  }
  publish_check (text->str, first, n);
  g_string_free (text, TRUE);
}

START_TEST (test_order)
{
  PublishSpool *spool = open_spool (1 << 20);

  push (spool, 0, 20);
  pull (spool, 0, 15);
  push (spool, 20, 20);
  pull (spool, 15, 25);
  ck_assert_uint_eq (publish_spool_get_length (spool), 0);
  publish_spool_close (spool);
}
END_TEST

/* Another process goes on where this one was. */
START_TEST (test_restart)
{
  PublishSpool *spool = open_spool (2000);

  push (spool, 0, 40);
  pull (spool, 0, 15);
  publish_spool_close (spool);
  spool = open_spool (2000);
  ck_assert_uint_eq (publish_spool_get_length (spool), 25);
  push (spool, 40, 5);
  pull (spool, 15, 30);
  publish_spool_close (spool);
  spool = open_spool (2000);
  ck_assert_uint_eq (publish_spool_get_length (spool), 0);
  publish_spool_close (spool);
}
END_TEST

/* To the last segment, while the spool is closed. */
static void
append (const char *text, gsize size)
{
  GDir *folder = g_dir_open (publish_folder, 0, NULL);
  g_autofree char *path = NULL;
  const char *name;
  FILE *file;

  while ((name = g_dir_read_name (folder)) != NULL)
    if (g_str_has_suffix (name, ".spool"))
      path = g_build_filename (publish_folder, name, NULL);
  g_dir_close (folder);
  file = g_fopen (path, "a");
  ck_assert_uint_eq (fwrite (text, 1, size, file), size);
  fclose (file);
}

/* What was cut off in the middle of a line is not sent. */
START_TEST (test_half_line)
{
  static const char half[] = "1\tcamera\t{\"n\": 3";
  PublishSpool *spool = open_spool (1 << 20);

  push (spool, 0, 3);
  publish_spool_close (spool);
  append (half, strlen (half));
  spool = open_spool (1 << 20);
  ck_assert_uint_eq (publish_spool_get_length (spool), 3);
  push (spool, 3, 1);
  pull (spool, 0, 4);
  publish_spool_close (spool);
}
END_TEST

static const struct {
  const char *name, *line;
  gsize size;
} broken_rows[] = {
    {"zeros", "\0\0\0\0\n", 5},
    {"empty", "\n", 1},
    {"no-message", "1\tcamera\t\n", 10},
    {"no-source", "1{}\n", 4},
    {"zeros-inside", "1\tcamera\t{\0\0}\n", 14},
};

/* A line that is no message, as a machine without power leaves it, is lost, and nothing else. */
START_TEST (test_broken)
{
  PublishSpool *spool = open_spool (1 << 20);
  g_autoptr (GPtrArray) records = NULL;
  guint64 lost = 0;

  push (spool, 0, 3);
  publish_spool_close (spool);
  append (broken_rows[_i].line, broken_rows[_i].size);
  spool = open_spool (1 << 20);
  push (spool, 3, 2);
  pull (spool, 0, 3);
  records = publish_spool_peek (spool, 7, &lost, NULL);
  ck_assert_uint_eq (lost, 1);
  ck_assert_uint_eq (publish_spool_get_length (spool), 2);
  pull (spool, 3, 2);
  ck_assert_uint_eq (publish_spool_get_length (spool), 0);
  publish_spool_close (spool);
}
END_TEST

/* The oldest go, and are counted. */
START_TEST (test_limit)
{
  PublishSpool *spool = open_spool (1600);
  guint64 lost = push (spool, 0, 1000), length = publish_spool_get_length (spool);

  ck_assert_uint_eq (lost + length, 1000);
  ck_assert_uint_gt (length, 1600 / 22 * 3 / 4);
  pull (spool, (guint)lost, (guint)length);
  publish_spool_close (spool);
}
END_TEST

static void
remove_segments (void)
{
  GDir *folder = g_dir_open (publish_folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (folder)) != NULL)
    if (g_str_has_suffix (name, ".spool")) {
      g_autofree char *path = g_build_filename (publish_folder, name, NULL);

      g_remove (path);
    }
  g_dir_close (folder);
}

/* A machine whose clock was set back: new segments have smaller numbers than those that are gone.
 */
START_TEST (test_clock)
{
  g_autofree char *path = g_build_filename (publish_folder, "00000000000000000001.spool", NULL);
  static const char line[] = "1\ta\\tb\\nc\t{\"n\": 7}\n";
  PublishSpool *spool = open_spool (1 << 20);

  push (spool, 0, 3);
  pull (spool, 0, 1);
  publish_spool_close (spool);
  remove_segments ();
  publish_spool_close (open_spool (1 << 20));
  g_file_set_contents (path, line, -1, NULL);
  spool = open_spool (1 << 20);
  pull (spool, 7, 1);
  publish_spool_close (spool);
}
END_TEST

START_TEST (test_two)
{
  PublishSpool *spool = open_spool (1 << 20);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (publish_spool_open (publish_folder, 1 << 20, &error));
  ck_assert_contains (error->message, "a folder of its own");
  publish_spool_close (spool);
}
END_TEST

/* A disk without room for the line gets no part of it. */
START_TEST (test_full)
{
  PublishSpool *spool = open_spool (1 << 20);
  g_autoptr (PublishRecord) record =
      publish_record_new (PUBLISH_EVENT, "a\tb\nc", g_strdup ("{\"n\": 2}\n"));
  struct rlimit before, limit;
  g_autoptr (GError) error = NULL;
  guint64 lost = 0;

  push (spool, 0, 2);
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &before);
  limit = (struct rlimit) {50, before.rlim_max};
  setrlimit (RLIMIT_FSIZE, &limit);
  ck_assert (!publish_spool_push (spool, record, &lost, &error));
  ck_assert_contains (error->message, "free some space");
  setrlimit (RLIMIT_FSIZE, &before);
  push (spool, 2, 1);
  pull (spool, 0, 3);
  publish_spool_close (spool);
}
END_TEST

/* A segment that can't be read now is kept, one that was removed is lost. */
START_TEST (test_unreadable)
{
  PublishSpool *spool = open_spool (1 << 20);
  struct rlimit before, limit;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) none = NULL, records = NULL;
  guint64 lost = 0;

  push (spool, 0, 5);
  getrlimit (RLIMIT_NOFILE, &before);
  limit = (struct rlimit) {0, before.rlim_max};
  setrlimit (RLIMIT_NOFILE, &limit);
  none = publish_spool_peek (spool, 5, &lost, &error);
  setrlimit (RLIMIT_NOFILE, &before);
  ck_assert_uint_eq (none->len, 0);
  ck_assert_uint_eq (lost, 0);
  ck_assert_contains (error->message, "Too many open files");
  pull (spool, 0, 3);
  remove_segments ();
  records = publish_spool_peek (spool, 5, &lost, NULL);
  ck_assert_uint_eq (records->len, 0);
  ck_assert_uint_eq (lost, 2);
  publish_spool_close (spool);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/spool");
  test_fixture (publish_set_up, publish_tear_down);
  test_add ("order", test_order);
  test_add ("restart", test_restart);
  test_add ("half-line", test_half_line);
  TEST_ADD_ROWS ("broken", test_broken, broken_rows);
  test_add ("limit", test_limit);
  test_add ("clock", test_clock);
  test_add ("two", test_two);
  test_add ("full", test_full);
  test_add ("unreadable", test_unreadable);
  return test_run ();
}
