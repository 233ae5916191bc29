#include "dataset/boxes.h"

#include <glib/gstdio.h>
#include <string.h>

#define VOC(body) \
  "<annotation><size><width>100</width><height>50</height></size>" body "</annotation>"
#define VOC_BOX(name, xmin, ymin, xmax, ymax)                                                     \
  "<object><name>" name "</name><difficult>0</difficult><bndbox><xmin>" xmin "</xmin><ymin>" ymin \
  "</ymin><xmax>" xmax "</xmax><ymax>" ymax "</ymax></bndbox></object>"
#define CSV_HEADING "file,width,height,class,xmin,ymin,xmax,ymax\n"

static char *folder;
static GPtrArray *notes; /* of everything that was left out */

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
assert_box (GPtrArray *images, guint image, guint box, const char *label, EnsRect expected)
{
  const EnsBoxedImage *boxed = images->pdata[image];
  const EnsBox *actual = &g_array_index (boxed->boxes, EnsBox, box);

  g_assert_cmpstr (actual->label, ==, label);
  g_assert_cmpfloat_with_epsilon (actual->rect.x, expected.x, 1e-6);
  g_assert_cmpfloat_with_epsilon (actual->rect.y, expected.y, 1e-6);
  g_assert_cmpfloat_with_epsilon (actual->rect.width, expected.width, 1e-6);
  g_assert_cmpfloat_with_epsilon (actual->rect.height, expected.height, 1e-6);
}

static void
test_voc (void)
{
  g_autofree char *path = g_build_filename (folder, "voc", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  write_file ("voc/JPEGImages/b.jpg", "");
  write_file ("voc/JPEGImages/a.png", "");
  write_file ("voc/Annotations/b.xml", VOC (""));
  write_file ("voc/Annotations/a.xml",
              VOC (VOC_BOX ("cat", "1", "1", "100", "50") VOC_BOX ("dog", "11", "11", "60", "20")));
  images = ens_boxes_load (path, notes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (images->len, ==, 2);
  g_assert_true (g_str_has_suffix (((EnsBoxedImage *)images->pdata[0])->path, "a.png"));
  assert_box (images, 0, 0, "cat", ENS_RECT_WHOLE);
  assert_box (images, 0, 1, "dog", (EnsRect) {0.1f, 0.2f, 0.5f, 0.2f});
  g_assert_cmpuint (((EnsBoxedImage *)images->pdata[1])->boxes->len, ==, 0);
}

static void
test_csv (void)
{
  g_autofree char *path = g_build_filename (folder, "set.csv", NULL);
  g_autofree char *first = g_build_filename (folder, "set", "a.jpg", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  write_file ("set.csv", "split,file,width,height,class,xmin,ymin,xmax,ymax\n"
                         "dev,b.jpg,100,50,cup,-0.2,0,50,25.5\n"
                         "dev,a.jpg,10,10,dog,1,2,3,4\n"
                         "dev,b.jpg,100,50,cat,50,25,100,50\n");
  images = ens_boxes_load (path, notes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (images->len, ==, 2);
  g_assert_cmpstr (((EnsBoxedImage *)images->pdata[0])->path, ==, first);
  assert_box (images, 0, 0, "dog", (EnsRect) {0.1f, 0.2f, 0.2f, 0.2f});
  assert_box (images, 1, 0, "cup", (EnsRect) {0, 0, 0.5f, 0.51f});
  assert_box (images, 1, 1, "cat", (EnsRect) {0.5f, 0.5f, 0.5f, 0.5f});
}

/* One bad line in ten is left out, and named. */
static void
test_broken (void)
{
  g_autofree char *path = g_build_filename (folder, "ten.csv", NULL);
  g_autoptr (GString) text = g_string_new (CSV_HEADING "bad.jpg,10,10,dog,9,1,4,4\n");
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 9; i++)
    g_string_append_printf (text, "%u.jpg,10,10,dog,1,1,4,4\n", i);
  write_file ("ten.csv", text->str);
  g_ptr_array_set_size (notes, 0);
  images = ens_boxes_load (path, notes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (notes->len, ==, 1);
  g_assert_nonnull (strstr (notes->pdata[0], "ten.csv:2: expected a box inside the image"));
}

static void
test_errors (void)
{
  static const struct {
    const char *file, *text, *load, *expected;
    const char *picture;
  } rows[] = {
      {NULL, NULL, "nowhere", "expected a folder with Annotations"},
      {NULL, NULL, "nowhere.csv", "nowhere.csv"},
      {"empty.csv", "", "empty.csv", "column “file”"},
      {"column.csv", "file,width,height,class,xmin,ymin,xmax\n", "column.csv", "column “ymax”"},
      {"short.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4\n", "short.csv",
       "short.csv:2: expected a col"},
      {"flat.csv", CSV_HEADING "a.jpg,10,10,dog,5,1,5,4\n", "flat.csv",
       "flat.csv:2: expected a box"},
      {"number.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,four,4\n", "number.csv",
       "number.csv:2: expected a box inside the image of 10×10 pixels, found 1 … nan by 1 … 4"},
      {"many.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4,4\na.jpg,10,10,dog,1,1,4\n", "many.csv",
       "many.csv: 1 of the 2 lines can't be used; more than one in 10 is too many. The first: "},
      {"size.csv", CSV_HEADING "a.jpg,0,10,dog,1,1,4,4\n", "size.csv", "size.csv:2"},
      {"alone/Annotations/x.xml", VOC (""), "alone", "x.xml has no picture"},
      {"text/Annotations/x.xml", "no markup", "text", "x.xml: not a Pascal VOC annotation",
       "text/JPEGImages/x.jpg"},
      {"cut/Annotations/x.xml", "<annotation><size>", "cut", "x.xml: not a Pascal VOC annotation",
       "cut/JPEGImages/x.jpg"},
      {"unnamed/Annotations/x.xml", VOC ("<object></object>"), "unnamed", "an object has no name",
       "unnamed/JPEGImages/x.jpg"},
      {"boxless/Annotations/x.xml", VOC ("<object><name>a</name></object>"), "boxless",
       "x.xml: expected a box", "boxless/JPEGImages/x.jpg"},
      {"swapped/Annotations/x.xml", VOC (VOC_BOX ("a", "60", "1", "50", "9")), "swapped",
       "x.xml: expected a box", "swapped/JPEGImages/x.jpg"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_build_filename (folder, rows[i].load, NULL);
    g_autoptr (GError) error = NULL;

    if (rows[i].file != NULL)
      write_file (rows[i].file, rows[i].text);
    if (rows[i].picture != NULL)
      write_file (rows[i].picture, "");
    g_assert_null (ens_boxes_load (path, notes, &error));
    g_assert_nonnull (error);
    g_assert_true (error->domain == ENS_ERROR);
    if (strstr (error->message, rows[i].expected) == NULL)
      g_error ("row %u: “%s” does not say “%s”", i, error->message, rows[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_autofree char *remove = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("ens-boxes-XXXXXX", NULL);
  notes = g_ptr_array_new_with_free_func (g_free);
  g_test_add_func ("/train/boxes/voc", test_voc);
  g_test_add_func ("/train/boxes/csv", test_csv);
  g_test_add_func ("/train/boxes/broken", test_broken);
  g_test_add_func ("/train/boxes/errors", test_errors);
  status = g_test_run ();
  remove = g_strdup_printf ("rm -r %s", folder);
  g_assert_true (g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL));
  g_ptr_array_unref (notes);
  g_free (folder);
  return status;
}
