/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "scenes/random.h"
#include "scenes/scene.h"
#include "scenes/write.h"

#define CLIP_WIDTH 160
#define CLIP_HEIGHT 96
#define CLIP_RATE 5
#define CLIP_SECONDS 12

typedef struct {
  char *folder;
  GPtrArray *classes, *strangers;
} Fixture;

static Fixture *f;

static void
set_up (void)
{
  f = g_new0 (Fixture, 1);
  f->folder = g_dir_make_tmp ("draw-scenes-XXXXXX", NULL);
  f->classes = g_ptr_array_new ();
  f->strangers = g_ptr_array_new ();
  for (guint i = 0; i < n_set_kinds; i++)
    g_ptr_array_add (f->classes, (gpointer)&set_kinds[i]);
  for (guint i = 0; i < n_other_kinds; i++)
    g_ptr_array_add (f->strangers, (gpointer)&other_kinds[i]);
}

static void
tear_down (void)
{
  ens_remove_tree (f->folder);
  g_free (f->folder);
  g_ptr_array_unref (f->classes);
  g_ptr_array_unref (f->strangers);
  g_clear_pointer (&f, g_free);
}

static PicturesOptions
pictures_options (Fixture *f, guint32 seed)
{
  return (PicturesOptions) {
      .seed = seed,
      .n_train = 2,
      .n_validation = 1,
      .n_test = 1,
      .classes = {(const Kind *const *)f->classes->pdata, f->classes->len},
      .strangers = {(const Kind *const *)f->strangers->pdata, f->strangers->len},
      .size = 48};
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
append_tree (GString *list, GChecksum *sum, const char *root, const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *contents = NULL;
  const char *name;
  gsize size;

  if (!folder) {
    ck_assert (g_file_get_contents (path, &contents, &size, NULL));
    g_checksum_update (sum, (const guint8 *)contents, size);
    g_string_append_printf (list, "%s\n", path + strlen (root) + 1);
    return;
  }
  while ((name = g_dir_read_name (folder)))
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    append_tree (list, sum, root, names->pdata[i]);
}

/* (transfer full) The checksum of all files; their names, sorted, in `list`. */
static char *
sum_tree (const char *root, GString *list)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  append_tree (list, sum, root, root);
  return g_strdup (g_checksum_get_string (sum));
}

typedef gboolean (*Writer) (const char *folder, const PicturesOptions *options, GError **error);

static char *
write_and_sum (Fixture *f, Writer writer, const char *name, guint32 seed, GString *list)
{
  g_autofree char *folder = g_build_filename (f->folder, name, NULL);
  PicturesOptions options = pictures_options (f, seed);
  g_autoptr (GError) error = NULL;

  ck_assert (writer (folder, &options, &error));
  ck_assert_no_error (error);
  return sum_tree (folder, list);
}

static const Writer writers[] = {write_set, write_boxes};

START_TEST (test_pictures_repeat)
{
  g_autoptr (GString) files = g_string_new (NULL);
  g_autofree char *one = write_and_sum (f, writers[_i], "one", 7, files);
  g_autofree char *same = write_and_sum (f, writers[_i], "same", 7, files);
  g_autofree char *other = write_and_sum (f, writers[_i], "other", 8, files);

  ck_assert_pstr_eq (one, same);
  ck_assert_pstr_ne (one, other);
  ens_remove_tree (f->folder);
}
END_TEST

START_TEST (test_set_has_every_class)
{
  static const char *const files[] = {"train/%s/0001.jpg", "train/%s/0002.jpg",
                                      "validation/%s/0001.jpg", "test/%s/0001.jpg"};
  g_autoptr (GString) list = g_string_new ("\n");
  g_autofree char *sum = write_and_sum (f, write_set, "set", 1, list);
  guint n_lines = 0;

  for (guint i = 0; i <= n_set_kinds; i++) {
    for (guint j = 0; j < G_N_ELEMENTS (files); j++) {
      g_autofree char *file =
          g_strdup_printf (files[j], i < n_set_kinds ? set_kinds[i].name : "none");
      g_autofree char *row = g_strdup_printf ("\n%s\n", file);

      ck_assert_contains (list->str, row);
    }
  }
  for (const char *c = list->str + 1; *c; c++)
    n_lines += *c == '\n';
  ck_assert_uint_eq (n_lines, (n_set_kinds + 1) * G_N_ELEMENTS (files));
}
END_TEST

