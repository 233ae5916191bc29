/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes-coco.h"

#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "dataset/coco-scan.h"
#include "support/folder.h"

#define IMAGE(id, file) \
  "{\"id\": " id ", \"file_name\": \"" file "\", \"width\": 100, \"height\": 50}"
#define BOX(image, category, box) \
  "{\"image_id\": " image ", \"category_id\": " category ", \"bbox\": [" box "]}"
#define COCO(images, annotations)                                                         \
  "{\"info\": {\"year\": 2017}, \"images\": [" images "], \"annotations\": [" annotations \
  "], \"categories\": [{\"id\": 7, \"name\": \"dog\"}, {\"name\": \"cat\", \"id\": 3}]}"
#define TWO_IMAGES IMAGE ("1", "a.jpg") "," IMAGE ("2", "b.jpg")

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

/* "PATH:LABEL@X,Y,W,H LABEL… PATH…", paths from the folder on, crowds marked by a star. */
static char *
describe (GPtrArray *images)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < images->len; i++) {
    const EnsBoxedImage *image = images->pdata[i];

    g_string_append_printf (text, "%s%s:", i > 0 ? " " : "",
                            image->path + strlen (test_folder) + 1);
    for (guint b = 0; b < image->boxes->len; b++) {
      const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);

      g_string_append_printf (text, "%s%s%s@%g,%g,%g,%g", b > 0 ? " " : "", box->label,
                              box->crowd ? "*" : "", (double)box->rect.x, (double)box->rect.y,
                              (double)box->rect.width, (double)box->rect.height);
    }
  }
  return g_string_free (text, FALSE);
}

static void
check (const char *load, const char *expected)
{
  g_autofree char *path = g_build_filename (test_folder, load, NULL);
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = ens_boxes_load (path, notes, &error);

  ck_assert_no_error (error);
  found = describe (images);
  ck_assert_pstr_eq (found, expected);
}

/* Members in any order, what else there is passed over, boxes cut at the image's edge. */
START_TEST (test_reading)
{
  test_folder_write ("set/images/a.jpg", "");
  test_folder_write ("set/images/b.jpg", "");
  test_folder_write (
      "set/annotations/all.json",
      "{\"annotations\": [{\"segmentation\": {\"counts\": [510, 4490], \"size\": [50, 100], "
      "\"x\": [[3]]}, "
      "\"bbox\": [10, 5, 50, 10], \"iscrowd\": 1, \"category_id\": 3, \"image_id\": 2},"
      "{\"image_id\": 2, \"category_id\": 7, \"bbox\": [-0.2, 25, 100.4, 25.0]}],"
      "\"categories\": [{\"id\": 7, \"name\": \"h\\u00fcndchen\"},"
      "{\"supercategory\": \"animal\", \"name\": \"cat\", \"id\": 3}],"
      "\"licenses\": [{\"id\": 1}], \"images\": [" IMAGE ("2", "b.jpg") "," IMAGE ("1",
                                                                                   "a.jpg") "]}");
  check ("set", "set/images/a.jpg: set/images/b.jpg:cat*@0.1,0.1,0.5,0.2 hündchen@0,0.5,1,0.5");
  check ("set/annotations/all.json",
         "set/images/a.jpg: set/images/b.jpg:cat*@0.1,0.1,0.5,0.2 hündchen@0,0.5,1,0.5");
  ck_assert_uint_eq (notes->len, 0);
}
END_TEST

