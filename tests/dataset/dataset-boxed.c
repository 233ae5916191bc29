/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "base/files.h"
#include "check-main.h"
#include "dataset/dataset.h"
#include "support/folder.h"

/* objects: names, "?" before those that are difficult. */
static void
write_image (const char *id, const char *objects)
{
  g_autoptr (GString) xml = g_string_new (NULL);
  g_autofree char *name = g_strdup_printf ("Annotations/%s.xml", id);
  g_autofree char *picture = g_strdup_printf ("JPEGImages/%s.jpg", id);
  g_auto (GStrv) names = g_strsplit (objects, " ", -1);

  g_string_append_printf (xml,
                          "<annotation><filename>%s.jpg</filename><size><width>20</width>"
                          "<height>10</height></size>",
                          id);
  for (char **object = names; *object != NULL; object++) {
    gboolean difficult = **object == '?';

    if (**object != '\0')
      g_string_append_printf (xml,
                              "<object><name>%s</name><difficult>%d</difficult><bndbox><xmin>1"
                              "</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>",
                              *object + difficult, difficult);
  }
  g_string_append (xml, "</annotation>");
  test_folder_write (name, xml->str);
  test_folder_write (picture, "");
}

/* "FILE:CLASS+CLASS FILE:…", "?" behind classes that are not known. */
static char *
describe (const EnsDataset *dataset, EnsSplit split)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < dataset->samples[split]->len; i++) {
    const EnsDatasetItem *item = dataset->samples[split]->pdata[i];
    g_autofree char *name = g_path_get_basename (item->path);
    const char *join = ":";

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", name);
    for (guint c = 0; c < dataset->n_classes; c++)
      if (item->labels[c] != ENS_LABEL_ABSENT) {
        g_string_append_printf (text, "%s%s%s", join, dataset->classes[c],
                                item->labels[c] == ENS_LABEL_UNKNOWN ? "?" : "");
        join = "+";
      }
  }
  return g_string_free (text, FALSE);
}

static void
check_split (const EnsDataset *dataset, EnsSplit split, const char *expected)
{
  g_autofree char *found = describe (dataset, split);

  ck_assert_pstr_eq (found, expected);
}

/* Images 1, 2, … of which each shows one of the classes, by its letter. */
static void
write_coco (const char *name, const char *folder, const char *classes)
{
  g_autoptr (GString) images = g_string_new (NULL);
  g_autoptr (GString) annotations = g_string_new (NULL);
  g_autofree char *json = NULL;

  for (guint i = 0; classes[i] != '\0'; i++) {
    g_autofree char *picture = g_strdup_printf ("%s/%u.jpg", folder, i + 1);

    test_folder_write (picture, "");
    g_string_append_printf (images,
                            "%s{\"id\": %u, \"file_name\": \"%u.jpg\", \"width\": 20, "
                            "\"height\": 10}",
                            i > 0 ? "," : "", i + 1, i + 1);
    if (classes[i] != '-')
      g_string_append_printf (annotations,
                              "%s{\"image_id\": %u, \"category_id\": %d, \"iscrowd\": %d, "
                              "\"bbox\": [1, 2, 3, 4]}",
                              annotations->len > 0 ? "," : "", i + 1,
                              g_ascii_tolower (classes[i]) - 'a', g_ascii_isupper (classes[i]));
  }
  json = g_strdup_printf ("{\"images\": [%s], \"annotations\": [%s], \"categories\": ["
                          "{\"id\": 0, \"name\": \"ape\"}, {\"id\": 1, \"name\": \"bee\"}, "
                          "{\"id\": 2, \"name\": \"cat\"}]}",
                          images->str, annotations->str);
  test_folder_write (name, json);
}

static void
write_images (void)
{
  write_image ("1", "?dog dog cat ?dog");
  write_image ("2", "");
  write_image ("3", "?dog ape");
  write_image ("4", "cat");
  write_image ("5", "?emu");
}

static const char *const lists_places[] = {"ImageSets/Main/", "ImageSets/", ""};

static void
write_list (const char *place, const char *name, const char *text)
{
  g_autofree char *path = g_strconcat (place, name, NULL);

  test_folder_write (path, text);
}

