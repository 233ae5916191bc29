#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#include "scenes/write.h"
#include "tags/tags.h"

#define HEADER "frame,seconds,scene,object,class,x,y,width,height,visible\n"
#define CLASS(name, p, present, window) \
  "{\"name\":\"" name "\",\"p\":" p     \
  ",\"p1\":0.1,\"p2\":0.2,\"threshold\":0.5,\"present\":" present window "}"
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

  g_assert_cmpint (file, >=, 0);
  g_close (file, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
test_truth (void)
{
  /* 4 frames per second: the car is there all the first second, hidden half of it, and another one
   * with it for one frame; nothing in the second second; a fish for a quarter of the third */
  g_autofree char *path = write_text (HEADER "0,0.00,0,0,car,0,0,9,9,1.000\n"
                                             "1,0.25,0,0,car,0,0,9,9,0.900\n"
                                             "1,0.25,0,1,car,0,0,9,9,0.800\n"
                                             "2,0.50,0,0,car,0,0,9,9,0.200\n"
                                             "3,0.75,0,0,car,0,0,9,9,0.100\n"
                                             "8,2.00,1,0,fish,0,0,9,9,0.500\n");
  g_autoptr (Truth) truth = truth_read (path, NULL);

  g_assert_nonnull (truth);
  g_assert_cmpuint (truth_get_seconds (truth), ==, 3);
  g_assert_cmpfloat (truth_visible_in (truth, "car", 0, 0.3), ==, 0.5);
  g_assert_cmpfloat (truth_visible_in (truth, "car", 0, 0.05), ==, 1);
  g_assert_cmpfloat (truth_visible_in (truth, "car", 1, 0.05), ==, 0);
  g_assert_cmpfloat (truth_visible_in (truth, "fish", 2, 0.3), ==, 0.25);
  g_assert_cmpfloat (truth_visible_at (truth, "car", 0.26), ==, 0.9);
  g_assert_cmpfloat (truth_visible_at (truth, "fish", 0.26), ==, 0);
  g_remove (path);
}

static void
test_truth_errors (void)
{
  static const char *const rows[] = {"", "frame,class\n", HEADER "1,0.04,0,0,car,1,1\n"};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = write_text (rows[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (truth_read (path, &error));
    g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    g_remove (path);
  }
}

static void
test_results (void)
{
  g_autofree char *path = write_text (
      RESULT ("0", CLASS ("tree", "0.2", "false", "") "," CLASS ("car", "0.75", "true",
                                                                 ",\"p3\":0.3,\"window\":0"))
          RESULT ("1500000000",
                  CLASS ("car", "0.4", "false", "") "," CLASS ("tree", "0.3", "false", "")));
  g_autoptr (GPtrArray) frames = tags_read (path, NULL);
  const TaggedFrame *frame;
  const Tag *car;

  g_assert_cmpuint (frames->len, ==, 2);
  frame = g_ptr_array_index (frames, 0);
  car = &g_array_index (frame->tags, Tag, 0);
  g_assert_cmpstr (car->name, ==, "car");
  g_assert_cmpfloat (car->p, ==, 0.75);
  g_assert_true (car->present && car->has_window);
  g_assert_cmpfloat (car->window.y, ==, 0.5);
  g_assert_cmpfloat (car->window.width, ==, 0.5);
  g_assert_false (g_array_index (frame->tags, Tag, 1).has_window);
  frame = g_ptr_array_index (frames, 1);
  g_assert_cmpfloat (frame->seconds, ==, 1.5);
  g_remove (path);
}

static void
test_results_errors (void)
{
  static const char *const rows[] = {
      "{\"schema\":\"other/1\",\"classes\":[]}\n",
      "{\"schema\":\n",
      "[]\n",
      RESULT ("0", CLASS ("car", "0.5", "true", "")) RESULT ("1", ""),
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = write_text (rows[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (tags_read (path, &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, path));
    g_remove (path);
  }
}

/* The annotated picture holds the frame that was asked for, and the window's contour. */
static void
test_picture (void)
{
  const Kind *kinds[] = {&set_kinds[0]};
  ClipOptions options = {1, 1, 5, 64, 64, {kinds, 1}};
  g_autofree char *folder = g_dir_make_tmp ("tags-XXXXXX", NULL);
  g_autofree char *clip = g_build_filename (folder, "clip.avi", NULL);
  g_autofree char *truth_path = g_build_filename (folder, "truth.csv", NULL);
  g_autofree char *picture = g_build_filename (folder, "picture.png", NULL);
  g_autofree char *results = write_text (
      RESULT ("200000000", CLASS ("balloon", "0.9", "true", ",\"p3\":0.9,\"window\":0")));
  g_autoptr (GPtrArray) frames = tags_read (results, NULL);
  g_autoptr (Truth) truth = NULL;
  g_autoptr (GError) error = NULL;
  cairo_surface_t *page;
  const guint32 *pixels;

  g_assert_true (write_clip (clip, truth_path, &options, &error));
  truth = truth_read (truth_path, &error);
  g_assert_true (picture_write (picture, clip, frames, truth, &error));
  page = cairo_image_surface_create_from_png (picture);
  g_assert_cmpint (cairo_image_surface_get_width (page), >, 64);
  g_assert_cmpint (cairo_image_surface_get_height (page), >=, 64);
  pixels = (const guint32 *)cairo_image_surface_get_data (page);
  /* the first class is red; its window's lower edge lies on row 48 */
  g_assert_cmpuint ((pixels[48 * cairo_image_surface_get_width (page) + 32] >> 16) & 255, >, 180);
  g_assert_cmpuint (pixels[48 * cairo_image_surface_get_width (page) + 32] & 255, <, 100);
  cairo_surface_destroy (page);
  g_assert_false (picture_write (picture, "missing.avi", frames, truth, &error));
  g_assert_nonnull (error);
  g_remove (clip);
  g_remove (truth_path);
  g_remove (picture);
  g_remove (results);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/examples/tags/truth", test_truth);
  g_test_add_func ("/examples/tags/truth-errors", test_truth_errors);
  g_test_add_func ("/examples/tags/results", test_results);
  g_test_add_func ("/examples/tags/results-errors", test_results_errors);
  g_test_add_func ("/examples/tags/picture", test_picture);
  return g_test_run ();
}
