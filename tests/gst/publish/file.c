/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, FIFOs and standard output, under what happens to them in a year. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "publish/spool.h"

#include "fixture.h"
#include "support/small-disk.h"

static char *
beside (const char *suffix)
{
  return g_strconcat (publish_options.location, suffix, NULL);
}

START_TEST (test_append)
{
  PublishQueue *queue;
  g_autofree char *text = NULL;

  g_file_set_contents (publish_options.location, "{\"n\": 0}\n{\"n\"", -1, NULL);
  queue = publish_start ();
  publish_push (queue, 1, 2);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = publish_read (publish_options.location);
  ck_assert_str_eq (text, "{\"n\": 0}\n{\"n\"\n{\"n\": 1}\n{\"n\": 2}\n");
}
END_TEST

/* Renamed, as logrotate does, and removed: the next line is in a new file. */
START_TEST (test_renamed)
{
  PublishQueue *queue = publish_start ();
  g_autofree char *old = beside (".old"), *first = NULL, *third = NULL;

  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  g_rename (publish_options.location, old);
  publish_push (queue, 1, 1);
  publish_wait_sent (queue, 2);
  g_remove (publish_options.location);
  publish_push (queue, 2, 1);
  publish_queue_stop (queue, GST_SECOND * 20);
  first = publish_read (old);
  publish_check (first, 0, 1);
  third = publish_read (publish_options.location);
  publish_check (third, 2, 1);
}
END_TEST

/* copytruncate. */
START_TEST (test_truncated)
{
  PublishQueue *queue = publish_start ();
  g_autofree char *text = NULL;

  publish_push (queue, 0, 5);
  publish_wait_sent (queue, 5);
  ck_assert_int_eq (truncate (publish_options.location, 0), 0);
  publish_push (queue, 5, 5);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = publish_read (publish_options.location);
  publish_check (text, 5, 5);
}
END_TEST

/* Nothing is lost while four write and rename. */
START_TEST (test_several)
{
  enum { WRITERS = 4, LINES = 500 };
  PublishQueue *queues[WRITERS];
  gboolean *found = g_new0 (gboolean, WRITERS * LINES);
  guint total = 0;

  publish_options.rotate_size = _i == 1 ? 2000 : 0;
  publish_options.rotate_keep = 100;
  for (guint w = 0; w < WRITERS; w++)
    queues[w] = publish_start ();
  for (guint i = 0; i < LINES; i++)
    for (guint w = 0; w < WRITERS; w++)
      publish_push (queues[w], w * LINES + i, 1);
  for (guint w = 0; w < WRITERS; w++)
    publish_queue_stop (queues[w], GST_SECOND * 20);
  for (guint f = 0; f <= (_i == 1 ? 100 : 0); f++) {
    g_autofree char *path =
        f == 0 ? beside ("") : g_strdup_printf ("%s.%u", publish_options.location, f);
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (!g_file_get_contents (path, &text, NULL, NULL))
      continue;
    ck_assert (strstr (text, "\n\n") == NULL);
    lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i][0] != '\0'; i++) {
      guint n = WRITERS * LINES;
      char end;

      ck_assert_msg (sscanf (lines[i], "{\"n\": %u%c", &n, &end) == 2 && end == '}', "%s",
                     lines[i]);
      ck_assert (!found[n]);
      found[n] = TRUE;
      total++;
    }
    if (_i == 1)
      ck_assert_uint_lt (strlen (text), 2000 + WRITERS * 16);
  }
  ck_assert_uint_eq (total, WRITERS * LINES);
  g_free (found);
}
END_TEST