START_TEST (test_lists)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  write_images ();
  write_list (lists_places[_i], "train.txt", "3\n1 \n2 -1\n");
  write_list (lists_places[_i], "val.txt", "4\r\n");
  write_list (lists_places[_i], "test.txt", "5\n");
  write_list (lists_places[_i], "dog_train.txt", "1 1\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 3);
  ck_assert_ptr_null (dataset->classes[3]);
  check_split (dataset, ENS_SPLIT_TRAIN, "3.jpg:ape+dog? 1.jpg:cat+dog 2.jpg");
  check_split (dataset, ENS_SPLIT_VALIDATION, "4.jpg:cat");
  check_split (dataset, ENS_SPLIT_TEST, "5.jpg");
  ck_assert_uint_eq (dataset->notes->len, _i == 0 ? 1 : 2);
  if (_i > 0)
    ck_assert_contains (dataset->notes->pdata[0],
                        "dog_train.txt, which would be lists of pictures");
  ck_assert_contains (dataset->notes->pdata[_i > 0], "layout does not need: 1, such as ");
  ck_assert_contains (dataset->notes->pdata[_i > 0], "dog_train.txt");
}
END_TEST

/* Without lists the images are divided by their names, in the same way for a bundle's classes. */
START_TEST (test_no_lists)
{
  const char *const classes[] = {"cat", NULL};
  g_autofree char *drawn = NULL;

  for (guint i = 0; i < 25; i++) {
    g_autofree char *id = g_strdup_printf ("%u", i);

    write_image (id, "cat");
  }
  for (guint round = 0; round < 2; round++) {
    g_autoptr (EnsDataset) dataset =
        ens_dataset_load (test_folder, round > 0 ? classes : NULL, NULL);
    g_autofree char *test = describe (dataset, ENS_SPLIT_TEST);

    ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 15);
    ck_assert_uint_eq (dataset->samples[ENS_SPLIT_VALIDATION]->len, 5);
    ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TEST]->len, 5);
    ck_assert_uint_eq (dataset->notes->len, 1);
    ck_assert_contains (dataset->notes->pdata[0],
                        "15 are for training, 5 for validation, 5 for the test");
    if (round > 0)
      ck_assert_pstr_eq (test, drawn);
    else
      drawn = g_steal_pointer (&test);
  }
}
END_TEST

static const struct {
  const char *lists; /* "NAME=ID,ID …" */
  const char *train, *validation, *test;
} lists_rows[] = {
    {"trainval=1,2,3 test=4", "1 2 3", "", "4"},
    {"train=1,2 trainval=1,2,3 val=3 test=4", "1 2", "3", "4"},
    {"cat_train=1,2 dog_train=2,3 cat_test=4 dog_test=4", "1 2 3", "", "4"},
    {"test=4 valid=2", "1 3 5", "2", "4"},
    {"val=2", "1 3 4 5", "2", ""},
};

/* A bundle's classes, so that nothing is held out. */
START_TEST (test_other_lists)
{
  const char *const classes[] = {"cat", "dog", "ape", "emu", NULL};
  const char *const expected[ENS_N_SPLITS] = {lists_rows[_i].train, lists_rows[_i].validation,
                                              lists_rows[_i].test};
  g_auto (GStrv) lists = g_strsplit (lists_rows[_i].lists, " ", -1);
  g_autoptr (EnsDataset) dataset = NULL;

  write_images ();
  for (char **list = lists; *list != NULL; list++) {
    g_auto (GStrv) halves = g_strsplit (*list, "=", 2);
    g_autofree char *name = g_strdup_printf ("ImageSets/Main/%s.txt", halves[0]);

    test_folder_write (name, g_strdelimit (halves[1], ",", '\n'));
  }
  dataset = ens_dataset_load (test_folder, classes, NULL);
  ck_assert_ptr_nonnull (dataset);
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autoptr (GString) ids = g_string_new (NULL);

    for (guint i = 0; i < dataset->samples[s]->len; i++) {
      g_autofree char *name =
          g_path_get_basename (((EnsDatasetItem *)dataset->samples[s]->pdata[i])->path);

      g_string_append_printf (ids, "%s%.*s", i > 0 ? " " : "", (int)strcspn (name, "."), name);
    }
    ck_assert_pstr_eq (ids->str, expected[s]);
  }
}
END_TEST