static int
number_after (const char *text, const char *tag)
{
  const char *found = strstr (text, tag);

  ck_assert_ptr_nonnull (found);
  return atoi (found + strlen (tag));
}

START_TEST (test_boxes_lie_inside)
{
  g_autoptr (GString) list = g_string_new (NULL);
  g_autofree char *sum = write_and_sum (f, write_boxes, "voc", 3, list);
  guint n_objects = 0;

  for (guint i = 1; i <= 4; i++) {
    g_autofree char *path = g_strdup_printf ("%s/voc/Annotations/%06u.xml", f->folder, i);
    g_autofree char *xml = NULL;
    const char *object;

    ck_assert (g_file_get_contents (path, &xml, NULL, NULL));
    for (object = xml; (object = strstr (object, "<object>")); object++) {
      ck_assert_int_ge (number_after (object, "<xmin>"), 1);
      ck_assert_int_ge (number_after (object, "<ymin>"), 1);
      ck_assert_int_le (number_after (object, "<xmax>"), number_after (xml, "<width>"));
      ck_assert_int_le (number_after (object, "<ymax>"), number_after (xml, "<height>"));
      n_objects++;
    }
  }
  ck_assert_uint_gt (n_objects, 0);
}
END_TEST

static char *
write_test_clip (Fixture *f, const char *name, guint32 seed, char **truth)
{
  ClipOptions options = {seed, CLIP_SECONDS, CLIP_RATE, CLIP_WIDTH, CLIP_HEIGHT};
  g_autofree char *path = g_strdup_printf ("%s/%s.avi", f->folder, name);
  g_autofree char *truth_path = g_strdup_printf ("%s/%s.csv", f->folder, name);
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  options.classes = pictures_options (f, seed).classes;
  ck_assert (write_clip (path, truth_path, &options, &error));
  ck_assert_no_error (error);
  ck_assert (g_file_get_contents (truth_path, truth, NULL, NULL));
  return sum_tree (path, list);
}

START_TEST (test_clip_repeats)
{
  g_autofree char *truth_one = NULL, *truth_same = NULL, *truth_other = NULL;
  g_autofree char *one = write_test_clip (f, "one", 5, &truth_one);
  g_autofree char *same = write_test_clip (f, "same", 5, &truth_same);
  g_autofree char *other = write_test_clip (f, "other", 6, &truth_other);

  ck_assert_pstr_eq (one, same);
  ck_assert_pstr_eq (truth_one, truth_same);
  ck_assert_pstr_ne (one, other);
  ck_assert_pstr_ne (truth_one, truth_other);
}
END_TEST

static void
check_truth_row (const char *row, gboolean *frames, GHashTable *seen)
{
  guint frame, scene, object;
  int x, y, width, height;
  double seconds, visible;
  char name[32];

  ck_assert_int_eq (sscanf (row, "%u,%lf,%u,%u,%31[a-z],%d,%d,%d,%d,%lf", &frame, &seconds, &scene,
                            &object, name, &x, &y, &width, &height, &visible),
                    10);
  ck_assert_uint_lt (frame, CLIP_SECONDS * CLIP_RATE);
  ck_assert_double_eq_tol (seconds, (double)frame / CLIP_RATE, 0.006);
  ck_assert (x >= 0 && y >= 0 && width > 0 && height > 0);
  ck_assert (x + width <= CLIP_WIDTH && y + height <= CLIP_HEIGHT);
  ck_assert (visible >= 0 && visible <= 1);
  frames[frame] = TRUE;
  if (visible > 0.3)
    g_hash_table_add (seen, g_strdup (name));
}

START_TEST (test_clip_truth)
{
  g_autofree char *truth = NULL, *sum = write_test_clip (f, "clip", 2, &truth);
  g_auto (GStrv) rows = g_strsplit (g_strchomp (truth), "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean frames[CLIP_SECONDS * CLIP_RATE] = {FALSE};
  guint n_empty = 0;

  ck_assert_str_eq (rows[0], "frame,seconds,scene,object,class,x,y,width,height,visible");
  for (guint i = 1; rows[i]; i++)
    check_truth_row (rows[i], frames, seen);
  for (guint i = 0; i < n_set_kinds; i++)
    ck_assert (g_hash_table_contains (seen, set_kinds[i].name));
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    n_empty += !frames[i];
  ck_assert_uint_eq (n_empty, 2 * 2 * CLIP_RATE);
}
END_TEST

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
  g_atomic_int_inc ((int *)count);
  return GST_PAD_PROBE_OK;
}