/* Where files of annotations lie, which split they are of, and where their pictures are found. */
static const struct {
  const char *annotations, *picture;
  gint split;
} layouts_rows[] = {
    {"annotations/instances_train2017.json", "train2017/a.jpg", ENS_SPLIT_TRAIN},
    {"annotations/instances_val2017.json", "images/val2017/a.jpg", ENS_SPLIT_VALIDATION},
    {"annotations/instances_minival2014.json", "images/a.jpg", ENS_SPLIT_VALIDATION},
    {"annotations/instances_trainval.json", "a.jpg", ENS_SPLIT_TRAIN},
    {"annotations/test.json", "images/test/a.jpg", ENS_SPLIT_TEST},
    {"annotations/latest.json", "images/a.jpg", ENS_SPLIT_UNSAID},
    {"annotations/image_info_test-dev2017.json", "test/a.jpg", ENS_SPLIT_TEST},
    {"instances.json", "images/a.jpg", ENS_SPLIT_UNSAID},
    {"Test/_annotations.coco.json", "Test/a.jpg", ENS_SPLIT_TEST},
    {"valid/_annotations.coco.json", "valid/a.jpg", ENS_SPLIT_VALIDATION},
    /* by whatever name */
    {"labels.json", "data/a.jpg", ENS_SPLIT_UNSAID},
    {"pets.json", "pets/a.jpg", ENS_SPLIT_UNSAID},
    {"Annotations/Labels.JSON", "JPEGImages/a.jpg", ENS_SPLIT_UNSAID},
    {"train/labels.json", "train/data/a.jpg", ENS_SPLIT_TRAIN},
    {"val/ann/x.json", "val/ann/images/a.jpg", ENS_SPLIT_VALIDATION},
    {"a/b/labels.json", "a/b/images/a.jpg", ENS_SPLIT_UNSAID},
    {"labels/val.json", "images/val/a.jpg", ENS_SPLIT_VALIDATION},
    {"person_keypoints_train2017.json", "train2017/a.jpg", ENS_SPLIT_TRAIN},
};

START_TEST (test_layouts)
{
  g_autofree char *set = g_strdup_printf ("%u", _i);
  g_autofree char *folder = g_build_filename (test_folder, set, NULL);
  g_autofree char *annotations = g_build_filename (set, layouts_rows[_i].annotations, NULL);
  g_autofree char *picture = g_build_filename (set, layouts_rows[_i].picture, NULL);
  g_autofree char *expected = g_strconcat (picture, ":", NULL);
  g_autoptr (GPtrArray) files = NULL;

  test_folder_write (annotations, COCO (IMAGE ("1", "a.jpg"), ""));
  test_folder_write (picture, "");
  files = ens_coco_list (folder);
  ck_assert_uint_eq (files->len, 1);
  ck_assert_int_eq (((EnsCocoFile *)files->pdata[0])->split, layouts_rows[_i].split);
  check (set, expected);
}
END_TEST

/* Tagging needs categories alone: ids may be strings, and sizes and boxes missing; a polygon has a
 * box, and so do run lengths. */
static const struct {
  const char *image, *annotation;
  const char *expected; /* behind the picture's name */
} sparse_rows[] = {
    {"\"width\": 100, \"height\": 50", "\"bbox\": [10, 5, 50, 10]", "dog@0.1,0.1,0.5,0.2"},
    {"\"width\": 100, \"height\": 50", "\"iscrowd\": 0", "dog@0,0,0,0"},
    {"\"license\": 1", "\"bbox\": [10, 5, 50, 10]", "dog@0,0,0,0"},
    {"\"width\": 0, \"height\": 0", "\"bbox\": [10, 5, 50, 10]", "dog@0,0,0,0"},
    {"\"width\": 100, \"height\": 50", "\"segmentation\": [[10, 5, 60, 5, 60, 15], [12, 6, 14, 7]]",
     "dog@0.1,0.1,0.5,0.2"},
    {"\"width\": 100, \"height\": 50",
     "\"segmentation\": {\"counts\": [505, 10, 2440, 10, 2035], \"size\": [50, 100]}",
     "dog@0.1,0.1,0.5,0.2"},
    {"\"width\": 50, \"height\": 40",
     "\"segmentation\": {\"size\": [40, 50], \"counts\": "
     "\"P86P14M2N2N2N2O0O2O00000O2O00000000000001N1000001N101N2N2N2N3LRa0\"}",
     "dog@0.12,0.2,0.6,0.55"},
    {"\"width\": 100, \"height\": 50",
     "\"segmentation\": [[1, 1, 9, 9]], \"bbox\": [10, 5, 50, 10]", "dog@0.1,0.1,0.5,0.2"},
};