/* Items keep what their annotations say of places. */
START_TEST (test_boxes)
{
  g_autoptr (EnsDataset) dataset = NULL;
  const EnsDatasetItem *item;
  const EnsDatasetBox *box;

  write_images ();
  test_folder_write ("ImageSets/Main/train.txt", "1\n2\n");
  test_folder_write ("ImageSets/Main/val.txt", "3\n4\n");
  dataset = ens_dataset_load (test_folder, NULL, NULL);
  ck_assert_ptr_nonnull (dataset);
  item = dataset->samples[ENS_SPLIT_TRAIN]->pdata[0];
  ck_assert_uint_eq (item->width, 20);
  ck_assert_uint_eq (item->height, 10);
  ck_assert_uint_eq (item->boxes->len, 4);
  box = &g_array_index (item->boxes, EnsDatasetBox, 0);
  ck_assert_uint_eq (box->class, 1);
  ck_assert (box->difficult && !box->crowd);
  ck_assert (box->rect.x == 0 && box->rect.width == 0.25f && box->rect.height == 0.5f);
  ck_assert_uint_eq (g_array_index (item->boxes, EnsDatasetBox, 2).class, 0);
  item = dataset->samples[ENS_SPLIT_VALIDATION]->pdata[0];
  ck_assert_uint_eq (item->boxes->len, 1); /* apes are no class */
  item = dataset->samples[ENS_SPLIT_TRAIN]->pdata[1];
  ck_assert_uint_eq (item->boxes->len, 0);
}
END_TEST

/* A class whose annotation is damaged is not absent, and may be anywhere. */
static const struct {
  const char *broken; /* instead of the first image's box */
  const char *labels; /* of that image */
  guint n_boxes;
} damaged_rows[] = {
    {"\"category_id\": 0, \"bbox\": [1, 2, 0, 4]", "ape?", 1},
    {"\"category_id\": 0", "ape", 1},
    {"\"category_id\": 9, \"bbox\": [1, 2, 3, 4]", "ape?+bee?", 2},
    {"\"bbox\": [1, 2, 3, 4]", "ape?+bee?", 2},
};

START_TEST (test_damaged)
{
  g_autofree char *expected = g_strdup_printf ("01.jpg:%s", damaged_rows[_i].labels);
  g_autoptr (GString) images = g_string_new (NULL);
  g_autoptr (GString) boxes = g_string_new (NULL);
  g_autofree char *json = NULL;
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  const EnsDatasetItem *item;

  for (guint i = 1; i <= 12; i++) {
    g_autofree char *picture = g_strdup_printf ("train/%02u.jpg", i);
    const char *join = i > 1 ? "," : "";

    test_folder_write (picture, "");
    g_string_append_printf (
        images, "%s{\"id\": %u, \"file_name\": \"%02u.jpg\", \"width\": 20, \"height\": 10}", join,
        i, i);
    g_string_append_printf (boxes, "%s{\"image_id\": %u, %s}", join, i,
                            i == 1   ? damaged_rows[_i].broken
                            : i == 2 ? "\"category_id\": 1, \"bbox\": [1, 2, 3, 4]"
                                     : "\"category_id\": 0, \"bbox\": [1, 2, 3, 4]");
  }
  json = g_strdup_printf ("{\"images\": [%s], \"annotations\": [%s], \"categories\": [{\"id\": 0, "
                          "\"name\": \"ape\"}, {\"id\": 1, \"name\": \"bee\"}]}",
                          images->str, boxes->str);
  test_folder_write ("train/_annotations.coco.json", json);
  write_coco ("valid/_annotations.coco.json", "valid", "ab");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  item = dataset->samples[ENS_SPLIT_TRAIN]->pdata[0];
  g_ptr_array_set_size (dataset->samples[ENS_SPLIT_TRAIN], 1);
  check_split (dataset, ENS_SPLIT_TRAIN, expected);
  ck_assert_uint_eq (item->boxes->len, damaged_rows[_i].n_boxes);
  ck_assert (g_array_index (item->boxes, EnsDatasetBox, 0).difficult);
  ck_assert_double_eq (g_array_index (item->boxes, EnsDatasetBox, 0).rect.width, 0);
}
END_TEST

