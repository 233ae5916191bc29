/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ensembleclassify keeps for a person to label. */
#include <glib/gstdio.h>
#include <utime.h>

#include "classify-fixture.h"
#include "colour-bundle.h"
#include "support/small-disk.h"

static char *folder;
static guint pushed;

static void
set_up (void)
{
  classify_set_up ();
  folder = g_build_filename (classify->folder, "to", "label", NULL);
  g_object_set (classify->element, "collect", folder, NULL);
  pushed = 0;
}

static void
tear_down (void)
{
  gst_element_set_state (classify->element, GST_STATE_NULL);
  classify_tear_down ();
  g_clear_pointer (&folder, g_free);
}

/* A frame that looks like no other: blocks of colours. */
static void
push (void)
{
  GstBuffer *frame = classify_make_frame (classify, 0, pushed * FRAME);
  g_autoptr (GRand) random = g_rand_new_with_seed (pushed++);
  GstMapInfo map;
  GstBuffer *out;

  gst_buffer_map (frame, &map, GST_MAP_WRITE);
  for (gsize block = 0; block < 8 * 6; block++) {
    const guint32 colour = g_rand_int (random);

    for (gsize i = 0; i < 4 * 4; i++)
      memcpy (map.data + ((block / 8 * 4 + i / 4) * 32 + block % 8 * 4 + i % 4) * 3, &colour, 3);
  }
  gst_buffer_unmap (frame, &map);
  ck_assert_int_eq (gst_harness_push (classify->harness, frame), GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  gst_buffer_unref (out);
}

/* Names with this ending, sorted. */
static GPtrArray *
list (const char *ending)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ending))
      g_ptr_array_add (names, g_strdup (name));
  g_clear_pointer (&dir, g_dir_close);
  return names;
}

static guint
count (const char *ending)
{
  g_autoptr (GPtrArray) names = list (ending);

  return names->len;
}

/* Pushes until so many pictures are there: they are written in a thread of its own. */
static void
push_until (guint n)
{
  while (count (".jpg") < n) {
    push ();
    g_usleep (20000);
  }
}

START_TEST (test_kept)
{
  g_autoptr (GPtrArray) names = NULL;
  g_autofree char *path = NULL, *text = NULL, *stem = NULL;

  classify_play_mode (classify, "sync");
  push_until (2);
  names = list (".jpg");
  ck_assert (g_regex_match_simple (
      "^20[0-9]{6}T[0-9]{6}\\.[0-9]{6}Z-(changed|uncertain|different)-(red|green|blue)\\.jpg$",
      g_ptr_array_index (names, 0), 0, 0));
  stem = g_strndup (g_ptr_array_index (names, 0), strlen (g_ptr_array_index (names, 0)) - 4);
  path = g_strconcat (folder, "/", stem, ".json", NULL);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_contains (text, "\"schema\": \"gst-ensemble/collected/1\"");
  ck_assert_contains (text, "\"reason\": \"");
  ck_assert_contains (text, "\"result\": {\"schema\": \"gst-ensemble/result/1\"");
}
END_TEST

/* The number stays what it was, also after a restart. */
START_TEST (test_bounded)
{
  g_object_set (classify->element, "collect-limit", 2, NULL);
  for (guint run = 0; run < 2; run++) {
    classify_play_mode (classify, "sync");
    push_until (2);
    for (guint i = 0; i < 80; i++) {
      push ();
      g_usleep (20000);
      ck_assert_uint_le (count (".jpg"), 2);
    }
    gst_element_set_state (classify->element, GST_STATE_NULL);
  }
}
END_TEST

/* What an earlier run has kept. */
static void
write_kept (const char *name, double value, guint64 hash)
{
  g_autofree char *stem = g_build_filename (folder, name, NULL);
  g_autofree char *picture = g_strconcat (stem, ".jpg", NULL);
  g_autofree char *sidecar = g_strconcat (stem, ".json", NULL);
  g_autofree char *text = g_strdup_printf ("{\"schema\": \"gst-ensemble/collected/1\", \"value\": "
                                           "%g, \"hash\": \"%016" G_GINT64_MODIFIER "x\"}",
                                           value, hash);

  g_mkdir_with_parents (folder, 0777);
  ck_assert (g_file_set_contents (picture, "picture", -1, NULL));
  ck_assert (g_file_set_contents (sidecar, text, -1, NULL));
}

/* A picture that can't get into the folder drives nothing out of it, however little that is worth.
 */
START_TEST (test_too_large)
{
  write_kept ("worthless", 0, 0);
  g_object_set (classify->element, "collect-bytes", G_GUINT64_CONSTANT (1), NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 60; i++) {
    push ();
    g_usleep (20000);
  }
  ck_assert_uint_eq (count (".jpg"), 1);
  ck_assert_uint_eq (count (".json"), 1);
  g_object_set (classify->element, "collect-bytes", G_GUINT64_CONSTANT (0), NULL);
  push_until (2);
}
END_TEST

/* What a crash has left goes when the folder is opened; what may still be written stays, and so
 * does what is not the collector's. */