static int
count_frames (const char *path)
{
  g_autofree char *description =
      g_strdup_printf ("filesrc location=%s ! decodebin ! fakesink name=sink", path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  int count = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer, &count, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return count;
}

START_TEST (test_clip_formats)
{
  static const char *const endings[] = {"avi", "mkv", "webm"};
  ClipOptions options = {1, 1, CLIP_RATE, CLIP_WIDTH, CLIP_HEIGHT};
  g_autofree char *truth = g_build_filename (f->folder, "truth.csv", NULL);
  g_autoptr (GError) error = NULL;

  options.classes = pictures_options (f, 1).classes;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree char *path = g_strdup_printf ("%s/clip.%s", f->folder, endings[i]);

    ck_assert (write_clip (path, truth, &options, &error));
    ck_assert_int_eq (count_frames (path), CLIP_RATE);
  }
  ck_assert (!write_clip ("clip.gif", truth, &options, &error));
  ck_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
}
END_TEST

/* Half a round thing is seen on the border, a quarter in the corner, nothing behind another. */
START_TEST (test_visible_share)
{
  const Kind *clock = other_kinds + 3;
  g_autoptr (GRand) random = random_for (1, 0, 0, 0);
  Look look = look_new (random);
  const struct {
    Pose pose;
    double visible;
    Box box;
  } rows[] = {
      {{50, 50, 40, 0, 1, FALSE}, 1, {30, 30, 40, 40}},
      {{0, 50, 40, 0, 1, FALSE}, 0.5, {0, 30, 20, 40}},
      {{100, 100, 40, 0, 1, FALSE}, 0.25, {80, 80, 20, 20}},
      {{50, 50, 40, 0, 1, TRUE}, 0, {30, 30, 40, 40}},
  };
  guint8 clear[100 * 100];
  Cover cover = {clear, 100, 100};

  ck_assert_str_eq (clock->name, "clock");
  memset (clear, 255, sizeof clear);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Sprite) sprite = sprite_draw (clock, &look, &rows[i].pose);
    Box box = sprite_box (&sprite, cover.width, cover.height);

    ck_assert_double_eq_tol (sprite_uncover (&sprite, &cover), rows[i].visible, 0.03);
    ck_assert_int_le (ABS (box.x - rows[i].box.x), 1);
    ck_assert_int_le (ABS (box.y - rows[i].box.y), 1);
    ck_assert_int_le (ABS (box.width - rows[i].box.width), 2);
    ck_assert_int_le (ABS (box.height - rows[i].box.height), 2);
  }
}
END_TEST

/* Every look of every kind draws something; an error in cairo would be a warning, which is fatal.
 */
START_TEST (test_looks)
{
  g_autoptr (GRand) random = random_for (9, 0, 0, 0);
  const Pose pose = {40, 40, 40, 0.3, 1.1, TRUE};

  for (guint i = 0; i < 20 * (n_set_kinds + n_other_kinds); i++) {
    guint n = i % (n_set_kinds + n_other_kinds);
    const Kind *kind = n < n_set_kinds ? &set_kinds[n] : &other_kinds[n - n_set_kinds];
    Look look = look_new (random);
    g_auto (Sprite) sprite = sprite_draw (kind, &look, &pose);

    ck_assert_int_gt (sprite_box (&sprite, 80, 80).width, 10);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("scenes");
  test_fixture (set_up, tear_down);
  gst_init (&argc, &argv);
  TEST_ADD_LOOP ("pictures-repeat", test_pictures_repeat, writers);
  test_add ("set-has-every-class", test_set_has_every_class);
  test_add ("boxes-lie-inside", test_boxes_lie_inside);
  test_add ("clip-repeats", test_clip_repeats);
  test_add ("clip-truth", test_clip_truth);
  test_add ("clip-formats", test_clip_formats);
  test_add ("visible-share", test_visible_share);
  test_add ("looks", test_looks);
  return test_run ();
}