/* A table whose pictures are all for validation is divided as one that says nothing. */
static const struct {
  const char *split;
  guint n[ENS_N_SPLITS];
} table_rows[] = {
    {"", {6, 2, 2}},
    {"dev", {6, 2, 2}},
    {"train", {8, 2, 0}},
};

START_TEST (test_table)
{
  g_autofree char *path = g_build_filename (test_folder, "set", NULL);
  g_autoptr (GString) csv = g_string_new ("split,file,width,height,class,xmin,ymin,xmax,ymax\n");
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 10; i++) {
    g_autofree char *picture = g_strdup_printf ("set/%u.jpg", i);

    test_folder_write (picture, "");
    g_string_append_printf (csv, "%s,%u.jpg,10,10,cat,1,2,3,4\n", table_rows[_i].split, i);
  }
  test_folder_write ("set.csv", csv->str);
  dataset = ens_dataset_load (path, NULL, &error);
  ck_assert_no_error (error);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    ck_assert_uint_eq (dataset->samples[s]->len, table_rows[_i].n[s]);
}
END_TEST

START_TEST (test_given_classes)
{
  const char *const classes[] = {"dog", "cat", "ape", NULL};
  g_autoptr (EnsDataset) dataset = NULL;

  write_images ();
  test_folder_write ("ImageSets/Main/train.txt", "");
  test_folder_write ("ImageSets/Main/test.txt", "1\n3\n");
  dataset = ens_dataset_load (test_folder, classes, NULL);
  ck_assert_ptr_nonnull (dataset);
  check_split (dataset, ENS_SPLIT_TEST, "1.jpg:dog+cat 3.jpg:dog?+ape");
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_VALIDATION]->len, 0);
}
END_TEST

static const struct {
  const char *train, *val, *message;
} errors_rows[] = {
    {"1\n9\n", "4\n", "train.txt:2: expected an image that has an annotation, found “9”"},
    {"1\n", "3\n",
     "expected validation images with objects of the classes cat, dog, found ape alone"},
    {"2\n5\n", "4\n", "expected training images with objects, found 2 images with none"},
    {"", "4\n", "expected training images with objects, found 0 images with none"},
};

START_TEST (test_errors)
{
  write_images ();
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  test_folder_write ("ImageSets/Main/train.txt", errors_rows[_i].train);
  test_folder_write ("ImageSets/Main/val.txt", errors_rows[_i].val);
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_ptr_null (dataset);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, errors_rows[_i].message);
}
END_TEST

/* Each year's lists are of its own pictures, which have the same names; without any, for training.
 */
