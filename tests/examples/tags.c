/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "check-main.h"
#include "scenes/write.h"
#include "tags/tags.h"

#define HEADER "frame,seconds,scene,object,class,x,y,width,height,visible\n"
#define CLASS(name, p, present, window) \
  "{\"name\":\"" name "\",\"p\":" p     \
  ",\"p1\":0.1,\"p2\":0.2,\"threshold\":0.5,\"present\":" present window "}"
#define EVENT "{\"schema\":\"gst-ensemble/event/1\",\"event\":\"left\",\"class\":\"car\"}\n"
#define RESULT(pts, classes)                           \
  "{\"schema\":\"gst-ensemble/result/1\",\"pts\":" pts \
  ",\"width\":64,\"height\":64,\"classes\":[" classes  \
  "],\"windows\":[{\"x\":0.25,\"y\":0.5,\"width\":0.5,\"height\":0.25}]}\n"

/* (transfer full) The path of a temporary file. */
static char *
write_text (const char *text)
{
  char *path = NULL;
  int file = g_file_open_tmp ("tags-XXXXXX", &path, NULL);

  ck_assert_int_ge (file, 0);
  g_close (file, NULL);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
  return path;
}

START_TEST (test_truth)
{
  /* 4 frames per second: the car is there all the first second, hidden half of it, and another one
   * with it for one frame; nothing in the second second; a fish for a quarter of the third */
  g_autofree char *path = write_text (HEADER "0,0.00,0,0,car,0,0,9,9,1.000\n"
                                             "1,0.25,0,0,car,0,0,9,9,0.900\n"
                                             "1,0.25,0,1,car,0,0,9,9,0.800\n"
                                             "2,0.50,0,0,car,0,0,9,9,0.200\n"
                                             "3,0.75,0,0,car,0,0,9,9,0.100\n"
                                             "8,2.00,1,0,fish,0,0,9,9,0.500\n");
  g_autoptr (Labels) truth = labels_read (path, NULL);

  ck_assert_ptr_nonnull (truth);
  ck_assert_uint_eq (labels_get_seconds (truth), 3);
  ck_assert_double_eq (labels_visible_in (truth, "car", 0, 0.3), 0.5);
  ck_assert_double_eq (labels_visible_in (truth, "car", 0, 0.05), 1);
  ck_assert_double_eq (labels_visible_in (truth, "car", 1, 0.05), 0);
  ck_assert_double_eq (labels_visible_in (truth, "fish", 2, 0.3), 0.25);
  ck_assert_double_eq (labels_visible_at (truth, "car", 0.26), 0.9);
  ck_assert_double_eq (labels_visible_at (truth, "car", 0.4), 0.2);
  ck_assert_double_eq (labels_visible_at (truth, "fish", 0.26), 0);
  g_remove (path);
}
END_TEST

static const char *const truth_errors_rows[] = {"", "frame,class\n", HEADER "1,0.04,0,0,car,1,1\n"};

START_TEST (test_truth_errors)
{
  g_autofree char *path = write_text (truth_errors_rows[_i]);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (labels_read (path, &error));
  ck_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
  g_remove (path);
}
END_TEST

START_TEST (test_results)
{
  g_autofree char *path = write_text (
      RESULT ("0", CLASS ("tree", "0.2", "false", "") "," CLASS ("car", "0.75", "true",
                                                                 ",\"p3\":0.3,\"window\":0"))
          EVENT RESULT ("1500000000",
                        CLASS ("car", "0.4", "false", "") "," CLASS ("tree", "0.3", "false", "")));
  g_autoptr (GPtrArray) frames = tags_read (path, NULL);
  const TaggedFrame *frame;
  const Tag *car;

  ck_assert_uint_eq (frames->len, 2);
  frame = g_ptr_array_index (frames, 0);
  car = &g_array_index (frame->tags, Tag, 0);
  ck_assert_str_eq (car->name, "car");
  ck_assert_double_eq (car->p, 0.75);
  ck_assert (car->present && car->has_window);
  ck_assert_double_eq (car->window.y, 0.5);
  ck_assert_double_eq (car->window.width, 0.5);
  ck_assert (!(g_array_index (frame->tags, Tag, 1).has_window));
  frame = g_ptr_array_index (frames, 1);
  ck_assert_double_eq (frame->seconds, 1.5);
  g_remove (path);
}
END_TEST

static const char *const results_errors_rows[] = {
    "{\"schema\":\"other/1\",\"classes\":[]}\n",
    "{\"schema\":\n",
    "[]\n",
    RESULT ("0", CLASS ("car", "0.5", "true", "")) RESULT ("1", ""),
};

START_TEST (test_results_errors)
{
  g_autofree char *path = write_text (results_errors_rows[_i]);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (tags_read (path, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_contains (error->message, path);
  g_remove (path);
}
END_TEST

/* The annotated picture holds the frame whose tags are right most often, and its window's contour.
 */
START_TEST (test_picture)
{
  const Kind *kinds[] = {&set_kinds[0]};
  ClipOptions options = {1, 1, 5, 64, 64, {kinds, 1}};
  g_autofree char *folder = g_dir_make_tmp ("tags-XXXXXX", NULL);
  g_autofree char *clip = g_build_filename (folder, "clip.avi", NULL);
  g_autofree char *truth_path = g_build_filename (folder, "truth.csv", NULL);
  g_autofree char *picture = g_build_filename (folder, "picture.png", NULL);
  g_autofree char *results = write_text (
      RESULT ("0", CLASS ("balloon", "0.9", "true", "") "," CLASS ("car", "0.9", "true", ""))
          RESULT ("200000000",
                  CLASS ("balloon", "0.9", "true",
                         ",\"p3\":0.9,\"window\":0") "," CLASS ("car", "0.1", "false", "")));
  g_autoptr (GPtrArray) frames = tags_read (results, NULL);
  g_autoptr (Labels) truth = NULL;
  g_autoptr (GError) error = NULL;
  cairo_surface_t *page;
  const guint32 *pixels;

  ck_assert (write_clip (clip, truth_path, &options, &error));
  truth = labels_read (truth_path, &error);
  ck_assert (picture_write (picture, clip, frames, truth, &error));
  page = cairo_image_surface_create_from_png (picture);
  ck_assert_int_gt (cairo_image_surface_get_width (page), 64);
  ck_assert_int_ge (cairo_image_surface_get_height (page), 64);
  pixels = (const guint32 *)cairo_image_surface_get_data (page);
  /* the first class is red; its window's lower edge lies on row 48 */
  ck_assert_uint_gt ((pixels[48 * cairo_image_surface_get_width (page) + 32] >> 16) & 255, 180);
  ck_assert_uint_lt (pixels[48 * cairo_image_surface_get_width (page) + 32] & 255, 100);
  cairo_surface_destroy (page);
  ck_assert (!picture_write (picture, "missing.avi", frames, truth, &error));
  ck_assert_ptr_nonnull (error);
  g_remove (clip);
  g_remove (truth_path);
  g_remove (picture);
  g_remove (results);
  g_rmdir (folder);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("examples/tags");
  gst_init (&argc, &argv);
  test_add ("truth", test_truth);
  TEST_ADD_LOOP ("truth-errors", test_truth_errors, truth_errors_rows);
  test_add ("results", test_results);
  TEST_ADD_LOOP ("results-errors", test_results_errors, results_errors_rows);
  test_add ("picture", test_picture);
  return test_run ();
}