START_TEST (test_left_over)
{
  static const struct {
    const char *file;
    gboolean old, goes;
  } rows[] = {
      {"20260102T030405.678901Z-changed-red.part", TRUE, TRUE},
      {"20260102T030405.678901Z-changed-red.part.A1b2C3", TRUE, TRUE},
      {"20260102T030405.678901Z-changed-red.json.A1b2C3", TRUE, TRUE},
      {"20260102T030405.678902Z-changed-red.part", FALSE, FALSE},
      {"20260102T030405.678901Z-changed-red.jpg", TRUE, FALSE},
      {"download.part", TRUE, FALSE},
  };
  const struct utimbuf old = {1000000000, 1000000000};

  g_mkdir_with_parents (folder, 0777);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_build_filename (folder, rows[i].file, NULL);

    ck_assert (g_file_set_contents (path, "half", -1, NULL));
    ck_assert (!rows[i].old || g_utime (path, (struct utimbuf *)&old) == 0);
  }
  classify_play_mode (classify, "sync");
  push_until (2);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_build_filename (folder, rows[i].file, NULL);

    ck_assert_msg (g_file_test (path, G_FILE_TEST_EXISTS) != rows[i].goes, "%s", rows[i].file);
  }
}
END_TEST

/* A folder full of what is worth more than any frame has room once that has been moved away. */
START_TEST (test_moved)
{
  const guint64 hashes[] = {0, G_MAXUINT64, G_GUINT64_CONSTANT (0x5555555555555555),
                            G_GUINT64_CONSTANT (0xaaaaaaaaaaaaaaaa)};
  g_autoptr (GPtrArray) names = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++) {
    g_autofree char *name = g_strdup_printf ("kept-%u", i);

    write_kept (name, 1, hashes[i]);
  }
  g_object_set (classify->element, "collect-limit", (guint)G_N_ELEMENTS (hashes), NULL);
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 20; i++) {
    push ();
    g_usleep (20000);
  }
  names = list (".jpg");
  ck_assert_uint_eq (names->len, G_N_ELEMENTS (hashes));
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *from = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
    g_autofree char *to = g_build_filename (classify->folder, g_ptr_array_index (names, i), NULL);

    ck_assert_int_eq (g_rename (from, to), 0);
  }
  push_until (1);
}
END_TEST

/* What the element says next of its collecting; NULL: nothing is wrong. (transfer full) */
static char *
wait_for_problem (GstBus *bus)
{
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);

    if (message != NULL && gst_message_has_name (message, "ensemble-collecting"))
      return g_strdup (gst_structure_get_string (gst_message_get_structure (message), "problem"));
    push ();
    g_usleep (20000);
  }
}

/* The disk has less room than is to stay free: nothing is written, until there is. */
START_TEST (test_disk)
{
  static const char bytes[1536 << 10];
  g_autofree char *path = g_build_filename (folder, "ballast", NULL);
  g_autofree char *none = NULL, *low = NULL, *again = NULL;
  g_autoptr (GstBus) bus = gst_bus_new ();
  guint kept;

  g_mkdir_with_parents (folder, 0777);
  if (!test_small_disk_mount (folder, 2 << 20, 0)) {
    test_skip ("no small file system can be mounted");
    return;
  }
  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "collect-reserve", G_GUINT64_CONSTANT (1) << 20, NULL);
  classify_play_mode (classify, "sync");
  none = wait_for_problem (bus);
  ck_assert_ptr_null (none);
  push_until (1);
  ck_assert (g_file_set_contents (path, bytes, sizeof bytes, NULL));
  low = wait_for_problem (bus);
  ck_assert_contains (low, "less than 1 MiB are free; free some space there");
  kept = count (".jpg");
  for (guint i = 0; i < 60; i++) {
    push ();
    g_usleep (20000);
  }
  ck_assert_uint_eq (count (".jpg"), kept);
  ck_assert_int_eq (g_remove (path), 0);
  again = wait_for_problem (bus);
  ck_assert_ptr_null (again);
  push_until (kept + 1);
  gst_element_set_state (classify->element, GST_STATE_NULL);
  gst_element_set_bus (classify->element, NULL);
  test_small_disk_unmount (folder);
}
END_TEST

/* A folder that can't be written is a warning, once; video goes on. */
START_TEST (test_unwritable)
{
  g_autofree char *file = g_build_filename (classify->bundle, "ensemble.json", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) warning = NULL;

  gst_element_set_bus (classify->element, bus);
  g_object_set (classify->element, "collect", file, NULL);
  classify_play_mode (classify, "sync");
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)) == NULL) {
    push ();
    g_usleep (20000);
  }
  gst_message_parse_warning (message, &warning, NULL);
  ck_assert_contains (warning->message, "Frames are not collected: ");
  push ();
  gst_element_set_state (classify->element, GST_STATE_NULL);
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

/* Without a folder, and while settings change, nothing is written or lost. */
START_TEST (test_changes)
{
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < 20; i++) {
    g_object_set (classify->element, "collect", i % 2 == 0 ? NULL : folder, "collect-crops",
                  i % 4 == 0, NULL);
    push ();
  }
  push_until (1);
  ck_assert_uint_eq (gst_harness_buffers_received (classify->harness), pushed);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-collect");
  test_fixture (set_up, tear_down);
  test_add ("kept", test_kept);
  test_add ("bounded", test_bounded);
  test_add ("too-large", test_too_large);
  test_add ("left-over", test_left_over);
  test_add ("moved", test_moved);
  test_add ("unwritable", test_unwritable);
  test_add ("disk", test_disk);
  test_add ("changes", test_changes);
  return test_run ();
}