START_TEST (test_sparse)
{
  for (guint text = 0; text < 2; text++) {
    const char *quote = text != 0 ? "\"" : "";
    g_autofree char *json = g_strdup_printf (
        "{\"images\": [{\"id\": %s7%s, \"file_name\": \"a.jpg\", %s}], \"annotations\": "
        "[{\"image_id\": 7, \"category_id\": %s3%s, %s}], \"categories\": [{\"id\": 3, \"name\": "
        "\"dog\"}]}",
        quote, quote, sparse_rows[_i].image, quote, quote, sparse_rows[_i].annotation);
    g_autofree char *expected = g_strconcat ("set/a.jpg:", sparse_rows[_i].expected, NULL);

    test_folder_write ("set/a.jpg", "");
    test_folder_write ("set/instances.json", json);
    check ("set", expected);
  }
  ck_assert_uint_eq (notes->len, 0);
}
END_TEST

/* Cells that an object's mask has, of 256, and whether a note says that there was none to be read.
 */
static const struct {
  const char *name;
  const char *segmentation;
  const char *label; /* and box */
  guint n_cells;
  gboolean told;
} masks_rows[] = {
    {"polygon", "[[0, 0, 50, 0, 50, 50, 0, 50]]", "dog@0,0,1,1", 128, FALSE},
    {"runs", "{\"counts\": [0, 2500, 2500], \"size\": [50, 100]}", "dog@0,0,1,1", 128, FALSE},
    {"text", "{\"counts\": \"0T^2T^2\", \"size\": [50, 100]}", "dog@0,0,1,1", 128, FALSE},
    {"too-few", "{\"counts\": [0, 2500], \"size\": [50, 100]}", "dog@0,0,1,1", 0, TRUE},
    {"no-size", "{\"counts\": [0, 2500, 2500]}", "dog@0,0,1,1", 0, TRUE},
    {"other-size", "{\"counts\": [0, 50, 50], \"size\": [10, 10]}", "dog@0,0,1,1", 0, TRUE},
    {"nothing", "[]", "dog@0,0,1,1", 0, FALSE},
};