START_TEST (test_years)
{
  static const char *const years[] = {"2007", "2012", "more"};
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  for (guint y = 0; y < G_N_ELEMENTS (years); y++)
    for (guint i = 0; i < 2; i++) {
      g_autofree char *picture = g_strdup_printf ("VOC%s/JPEGImages/%u%u.jpg", years[y], i, y);
      g_autofree char *annotation = g_strdup_printf ("VOC%s/Annotations/%u%u.xml", years[y], i, y);
      g_autofree char *again = g_strdup_printf ("VOC%s/JPEGImages/x.jpg", years[y]);

      test_folder_write (picture, "");
      test_folder_write (again, "");
      test_folder_write (annotation, "<annotation><object><name>cat</name></object></annotation>");
    }
  test_folder_write ("VOC2007/ImageSets/Main/trainval.txt", "00\n");
  test_folder_write ("VOC2007/ImageSets/Main/test.txt", "10\n");
  test_folder_write ("VOC2012/ImageSets/Main/val.txt", "01\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  check_split (dataset, ENS_SPLIT_TRAIN, "00.jpg:cat 11.jpg:cat 02.jpg:cat 12.jpg:cat");
  check_split (dataset, ENS_SPLIT_VALIDATION, "01.jpg:cat");
  check_split (dataset, ENS_SPLIT_TEST, "10.jpg:cat");
  ck_assert_uint_eq (dataset->notes->len, 2);
  ck_assert_contains (dataset->notes->pdata[0], "pictures that have no annotation: 3");
  ck_assert_contains (dataset->notes->pdata[1], "pictures that lie in no folder with lists");
}
END_TEST

/* One broken annotation, and one line too many in a list, among twelve that are whole. */
START_TEST (test_broken)
{
  g_autoptr (GString) list = g_string_new ("nobody\n");
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 12; i++) {
    g_autofree char *id = g_strdup_printf ("%02u", i);

    write_image (id, "cat");
    g_string_append_printf (list, "%s\n", id);
  }
  test_folder_write ("Annotations/broken.xml", "<annotation><object>");
  test_folder_write ("JPEGImages/broken.jpg", "");
  test_folder_write ("ImageSets/Main/train.txt", list->str);
  test_folder_write ("ImageSets/Main/val.txt", "00\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 12);
  ck_assert_uint_eq (dataset->notes->len, 4);
  ck_assert_contains (dataset->notes->pdata[0], "broken.xml: not a Pascal VOC annotation");
  ck_assert_contains (dataset->notes->pdata[1], "left out pictures that have no annotation: 1");
  ck_assert_contains (dataset->notes->pdata[2], "train.txt:1: expected an image");
  ck_assert_contains (dataset->notes->pdata[3], "files that are in several splits");
}
END_TEST

/* COCO's own layout: the same names in several folders, and captions that nobody asked for. A crowd
 * shows its class. */
START_TEST (test_coco)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  const EnsDatasetItem *item;

  write_coco ("annotations/instances_train2017.json", "train2017", "aC-");
  write_coco ("annotations/instances_val2017.json", "val2017", "c");
  test_folder_write ("annotations/captions_val2017.json", "{}");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 2);
  check_split (dataset, ENS_SPLIT_TRAIN, "1.jpg:ape 2.jpg:cat 3.jpg");
  check_split (dataset, ENS_SPLIT_VALIDATION, "1.jpg:cat");
  check_split (dataset, ENS_SPLIT_TEST, "");
  item = dataset->samples[ENS_SPLIT_VALIDATION]->pdata[0];
  ck_assert (g_str_has_suffix (item->path, "/val2017/1.jpg"));
  ck_assert_uint_eq (dataset->notes->len, 2);
  ck_assert_contains (dataset->notes->pdata[0], "declared, but that no picture shows: bee");
  ck_assert_contains (dataset->notes->pdata[1], "captions_val2017.json");
}
END_TEST

/* Files beside their pictures; the classes of a bundle. */
START_TEST (test_coco_classes)
{
  const char *const classes[] = {"cat", "bee", NULL};
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  write_coco ("valid/_annotations.coco.json", "valid", "b");
  write_coco ("test/_annotations.coco.json", "test", "bc");
  dataset = ens_dataset_load (test_folder, classes, &error);
  ck_assert_no_error (error);
  check_split (dataset, ENS_SPLIT_TRAIN, "");
  check_split (dataset, ENS_SPLIT_VALIDATION, "1.jpg:bee");
  check_split (dataset, ENS_SPLIT_TEST, "1.jpg:bee 2.jpg:cat");
}
END_TEST

START_TEST (test_coco_notes)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  write_coco ("annotations/train.json", "images", "aa");
  write_coco ("annotations/val.json", "images", "abc");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  check_split (dataset, ENS_SPLIT_VALIDATION, "1.jpg:ape 2.jpg 3.jpg");
  ck_assert_uint_eq (dataset->notes->len, 2);
  ck_assert_contains (dataset->notes->pdata[0], "of the validation images, 2 objects of other "
                                                "classes than the 1 known ones are left out: "
                                                "bee, cat");
  ck_assert_contains (dataset->notes->pdata[1], "files that are in several splits");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/dataset-boxed");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_LOOP ("voc-lists", test_lists, lists_places);
  test_add ("voc-no-lists", test_no_lists);
  TEST_ADD_LOOP ("voc-other-lists", test_other_lists, lists_rows);
  test_add ("boxes", test_boxes);
  TEST_ADD_LOOP ("damaged", test_damaged, damaged_rows);
  TEST_ADD_LOOP ("table", test_table, table_rows);
  test_add ("given-classes", test_given_classes);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  test_add ("years", test_years);
  test_add ("broken", test_broken);
  test_add ("coco", test_coco);
  test_add ("coco-classes", test_coco_classes);
  test_add ("coco-notes", test_coco_notes);
  return test_run ();
}