START_TEST (test_rotate_time)
{
  g_autofree char *old = beside (".1"), *older = beside (".2"), *first = NULL, *second = NULL;
  struct timespec times[2] = {{1000, 0}, {1000, 0}};
  PublishQueue *queue;

  publish_options.rotate_time = 3600 * GST_SECOND;
  publish_options.rotate_keep = 1;
  g_file_set_contents (publish_options.location, "{\"n\": 0}\n", -1, NULL);
  g_file_set_contents (old, "older\n", -1, NULL);
  utimensat (AT_FDCWD, publish_options.location, times, 0);
  queue = publish_start ();
  publish_push (queue, 1, 2);
  publish_queue_stop (queue, GST_SECOND * 20);
  first = publish_read (old);
  publish_check (first, 0, 1);
  second = publish_read (publish_options.location);
  publish_check (second, 1, 2);
  ck_assert (!g_file_test (older, G_FILE_TEST_EXISTS));
}
END_TEST

/* Opened empty, a file's period is that of its first line. */
START_TEST (test_rotate_empty)
{
  enum { PERIOD = 2 };
  g_autofree char *old = beside (".1"), *text = NULL;
  PublishQueue *queue;

  publish_options.rotate_time = PERIOD * GST_SECOND;
  publish_options.rotate_keep = 1;
  queue = publish_start ();
  /* The next period has just begun. */
  g_usleep ((gulong)(PERIOD * G_USEC_PER_SEC - g_get_real_time () % (PERIOD * G_USEC_PER_SEC)));
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  publish_push (queue, 1, 1);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = publish_read (publish_options.location);
  publish_check (text, 0, 2);
  ck_assert (!g_file_test (old, G_FILE_TEST_EXISTS));
}
END_TEST

/* A disk that is full, and then is not: no half line, nothing lost while there is room to wait. The
 * limit leaves room for Check's own files. */
START_TEST (test_full)
{
  enum { SIZE = 1 << 20, ROOM = 25 };
  struct rlimit before, limit;
  g_autofree char *filling = g_strnfill (SIZE - ROOM, '\n'), *text = NULL, *full = NULL;
  PublishQueue *queue;

  g_file_set_contents (publish_options.location, filling, SIZE - ROOM, NULL);
  getrlimit (RLIMIT_FSIZE, &before);
  limit = (struct rlimit) {SIZE, before.rlim_max};
  setrlimit (RLIMIT_FSIZE, &limit);
  queue = publish_start ();
  publish_push (queue, 0, 5);
  publish_wait (publish_count_notes ("free some space") > 0);
  full = publish_read (publish_options.location);
  publish_check (full + SIZE - ROOM, 0, 2);
  setrlimit (RLIMIT_FSIZE, &before);
  publish_wait_sent (queue, 5);
  publish_wait (publish_count_notes ("info: ") == 1);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = publish_read (publish_options.location);
  publish_check (text + SIZE - ROOM, 0, 5);
  ck_assert_uint_eq (publish_count_notes ("\n"), 2);
}
END_TEST

/* The same for standard output that is redirected, which is not opened to append: there is no hole
 * where half a line was. */