START_TEST (test_masks)
{
  g_autofree char *json = g_strdup_printf (
      COCO (IMAGE ("1", "a.jpg"), "{\"image_id\": 1, \"category_id\": 7, \"segmentation\": %s, "
                                  "\"bbox\": [0, 0, 100, 50]}"),
      masks_rows[_i].segmentation);
  g_autofree char *path = g_build_filename (test_folder, "set", NULL);
  g_autofree char *found = NULL, *expected = g_strconcat ("set/a.jpg:", masks_rows[_i].label, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = NULL;

  test_folder_write ("set/a.jpg", "");
  test_folder_write ("set/instances.json", json);
  images = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  found = describe (images);
  ck_assert_pstr_eq (found, expected);
  ck_assert_uint_eq (
      ens_object_mask_count (
          &g_array_index (((const EnsBoxedImage *)images->pdata[0])->boxes, EnsBox, 0).mask),
      masks_rows[_i].n_cells);
  ck_assert_uint_eq (notes->len, masks_rows[_i].told ? 2 : 1); /* cats are none */
  if (masks_rows[_i].told)
    ck_assert_contains (notes->pdata[0], "so that their boxes count alone: 1");
}
END_TEST

/* Two splits may have pictures of the same names, and files of the same split the same pictures. */
START_TEST (test_several_files)
{
  test_folder_write ("set/train2017/a.jpg", "");
  test_folder_write ("set/val2017/a.jpg", "");
  test_folder_write ("set/annotations/keypoints_train2017.json",
                     COCO (IMAGE ("1", "a.jpg"), BOX ("1", "3", "0,0,50,50")));
  test_folder_write ("set/annotations/more_train2017.json",
                     COCO (IMAGE ("9", "a.jpg"), BOX ("9", "7", "0,0,50,50")));
  test_folder_write ("set/annotations/keypoints_val2017.json",
                     COCO (IMAGE ("1", "a.jpg"), BOX ("1", "3", "0,0,100,50")));
  test_folder_write ("set/annotations/captions_val2017.json",
                     "{\"images\": [" IMAGE ("1", "a.jpg") "], \"annotations\": []}");
  check ("set", "set/train2017/a.jpg:cat@0,0,0.5,1 dog@0,0,0.5,1 set/val2017/a.jpg:cat@0,0,1,1");
  ck_assert_uint_eq (notes->len, 2);
  ck_assert_contains (notes->pdata[0], "found none called categories");
  ck_assert_contains (notes->pdata[1], "to which their annotations are added: 1");
}
END_TEST

/* Files that are known by what they say alone. */
static const struct {
  const char *head;
  gboolean likely;
} likely_rows[] = {
    {"{\"info\": {\"a\": [1]}, \"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}, {", TRUE},
    {"{\"images\": [{\"height\": 1, \"file_name\": \"a", TRUE},
    {"\xef\xbb\xbf{\"annotations\": [{\"id\": 1, \"image_id\": 2", TRUE},
    {"{\"categories\": [{\"id\": 1}], \"annotations\": [{\"image_id\": 2}]}", TRUE},
    {"{\"images\": []}", FALSE},
    {"{\"images\": [\"a.jpg\"], \"annotations\": [{\"image_id\": 1}]}", FALSE},
    {"{\"images\": 3}", FALSE},
    {"{\"categories\": [{\"id\": 1, \"name\": \"cat\"}]}", FALSE},
    {"{\"info\": {\"images\": [{\"file_name\": \"a.jpg\"}]}}", FALSE},
    {"[{\"images\": [{\"file_name\": \"a.jpg\"}]}]", FALSE},
    {"", FALSE},
};

START_TEST (test_likely)
{
  g_autofree char *path = g_build_filename (test_folder, "x.json", NULL);

  test_folder_write ("x.json", likely_rows[_i].head);
  ck_assert_int_eq (ens_coco_is_likely (path), likely_rows[_i].likely);
}
END_TEST

/* A set of pictures in folders may have files ending in .json without being COCO's. */
START_TEST (test_other_json)
{
  test_folder_write ("set/networks.json", "{}");
  test_folder_write ("set/train/cat/a.jpg", "");
  test_folder_write ("set/train/labels.json", "[]");
  {
    g_autofree char *path = g_build_filename (test_folder, "set", NULL);

    ck_assert_ptr_null (ens_boxes_coco.find (path));
  }
}
END_TEST

/* One entry in ten may be broken: it is left out and named. */
static const struct {
  const char *image, *annotation, *note;
} broken_rows[] = {
    {IMAGE ("11", "nowhere.jpg"), NULL, "images[10]: found no picture “nowhere.jpg”; looked in "},
    {"7", NULL, "images[10]: expected an id and a file_name, found the id “”"},
    {"{\"id\": 11, \"file_name\": 3, \"width\": 9, \"height\": 9}", NULL, "the file_name “”"},
    {"{\"id\": 11, \"file_name\": \"../images/a.jpg\"}", NULL,
     "found no picture “../images/a.jpg”"},
    {IMAGE ("10", "10.jpg"), NULL, "images[10]: expected ids that differ, found 10 again"},
    {NULL, BOX ("99", "7", "1,1,9,9"),
     "annotations[10]: expected the id of one of the 11 images, found “99”"},
    {NULL, BOX ("1", "99", "1,1,9,9"),
     "annotations[10]: expected the id of one of the 2 categories, found “99”"},
    {NULL, BOX ("1", "7", "1,1,0,9"), "annotations[10]: expected a box inside the image"},
    {NULL, BOX ("1", "7", "200,1,9,9"), "annotations[10]: expected a box inside the image"},
    {NULL, BOX ("1", "7", "1,1,9"), "found nan … nan"},
    {NULL, BOX ("1", "7", "1,NaN,9,9"), "annotations[10]: expected a box inside the image"},
    {NULL, BOX ("1", "7", "1,1,1e999,9"), NULL}, /* wide, but it begins inside */
    {NULL, "{\"image_id\": 1.5, \"category_id\": 7, \"bbox\": [1, 1, 9, 9]}", "found “”"},
    {NULL, "null", "annotations[10]: expected the id of one of the 11 images, found “”"},
};

START_TEST (test_broken)
{
  g_autofree char *path = g_build_filename (test_folder, "set", NULL);
  g_autoptr (GString) images = g_string_new (NULL);
  g_autoptr (GString) annotations = g_string_new (NULL);
  g_autoptr (GPtrArray) loaded = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;

  for (guint j = 1; j <= 10; j++) {
    g_autofree char *file = g_strdup_printf ("set/images/%u.jpg", j);

    test_folder_write (file, "");
    g_string_append_printf (images, IMAGE ("%u", "%u.jpg") ",", j, j);
    g_string_append_printf (annotations, BOX ("%u", "3", "1,1,9,9") ",", j);
  }
  g_string_append (images, broken_rows[_i].image ? broken_rows[_i].image : IMAGE ("11", "11.jpg"));
  if (broken_rows[_i].image == NULL)
    test_folder_write ("set/images/11.jpg", "");
  g_string_append (annotations, broken_rows[_i].annotation ? broken_rows[_i].annotation
                                                           : BOX ("10", "3", "1,1,9,9"));
  json = g_strdup_printf (COCO ("%s", "%s"), images->str, annotations->str);
  test_folder_write ("set/annotations/all.json", json);
  g_ptr_array_set_size (notes, 0);
  loaded = ens_boxes_load (path, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (loaded->len, broken_rows[_i].image != NULL ? 10 : 11);
  if (notes->len > 0 && strstr (notes->pdata[notes->len - 1], "no picture shows: dog") != NULL)
    g_ptr_array_set_size (notes, (gint)notes->len - 1);
  ck_assert_uint_eq (notes->len, broken_rows[_i].note != NULL ? 1 : 0);
  if (broken_rows[_i].note != NULL && strstr (notes->pdata[0], broken_rows[_i].note) == NULL)
    ck_abort_msg ("“%s” does not say “%s”", (char *)notes->pdata[0], broken_rows[_i].note);
}
END_TEST

static const struct {
  const char *text, *expected;
} errors_rows[] = {
    {"", "all.json:1:1: not sound JSON: expected a value, found the end of the file"},
    {"<!DOCTYPE html>", "all.json:1:1: not sound JSON"},
    {"[]", "expected a folder with the files of COCO"},
    {"{}", "all.json: not COCO's annotations: expected lists called images, annotations and "
           "categories, found none called images"},
    {"{\"images\": [], \"annotations\": []}", "found none called categories"},
    {"{\"images\": [], \"annotations\": {}, \"categories\": []}", "found none called annotations"},
    {COCO (TWO_IMAGES, "") "x", "expected nothing more, found “x”"},
    {"{\"images\": [{\"id\": 1", "expected “,” or “}”, found the end of the file"},
    {"{\"images\": [], \"annotations\": [], \"categories\": [{\"id\": 1}]}",
     "categories[0]: expected a name, and an id of its own, found the name “” and the id “1”"},
    {"{\"images\": [], \"annotations\": [], \"categories\": [{\"id\": 1, \"name\": \"a\"}, "
     "{\"id\": 1, \"name\": \"b\"}]}",
     "categories[1]: expected a name, and an id of its own, found the name “b” and the id “1”"},
    {COCO (IMAGE ("1", "a.jpg") "," IMAGE ("2", "missing.jpg"), ""),
     "all.json: 1 of the 2 images can't be used; more than one in 10 is too many. The first: "},
    {COCO (TWO_IMAGES, BOX ("5", "7", "1,1,2,2") "," BOX ("1", "7", "1,1,2,2")),
     "all.json: 1 of the 2 annotations can't be used"},
    {COCO (IMAGE ("1", "/etc"), ""), "found no picture “/etc”"},
};

START_TEST (test_errors)
{
  test_folder_write ("set/images/a.jpg", "");
  test_folder_write ("set/images/b.jpg", "");
  g_autofree char *path = g_build_filename (test_folder, "set", NULL);
  g_autoptr (GError) error = NULL;

  test_folder_write ("set/annotations/all.json", errors_rows[_i].text);
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
  test_suite ("dataset/boxes-coco");
  test_fixture (set_up, tear_down);
  test_add ("reading", test_reading);
  TEST_ADD_LOOP ("layouts", test_layouts, layouts_rows);
  TEST_ADD_LOOP ("sparse", test_sparse, sparse_rows);
  TEST_ADD_ROWS ("masks", test_masks, masks_rows);
  test_add ("several-files", test_several_files);
  TEST_ADD_LOOP ("likely", test_likely, likely_rows);
  test_add ("other-json", test_other_json);
  TEST_ADD_LOOP ("broken", test_broken, broken_rows);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  return test_run ();
}
