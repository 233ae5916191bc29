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

static void
assert_image (const EnsBoxedImage *image, gint split, guint width, guint height)
{
  ck_assert_int_eq (image->split, split);
  ck_assert_uint_eq (image->width, width);
  ck_assert_uint_eq (image->height, height);
}

START_TEST (test_voc)
{
  g_autofree char *path = g_build_filename (test_folder, "voc", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("voc/JPEGImages/b.jpg", "");
  test_folder_write ("voc/JPEGImages/a.png", "");
  test_folder_write ("voc/JPEGImages/c.JPEG", "");
  test_folder_write ("voc/JPEGImages/d.jpg", "");
  test_folder_write ("voc/JPEGImages/e.webp", "");
  test_folder_write ("voc/JPEGImages/Thumbs.db", "");
  test_folder_write ("voc/Annotations/b.xml", VOC (""));
  test_folder_write ("voc/Annotations/c.xml", VOC (""));
  test_folder_write ("voc/Annotations/a.xml", VOC (VOC_BOX ("cat", "1", "1", "100", "50")
                                                       VOC_BOX ("dog", "11", "11", "60", "20")));
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (images->len, 3);
  ck_assert_uint_eq (notes->len, 1);
  ck_assert_contains (notes->pdata[0],
                      "voc: left out pictures that have no annotation: 2, such as ");
  ck_assert_contains (notes->pdata[0], "files that are no pictures: 1, such as ");
  ck_assert (g_str_has_suffix (((EnsBoxedImage *)images->pdata[0])->path, "a.png"));
  ck_assert (g_str_has_suffix (((EnsBoxedImage *)images->pdata[2])->path, "c.JPEG"));
  assert_box (images, 0, 0, "cat", ENS_RECT_WHOLE);
  assert_box (images, 0, 1, "dog", (EnsRect) {0.1f, 0.2f, 0.5f, 0.2f});
  ck_assert_uint_eq (((EnsBoxedImage *)images->pdata[1])->boxes->len, 0);
}
END_TEST

/* Of the table, and of the folder beside it. */
START_TEST (test_csv)
{
  g_autofree char *folder = g_build_filename (test_folder, "set", NULL);
  g_autofree char *path = g_build_filename (test_folder, "set.csv", NULL);
  g_autofree char *first = g_build_filename (test_folder, "set", "a.jpg", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("set/a.jpg", "");
  test_folder_write ("set/b.jpg", "");
  test_folder_write ("set/c.jpg", "");
  test_folder_write ("set.csv", "split,file,width,height,class,xmin,ymin,xmax,ymax\n"
                                "dev,b.jpg,100,50,cup,-0.2,0,50,25.5\n"
                                "dev,a.jpg,10,10,dog,1,2,3,4\n"
                                ",c.jpg,30,20,,,,,\n"
                                "dev,b.jpg,100,50,cat,50,25,100,50\n");
  images = ens_boxes_load (_i == 0 ? path : folder, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (images->len, 3);
  assert_image (images->pdata[0], ENS_SPLIT_VALIDATION, 10, 10);
  assert_image (images->pdata[1], ENS_SPLIT_VALIDATION, 100, 50);
  assert_image (images->pdata[2], ENS_SPLIT_UNSAID, 30, 20);
  ck_assert_pstr_eq (((EnsBoxedImage *)images->pdata[0])->path, first);
  assert_box (images, 0, 0, "dog", (EnsRect) {0.1f, 0.2f, 0.2f, 0.2f});
  assert_box (images, 1, 0, "cup", (EnsRect) {0, 0, 0.5f, 0.51f});
  assert_box (images, 1, 1, "cat", (EnsRect) {0.5f, 0.5f, 0.5f, 0.5f});
  ck_assert_uint_eq (((EnsBoxedImage *)images->pdata[2])->boxes->len, 0);
}
END_TEST

/* What is said of object 1 of an image whose annotation has another one that is sound. */
static const struct {
  const char *object;
  const char *doubts; /* labels, "*" for one that is not known */
} doubts_rows[] = {
    {VOC_BOX ("dog", "1", "1", "5", "5"), ""},
    {VOC_BOX ("dog", "5", "1", "4", "5"), "dog"},
    {VOC_BOX ("dog", "1", "1", "four", "5"), "dog"},
    {"<object><name>dog</name></object>", ""},
    {"<object><name>dog</name><bndbox/></object>", "dog"},
    {"<object><bndbox><xmin>1</xmin></bndbox></object>", "*"},
};

START_TEST (test_doubts)
{
  g_autofree char *path = g_build_filename (test_folder, "voc", NULL);
  g_autofree char *broken =
      g_strdup_printf (VOC ("%s%s"), doubts_rows[_i].object, VOC_BOX ("cat", "1", "1", "9", "9"));
  g_autoptr (GString) doubts = g_string_new (NULL);
  g_autoptr (GPtrArray) images = NULL;
  const EnsBoxedImage *image;

  for (guint i = 0; i < 10; i++) {
    g_autofree char *picture = g_strdup_printf ("voc/JPEGImages/%u.jpg", i);
    g_autofree char *annotation = g_strdup_printf ("voc/Annotations/%u.xml", i);

    test_folder_write (picture, "");
    test_folder_write (annotation, i == 0 ? broken : VOC (""));
  }
  images = ens_boxes_load (path, notes, NULL);
  ck_assert_uint_eq (images->len, 10);
  image = images->pdata[0];
  for (guint i = 0; i < image->doubts->len; i++)
    g_string_append (doubts, image->doubts->pdata[i] ? image->doubts->pdata[i] : "*");
  ck_assert_pstr_eq (doubts->str, doubts_rows[_i].doubts);
  ck_assert_uint_eq (notes->len, *doubts_rows[_i].doubts != '\0');
  assert_box (images, 0, image->boxes->len - 1, "cat", (EnsRect) {0, 0, 0.09f, 0.18f});
}
END_TEST

/* An annotation that does not say how large its picture is shows its classes, but not where. */
START_TEST (test_no_size)
{
  g_autofree char *path = g_build_filename (test_folder, "voc", NULL);
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("voc/JPEGImages/a.jpg", "");
  test_folder_write ("voc/Annotations/a.xml",
                     "<annotation>" VOC_BOX ("cat", "1", "1", "9", "9") "</annotation>");
  images = ens_boxes_load (path, notes, NULL);
  ck_assert_ptr_nonnull (images);
  assert_box (images, 0, 0, "cat", (EnsRect) {0});
  assert_image (images->pdata[0], ENS_SPLIT_UNSAID, 0, 0);
}
END_TEST

/* What is where in an annotation, and how it is encoded, differs between tools. */
#define PARTS                                                                                     \
  "<annotation><object><part><name>foot</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>6</xmax>" \
  "<ymax>6</ymax></bndbox></part><name>cat</name><bndbox><xmin>11</xmin><ymin>11</ymin>"          \
  "<xmax>60</xmax><ymax>20</ymax></bndbox><part><name>head</name><bndbox><xmin>3</xmin>"          \
  "<ymin>3</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></part></object><size><width>100</width>"   \
  "<height>50</height></size></annotation>"

static const struct {
  const char *name, *start, *charset;
} spellings_rows[] = {
    {"plain", "", "UTF-8"},
    {"byte-order-mark", "\xef\xbb\xbf", "UTF-8"},
    {"declaration", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", "UTF-8"},
    {"doctype", "<!DOCTYPE annotation [<!ELEMENT a (b)>]>", "UTF-8"},
    {"utf-16", "", "UTF-16"},
    {"utf-16-big-endian", "\xef\xbb\xbf", "UTF-16BE"},
};

START_TEST (test_spellings)
{
  g_autofree char *path = g_build_filename (test_folder, "voc", NULL);
  g_autofree char *file = g_build_filename (path, "Annotations", "a.xml", NULL);
  g_autofree char *text = g_strconcat (spellings_rows[_i].start, PARTS, NULL);
  g_autofree char *xml = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;
  gsize size;

  xml = g_convert (text, -1, spellings_rows[_i].charset, "UTF-8", NULL, &size, &error);
  ck_assert_no_error (error);
  test_folder_write ("voc/JPEGImages/a.jpg", "");
  test_folder_write ("voc/Annotations/a.xml", "");
  ck_assert (g_file_set_contents (file, xml, (gssize)size, NULL));
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (((EnsBoxedImage *)images->pdata[0])->boxes->len, 1);
  assert_box (images, 0, 0, "cat", (EnsRect) {0.1f, 0.2f, 0.5f, 0.2f});
  assert_image (images->pdata[0], ENS_SPLIT_UNSAID, 100, 50);
}
END_TEST

/* One bad line in ten is left out, and named. */
START_TEST (test_broken)
{
  g_autofree char *path = g_build_filename (test_folder, "ten.csv", NULL);
  g_autoptr (GString) text = g_string_new (CSV_HEADING "0.jpg,10,10,dog,9,1,4,4\n");
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 9; i++) {
    g_autofree char *picture = g_strdup_printf ("ten/%u.jpg", i);

    test_folder_write (picture, "");
    g_string_append_printf (text, "%u.jpg,10,10,dog,1,1,4,4\n", i);
  }
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
    {NULL, NULL, "nowhere", "nowhere: expected a folder with the files of COCO"},
    {NULL, NULL, "nowhere.csv", "nowhere.csv"},
    {"empty.csv", "", "empty.csv", "column “file”"},
    {"column.csv", "file,width,height,class,xmin,ymin,xmax\n", "column.csv", "column “ymax”"},
    {"short.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4\n", "short.csv",
     "short.csv:2: expected a col"},
    {"flat.csv", CSV_HEADING "a.jpg,10,10,dog,5,1,5,4\n", "flat.csv", "flat.csv:2: expected a box",
     "flat/a.jpg"},
    {"number.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,four,4\n", "number.csv",
     "number.csv:2: expected a box inside the image of 10×10 pixels, found 1 … nan by 1 … 4",
     "number/a.jpg"},
    {"many.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4,4\na.jpg,10,10,dog,1,1,4\n", "many.csv",
     "many.csv: 1 of the 2 lines can't be used; more than one in 10 is too many. The first: ",
     "many/a.jpg"},
    {"size.csv", CSV_HEADING "a.jpg,0,10,dog,1,1,4,4\n", "size.csv", "size.csv:2", "size/a.jpg"},
    {"outside.csv", CSV_HEADING "../outside.csv,10,10,dog,1,1,4,4\n", "outside.csv",
     "outside.csv:2: found no picture "},
    {"lost.csv", CSV_HEADING "a.jpg,10,10,dog,1,1,4,4\n", "lost.csv",
     "lost.csv:2: found no picture "},
    {"nameless.csv", CSV_HEADING "a.jpg,10,10,,1,1,4,4\n", "nameless.csv",
     "nameless.csv:2: a box has no class", "nameless/a.jpg"},
    {"split.csv", "split," CSV_HEADING "best,a.jpg,10,10,dog,1,1,4,4\n", "split.csv",
     "split.csv:2: expected the split train, validation or test, found “best”", "split/a.jpg"},
    {"train.csv", "file,class,split\na.jpg,dog,train\na.jpg,cat,val\n", "train.csv",
     "train.csv:3: expected a picture in one split, found it in train and validation",
     "train/a.jpg"},
    {"train.csv", "file,class,split\na.jpg,cat,val\na.jpg,dog,train\n", "train.csv",
     "train.csv:3: expected a picture in one split, found it in validation and train",
     "train/a.jpg"},
    {"alone/Annotations/x.xml", VOC (""), "alone", "x.xml has no picture"},
    {"text/Annotations/x.xml", "no markup", "text", "x.xml: not a Pascal VOC annotation",
     "text/JPEGImages/x.jpg"},
    {"cut/Annotations/x.xml", "<annotation><size>", "cut", "x.xml: not a Pascal VOC annotation",
     "cut/JPEGImages/x.jpg"},
    {"unnamed/Annotations/x.xml", VOC ("<object></object>"), "unnamed", "an object has no name",
     "unnamed/JPEGImages/x.jpg"},
    {"boxless/Annotations/x.xml", VOC ("<object><name>a</name><bndbox/></object>"), "boxless",
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
  test_add_loop ("csv", test_csv, 2);
  test_add ("no-size", test_no_size);
  TEST_ADD_LOOP ("doubts", test_doubts, doubts_rows);
  TEST_ADD_ROWS ("spellings", test_spellings, spellings_rows);
  test_add ("broken", test_broken);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  return test_run ();
}
