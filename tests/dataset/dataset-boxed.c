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
static void
check_split (const EnsDataset *dataset, EnsSplit split, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

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
  ck_assert_pstr_eq (text->str, expected);
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

START_TEST (test_lists)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  write_images ();
  test_folder_write ("ImageSets/Main/train.txt", "3\n1 \n2 -1\n");
  test_folder_write ("ImageSets/Main/val.txt", "4\r\n");
  test_folder_write ("ImageSets/Main/test.txt", "5\n");
  test_folder_write ("ImageSets/Main/dog_train.txt", "1 1\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 3);
  ck_assert_ptr_null (dataset->classes[3]);
  check_split (dataset, ENS_SPLIT_TRAIN, "3.jpg:ape+dog? 1.jpg:cat+dog 2.jpg");
  check_split (dataset, ENS_SPLIT_VALIDATION, "4.jpg:cat");
  check_split (dataset, ENS_SPLIT_TEST, "5.jpg");
  ck_assert_uint_eq (dataset->notes->len, 0);
}
END_TEST

/* Without lists all images are for training, and a fifth of them is held out. */
START_TEST (test_no_lists)
{
  g_autoptr (EnsDataset) dataset = NULL;

  write_images ();
  dataset = ens_dataset_load (test_folder, NULL, NULL);
  ck_assert_ptr_nonnull (dataset);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 4);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_VALIDATION]->len, 1);
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert (ens_dataset_require (dataset, ENS_SPLIT_VALIDATION, NULL));
  ck_assert (!ens_dataset_require (dataset, ENS_SPLIT_TEST, NULL));
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
  ck_assert_uint_eq (dataset->notes->len, 2);
  ck_assert_contains (dataset->notes->pdata[0], "broken.xml: not a Pascal VOC annotation");
  ck_assert_contains (dataset->notes->pdata[1], "train.txt:1: expected an image");
}
END_TEST

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
  ck_assert_uint_eq (dataset->notes->len, 0);
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
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], "of the validation images, 2 objects of other "
                                                "classes than the 1 known ones are left out: "
                                                "bee, cat");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/dataset-boxed");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  test_add ("voc-lists", test_lists);
  test_add ("voc-no-lists", test_no_lists);
  test_add ("given-classes", test_given_classes);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  test_add ("broken", test_broken);
  test_add ("coco", test_coco);
  test_add ("coco-classes", test_coco_classes);
  test_add ("coco-notes", test_coco_notes);
  return test_run ();
}