START_TEST (test_full_output)
{
  enum { SIZE = 1 << 20, ROOM = 25 };
  const int before = dup (STDOUT_FILENO);
  const int file = open (publish_options.location, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_autofree char *path = g_strdup (publish_options.location), *text = NULL;
  g_autofree char *filling = g_strnfill (SIZE - ROOM, '\n');
  struct rlimit unlimited, limit;
  PublishQueue *queue;

  ck_assert_int_eq (write (file, filling, SIZE - ROOM), SIZE - ROOM);
  fflush (stdout);
  dup2 (file, STDOUT_FILENO);
  close (file);
  getrlimit (RLIMIT_FSIZE, &unlimited);
  limit = (struct rlimit) {SIZE, unlimited.rlim_max};
  setrlimit (RLIMIT_FSIZE, &limit);
  g_free (publish_options.location);
  publish_options.location = g_strdup ("-");
  queue = publish_start ();
  publish_push (queue, 0, 5);
  publish_wait (publish_count_notes ("free some space") > 0);
  setrlimit (RLIMIT_FSIZE, &unlimited);
  publish_wait_sent (queue, 5);
  publish_queue_stop (queue, GST_SECOND * 20);
  fflush (stdout);
  dup2 (before, STDOUT_FILENO);
  text = publish_read (path);
  publish_check (text + SIZE - ROOM, 0, 5);
}
END_TEST

/* ---- FIFOs ---- */

/* What can be read now. (transfer full) */
static char *
read_now (int reader)
{
  char *text = g_malloc0 (1 << 20);
  gsize size = 0;
  ssize_t n;

  while ((n = read (reader, text + size, (1 << 20) - 1 - size)) > 0)
    size += (gsize)n;
  return text;
}

static int
open_reader (void)
{
  int reader = open (publish_options.location, O_RDONLY | O_NONBLOCK);

  ck_assert_int_ge (reader, 0);
  return reader;
}

/* No reader, a reader, none, another one. */
START_TEST (test_fifo)
{
  g_autofree char *first = NULL, *second = NULL;
  PublishQueue *queue;
  int reader;

  mkfifo (publish_options.location, 0600);
  queue = publish_start ();
  publish_push (queue, 0, 3);
  reader = open_reader ();
  publish_wait_sent (queue, 3);
  first = read_now (reader);
  publish_check (first, 0, 3);
  close (reader);
  publish_push (queue, 3, 3);
  g_usleep (50000);
  reader = open_reader ();
  publish_wait_sent (queue, 6);
  second = read_now (reader);
  publish_check (second, 3, 3);
  close (reader);
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* Nobody ever reads: neither opening nor stopping hangs. */
START_TEST (test_fifo_unread)
{
  PublishQueue *queue;

  mkfifo (publish_options.location, 0600);
  queue = publish_start ();
  publish_push (queue, 0, 3);
  publish_queue_stop (queue, GST_SECOND * 600);
  publish_wait (publish_count_notes ("results are being lost: 3 so far") == 1);
}
END_TEST

/* A reader that stops reading costs the oldest messages, no half lines, and nobody waits for it. */
START_TEST (test_fifo_stalls)
{
  g_autoptr (GString) text = g_string_new (NULL);
  PublishQueue *queue;
  PublishCounts counts;
  gint64 stopping;
  int reader;

  mkfifo (publish_options.location, 0600);
  publish_options.queue_size = 10000;
  reader = open_reader ();
  queue = publish_start ();
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  for (guint i = 0; publish_queue_get_counts (queue).lost == 0; i++)
    publish_push (queue, 1000000 + i, 1);
  for (guint tries = 0; tries < 2000 && strstr (text->str, "{\"n\": 7}") == NULL; tries++) {
    g_autofree char *more = read_now (reader);

    g_string_append (text, more);
    if (tries == 0)
      publish_push (queue, 7, 1);
    g_usleep (10000);
  }
  counts = publish_queue_get_counts (queue);
  {
    g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);

    ck_assert_uint_eq (g_strv_length (lines) - 1, counts.sent);
    for (guint i = 0; i < counts.sent; i++)
      ck_assert (g_str_has_prefix (lines[i], "{\"n\": ") && g_str_has_suffix (lines[i], "}"));
  }
  for (guint i = 0; i < 20000; i++)
    publish_push (queue, i, 1);
  stopping = g_get_monotonic_time ();
  publish_queue_stop (queue, GST_SECOND * 600);
  ck_assert_int_lt (g_get_monotonic_time () - stopping, 60 * G_TIME_SPAN_SECOND);
  close (reader);
}
END_TEST

/* Standard output's reader goes: | head -1. SIGPIPE would end the test. */
START_TEST (test_standard_output)
{
  int ends[2], before = dup (STDOUT_FILENO);
  g_autofree char *text = NULL;
  PublishQueue *queue;

  ck_assert_int_eq (pipe2 (ends, O_CLOEXEC | O_NONBLOCK), 0);
  fflush (stdout);
  dup2 (ends[1], STDOUT_FILENO);
  close (ends[1]);
  g_free (publish_options.location);
  publish_options.location = g_strdup ("-");
  queue = publish_start ();
  publish_push (queue, 0, 1);
  publish_wait_sent (queue, 1);
  text = read_now (ends[0]);
  close (ends[0]);
  publish_push (queue, 1, 10);
  publish_wait (publish_count_notes ("Broken pipe") > 0);
  publish_queue_stop (queue, GST_SECOND * 20);
  fflush (stdout);
  dup2 (before, STDOUT_FILENO);
  publish_check (text, 0, 1);
  publish_wait (publish_count_notes ("results are being lost: 10 so far") == 1);
  ck_assert (!publish_has_sigpipe);
}
END_TEST

/* ---- A full disk ---- */

#define DISK (256 << 10)

/* (transfer full) */
static char *
ballast (void)
{
  return g_build_filename (publish_folder, "ballast", NULL);
}

/* FALSE: the test is skipped. */
static gboolean
fill_disk (guint files)
{
  g_autofree char *path = ballast ();
  static const char bytes[DISK];

  if (!test_small_disk_mount (publish_folder, DISK, files)) {
    test_skip ("no small file system can be mounted");
    return FALSE;
  }
  ck_assert (g_file_set_contents_full (path, bytes, DISK, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  ck_assert_uint_eq (ens_disk_get_free (publish_folder), 0);
  return TRUE;
}

static void
free_disk (void)
{
  g_autofree char *path = ballast ();

  ck_assert_int_eq (g_remove (path), 0);
}

/* NAME.999 … NAME, one after the other. (transfer full) */
static char *
read_rotated (void)
{
  GString *all = g_string_new (NULL);

  for (guint i = 1000; i > 0; i--) {
    g_autofree char *suffix = i > 1 ? g_strdup_printf (".%u", i - 1) : g_strdup ("");
    g_autofree char *path = beside (suffix), *text = NULL;

    if (g_file_get_contents (path, &text, NULL, NULL))
      g_string_append (all, text);
  }
  return g_string_free (all, FALSE);
}

/* Of n whole lines, the last of which is message `last`: those that were under way when memory was
 * full come before a gap. */
static void
check_order (const char *text, guint64 n, guint last)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gint before = -1;

  ck_assert_uint_eq (g_strv_length (lines), n + 1);
  for (guint i = 0; i < n; i++) {
    gint number = -1;
    char end = '\0';

    ck_assert_msg (sscanf (lines[i], "{\"n\": %d%c", &number, &end) == 2 && end == '}', "%s",
                   lines[i]);
    ck_assert_int_gt (number, before);
    before = number;
  }
  ck_assert_int_eq (before, (gint)last);
  ck_assert_str_eq (lines[n], "");
}

static const struct {
  const char *name;
  guint64 rotate_size;
} full_rows[] = {{"plain", 0}, {"rotated", 200}};

/* What memory can't hold is lost, and counted; the rest is written when there is room again. */
START_TEST (test_full_disk)
{
  enum { LINES = 500, MORE = 20 };
  g_autofree char *text = NULL;
  PublishQueue *queue;
  PublishCounts counts;

  if (!fill_disk (0))
    return;
  publish_options.queue_size = 10000;
  publish_options.rotate_size = full_rows[_i].rotate_size;
  publish_options.rotate_keep = 999;
  queue = publish_start ();
  publish_push (queue, 0, LINES);
  publish_wait (publish_count_notes ("free some space") > 0);
  counts = publish_queue_get_counts (queue);
  ck_assert_uint_gt (counts.lost, 0);
  ck_assert_uint_eq (counts.sent, 0);
  free_disk ();
  publish_push (queue, LINES, MORE);
  publish_wait (publish_queue_get_counts (queue).waiting == 0);
  counts = publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_uint_eq (counts.sent + counts.lost, LINES + MORE);
  text = read_rotated ();
  check_order (text, counts.sent, LINES + MORE - 1);
  test_small_disk_unmount (publish_folder);
}
END_TEST

/* A disk that doesn't even take the spool's folder is no error of set-up: the spool is used once
 * there is room for it. */
START_TEST (test_full_spool_disk)
{
  PublishQueue *queue;
  PublishCounts counts;

  if (!fill_disk (3)) /* the folder, ballast, FIFO */
    return;
  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  mkfifo (publish_options.location, 0600);
  queue = publish_start ();
  publish_push (queue, 0, 10);
  publish_wait (publish_count_notes ("free some space") == 1);
  test_small_disk_grow (publish_folder, 2 * DISK, 100);
  publish_wait (g_file_test (publish_options.spool, G_FILE_TEST_IS_DIR));
  publish_wait (publish_queue_get_counts (queue).waiting == 10);
  counts = publish_queue_stop (queue, GST_SECOND * 20);
  ck_assert_uint_eq (counts.lost, 0);
  ck_assert_uint_eq (counts.waiting, 10);
  test_small_disk_unmount (publish_folder);
}
END_TEST

/* ---- Spool ---- */

/* A FIFO without a reader is a receiver that is away; another process has what this one kept. */
START_TEST (test_spool)
{
  g_autofree char *text = NULL;
  PublishQueue *queue;
  int reader;

  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  publish_options.queue_size = 30000;
  mkfifo (publish_options.location, 0600);
  queue = publish_start ();
  for (guint i = 0; i < 500; i++) {
    publish_push (queue, i, 1);
    g_usleep (1000);
  }
  publish_queue_stop (queue, GST_SECOND * 20);
  queue = publish_start ();
  publish_push (queue, 500, 1);
  reader = open_reader ();
  publish_wait_sent (queue, 501);
  text = read_now (reader);
  publish_check (text, 0, 501);
  close (reader);
  ck_assert_uint_eq (publish_queue_get_counts (queue).lost, 0);
  publish_queue_stop (queue, GST_SECOND * 20);
}
END_TEST

/* Another has the spool for a moment yet: what it kept comes first. */
START_TEST (test_spool_held)
{
  g_autofree char *text = NULL;
  PublishSpool *spool;
  PublishQueue *queue;
  guint64 lost = 0;

  publish_options.spool = g_build_filename (publish_folder, "spool", NULL);
  spool = publish_spool_open (publish_options.spool, 1 << 20, NULL);
  queue = publish_start ();
  publish_push (queue, 5, 5);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (PublishRecord) record =
        publish_record_new (PUBLISH_RESULT, "camera", g_strdup_printf ("{\"n\": %u}\n", i));

    publish_spool_push (spool, record, &lost, NULL);
  }
  publish_spool_close (spool);
  publish_wait_sent (queue, 10);
  publish_queue_stop (queue, GST_SECOND * 20);
  text = publish_read (publish_options.location);
  publish_check (text, 0, 10);
  ck_assert_uint_eq (publish_count_notes ("\n"), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/file");
  test_fixture (publish_set_up, publish_tear_down);
  test_add ("append", test_append);
  test_add ("renamed", test_renamed);
  test_add ("truncated", test_truncated);
  test_add_loop ("several", test_several, 2);
  test_add ("rotate-time", test_rotate_time);
  test_add ("rotate-empty", test_rotate_empty);
  test_add ("full", test_full);
  test_add ("full-output", test_full_output);
  test_add ("fifo", test_fifo);
  test_add ("fifo-unread", test_fifo_unread);
  test_add ("fifo-stalls", test_fifo_stalls);
  test_add ("standard-output", test_standard_output);
  TEST_ADD_ROWS ("full-disk", test_full_disk, full_rows);
  test_add ("full-spool-disk", test_full_spool_disk);
  test_add ("spool", test_spool);
  test_add ("spool-held", test_spool_held);
  return test_run ();
}
