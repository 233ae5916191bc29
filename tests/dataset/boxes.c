/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes.h"

#include <glib/gstdio.h>
#include <string.h>

#include "check-main.h"
#include "support/folder.h"

#define VOC(body) \
  "<annotation><size><width>100</width><height>50</height></size>" body "</annotation>"
#define VOC_BOX(name, xmin, ymin, xmax, ymax)                                                     \
  "<object><name>" name "</name><difficult>0</difficult><bndbox><xmin>" xmin "</xmin><ymin>" ymin \
  "</ymin><xmax>" xmax "</xmax><ymax>" ymax "</ymax></bndbox></object>"
#define CSV_HEADING "file,width,height,class,xmin,ymin,xmax,ymax\n"

static GPtrArray *notes; /* of everything that was left out */

static void
set_up (void)
{
  test_folder_set_up ();
  notes = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (void)
{
  g_ptr_array_unref (notes);
  test_folder_tear_down ();
}

static void
assert_box (GPtrArray *images, guint image, guint box, const char *label, EnsRect expected)
{
  const EnsBoxedImage *boxed = images->pdata[image];
  const EnsBox *actual = &g_array_index (boxed->boxes, EnsBox, box);

  ck_assert_pstr_eq (actual->label, label);
  ck_assert_double_eq_tol (actual->rect.x, expected.x, 1e-6);
  ck_assert_double_eq_tol (actual->rect.y, expected.y, 1e-6);
  ck_assert_double_eq_tol (actual->rect.width, expected.width, 1e-6);
  ck_assert_double_eq_tol (actual->rect.height, expected.height, 1e-6);
}

START_TEST (test_voc)
{
  g_autofree char *path = g_build_filename (test_folder, "voc", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("voc/JPEGImages/b.jpg", "");
  test_folder_write ("voc/JPEGImages/a.png", "");
  test_folder_write ("voc/Annotations/b.xml", VOC (""));
  test_folder_write ("voc/Annotations/a.xml", VOC (VOC_BOX ("cat", "1", "1", "100", "50")
                                                       VOC_BOX ("dog", "11", "11", "60", "20")));
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (images->len, 2);
  ck_assert (g_str_has_suffix (((EnsBoxedImage *)images->pdata[0])->path, "a.png"));
  assert_box (images, 0, 0, "cat", ENS_RECT_WHOLE);
  assert_box (images, 0, 1, "dog", (EnsRect) {0.1f, 0.2f, 0.5f, 0.2f});
  ck_assert_uint_eq (((EnsBoxedImage *)images->pdata[1])->boxes->len, 0);
}
END_TEST

START_TEST (test_csv)
{
  g_autofree char *path = g_build_filename (test_folder, "set.csv", NULL);
  g_autofree char *first = g_build_filename (test_folder, "set", "a.jpg", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("set.csv", "split,file,width,height,class,xmin,ymin,xmax,ymax\n"
                                "dev,b.jpg,100,50,cup,-0.2,0,50,25.5\n"
                                "dev,a.jpg,10,10,dog,1,2,3,4\n"
                                "dev,b.jpg,100,50,cat,50,25,100,50\n");
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (images->len, 2);
  ck_assert_pstr_eq (((EnsBoxedImage *)images->pdata[0])->path, first);
  assert_box (images, 0, 0, "dog", (EnsRect) {0.1f, 0.2f, 0.2f, 0.2f});
  assert_box (images, 1, 0, "cup", (EnsRect) {0, 0, 0.5f, 0.51f});
  assert_box (images, 1, 1, "cat", (EnsRect) {0.5f, 0.5f, 0.5f, 0.5f});
}
END_TEST

/* One bad line in ten is left out, and named. */
START_TEST (test_broken)
{
  g_autofree char *path = g_build_filename (test_folder, "ten.csv", NULL);
  g_autoptr (GString) text = g_string_new (CSV_HEADING "bad.jpg,10,10,dog,9,1,4,4\n");
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 9; i++)
    g_string_append_printf (text, "%u.jpg,10,10,dog,1,1,4,4\n", i);
  test_folder_write ("ten.csv", text->str);
  g_ptr_array_set_size (notes, 0);
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (notes->len, 1);
  ck_assert_contains (notes->pdata[0], "ten.csv:2: expected a box inside the image");
}
END_TEST

static const struct {
  const char *file, *text, *load, *expected;
  const char *picture;
} errors_rows[] = {
    {NULL, NULL, "nowhere", "expected a folder with Annotations"},
    {NULL, NULL, "nowhere.csv", "nowhere.csv"},
    {"empty.csv", "", "empty.csv", "column “file”"},
    {"column.csv", "file,width,height,class,xmin,ymin,xmax\n", "column.csv", "column “ymax”"},
    {"short.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4\n", "short.csv",
     "short.csv:2: expected a col"},
    {"flat.csv", CSV_HEADING "a.jpg,10,10,dog,5,1,5,4\n", "flat.csv", "flat.csv:2: expected a box"},
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

START_TEST (test_errors)
{
  g_autofree char *path = g_build_filename (test_folder, errors_rows[_i].load, NULL);
  g_autoptr (GError) error = NULL;

  if (errors_rows[_i].file != NULL)
    test_folder_write (errors_rows[_i].file, errors_rows[_i].text);
  if (errors_rows[_i].picture != NULL)
    test_folder_write (errors_rows[_i].picture, "");
  ck_assert_ptr_null (ens_boxes_load (path, notes, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert (error->domain == ENS_ERROR);
  if (strstr (error->message, errors_rows[_i].expected) == NULL)
    ck_abort_msg ("“%s” does not say “%s”", error->message, errors_rows[_i].expected);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/boxes");
  test_fixture (set_up, tear_down);
  test_add ("voc", test_voc);
  test_add ("csv", test_csv);
  test_add ("broken", test_broken);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  return test_run ();
}
