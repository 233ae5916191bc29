/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs for labelling and published sets write: LabelMe, VGG Image Annotator, Create ML,
 * FiftyOne, CUB-200; lists beside annotations, and classes that nothing shows. */
#include "check-main.h"
#include "dataset/boxes.h"
#include "dataset/dataset.h"
#include "layout-check.h"
#include "support/folder.h"

#define CAT "cat@0,0,0.5,0.5"
#define SIZE "\"imageWidth\": 100, \"imageHeight\": 20"
#define VOC_CAT "<annotation><object><name>cat</name></object></annotation>"
#define COCO(categories)                                                                       \
  "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"annotations\": [{\"image_id\": 1, " \
  "\"category_id\": 1}], \"categories\": [{\"id\": 1, \"name\": \"cat\"}" categories "]}"
#define VIA_HEAD                                                                       \
  "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes," \
  "region_attributes\n"

static const LayoutRow rows[] = {
    /* ---- LabelMe ---- */
    {"labelme",
     {{"a.jpg"},
      {"a.json",
       "{\"version\": \"5.0\", \"flags\": {}, \"shapes\": [{\"label\": \"cat\", \"points\": "
       "[[0, 0], [50.0, 10]], \"group_id\": null, \"shape_type\": \"rectangle\"}, "
       "{\"label\": \"dog\", \"points\": [[50, 10], [40, 10]], \"shape_type\": \"circle\"}, "
       "{\"label\": \"nose\", \"points\": [[1, 2]], \"shape_type\": \"point\"}], "
       "\"imagePath\": \"a.jpg\", \"imageData\": \"aGk=\", " SIZE "}"},
      {"b.jpg"},
      {"b.json",
       "{\"imageData\": null, \"imagePath\": \"b.jpg\", " SIZE ", \"shapes\": [{\"label\": "
       "\"cat\", \"points\": [[0, 0], [50, 0], [50, 10], [0, 10]]}]}"}},
     "a.jpg: " CAT " dog@0.4,0,0.2,1 nose; b.jpg: " CAT},
    {"labelme-folders",
     {{"train/images/a.jpg"},
      {"train/annotations/a.json",
       "{\"shapes\": [{\"label\": \"cat\", \"points\": [[1, 1]], "
       "\"shape_type\": \"point\"}], \"imagePath\": \"..\\\\images\\\\a.jpg\"}"},
      {"val/images/b.jpg"},
      {"val/annotations/x.json", "{\"shapes\": [], \"imagePath\": \"../images/b.jpg\"}"}},
     "t train/images/a.jpg: cat; v val/images/b.jpg:"},
    {"labelme-flags",
     {{"a.jpg"},
      {"a.json",
       "{\"flags\": {\"cat\": true, \"dog\": false}, \"shapes\": [], \"imagePath\": \"a.jpg\"}"},
      {"b.jpg"},
      {"b.json",
       "{\"flags\": {\"cat\": false, \"dog\": false}, \"shapes\": [], \"imagePath\": \"b.jpg\"}"}},
     "a.jpg: cat; b.jpg:",
     {"have flags, which are taken for the pictures' classes", "no picture shows: dog"}},
    {"labelme-flags-and-shapes",
     {{"a.jpg"},
      {"a.json",
       "{\"flags\": {\"blurred\": true, \"night\": false}, \"shapes\": [{\"label\": \"cat\", "
       "\"points\": [[1, 1]], \"shape_type\": \"point\"}], \"imagePath\": \"a.jpg\"}"}},
     "a.jpg: cat",
     {"have flags, which are not read, since shapes say the classes"}},
    /* ---- VGG Image Annotator ---- */
    {"via-csv",
     {{"via_region_data.csv", VIA_HEAD
       "a.jpg,12,\"{}\",2,0,\"{\"\"name\"\":\"\"rect\"\",\"\"x\"\":1}\",\"{\"\"class\"\":"
       "\"\"cat\"\"}\"\n"
       "a.jpg,12,\"{}\",2,1,\"{\"\"name\"\":\"\"point\"\"}\",\"{\"\"class\"\":\"\"dog\"\"}\"\n"
       "b.jpg,12,\"{}\",0,0,\"{}\",\"{}\"\n"},
      {"a.jpg"},
      {"b.jpg"}},
     "a.jpg: cat dog; b.jpg:"},
    {"via-json",
     {{"train/via.json", "{\"a.jpg12\": {\"filename\": \"a.jpg\", \"size\": 12, \"regions\": "
                         "[{\"shape_attributes\": {\"name\": \"rect\"}, \"region_attributes\": "
                         "{\"note\": \"x\", \"type\": {\"cat\": true, \"dog\": false}}}, "
                         "{\"region_attributes\": {\"note\": \"\", \"type\": \"\"}}], "
                         "\"file_attributes\": {\"caption\": \"y\", \"label\": \"sunny\"}}}"},
      {"train/a.jpg"}},
     "t train/a.jpg: sunny cat ?"},
    {"via-project",
     {{"via.json",
       "{\"_via_settings\": {\"ui\": {}}, \"_via_img_metadata\": {\"a.jpg1\": {\"fileref\": "
       "\"\", \"regions\": {\"0\": {\"region_attributes\": {\"kind\": \"cat\"}}}, "
       "\"filename\": \"a.jpg\"}}}"},
      {"x/a.jpg"}},
     "x/a.jpg: cat"},
    /* ---- JSON lists ---- */
    {"create-ml",
     {{"train/_annotations.createml.json",
       "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"cat\", \"coordinates\": {\"x\": 5, "
       "\"y\": "
       "6, \"width\": 2, \"height\": 3}}, {\"label\": \"dog\"}]}, {\"imagefilename\": \"b.jpg\", "
       "\"annotation\": []}]"},
      {"train/a.jpg"},
      {"train/b.jpg"}},
     "t train/a.jpg: dog cat; t train/b.jpg:"},
    {"create-ml-sized",
     {{"a.json",
       "[{\"image\": \"a.jpg\", \"width\": 100, \"height\": 20, \"annotations\": [{\"label\": "
       "\"cat\", \"coordinates\": {\"x\": 25, \"y\": 5, \"width\": 50, \"height\": 10}}]}]"},
      {"a.jpg"}},
     "a.jpg: " CAT},
    {"json-array",
     {{"annotations/train.json", "[{\"image\": \"a.jpg\", \"label\": \"cat\", \"age\": 1},\n "
                                 "{\"image\": \"b.jpg\", \"label\": [\"cat\", \"dog\"]}]"},
      {"annotations/val.json", "[{\"image\": \"c.jpg\", \"label\": null}]"},
      {"images/a.jpg"},
      {"images/b.jpg"},
      {"images/c.jpg"}},
     "t images/a.jpg: cat; t images/b.jpg: cat dog; v images/c.jpg: ?",
     {"train.json: members that are not read: age"}},
    {"json-map",
     {{"labels.json",
       "{\"a.jpg\": \"cat\", \"b\": [\"dog\"], \"c.jpg\": {\"label\": \"cat\", \"split\": "
       "\"test\"}}"},
      {"a.jpg"},
      {"b.jpg"},
      {"c.jpg"}},
     "a.jpg: cat; b.jpg: dog; e c.jpg: cat"},
    {"json-map-fiftyone",
     {{"labels.json",
       "{\"classes\": [\"cat\", \"dog\", \"bee\"], \"labels\": {\"a\": 0, \"b\": 1}}"},
      {"data/a.jpg"},
      {"data/b.png"}},
     "data/a.jpg: cat; data/b.png: dog",
     {"classes that are declared, but that no picture shows: bee"}},
    {"no-json-map",
     {{"class_indices.json", "{\"a\": 0, \"x\": 1, \"y\": 2}"},
      {"list.txt", "a.jpg cat\n"},
      {"a.jpg"}},
     "a.jpg: cat",
     {"this layout does not need: 1"}},
    {"no-json-list",
     {{"results.json", "[{\"file\": \"a.jpg\", \"score\": 0.5}]"},
      {"scores.json", "{\"a.jpg\": 0.5}"},
      {"captions.jsonl", "{\"file_name\": \"a.jpg\", \"text\": \"a cat\"}\n"},
      {"list.txt", "a.jpg cat\n"},
      {"a.jpg"}},
     "a.jpg: cat",
     {"this layout does not need: 3"}},
    /* ---- CUB-200 ---- */
    {"cub",
     {{"CUB/images.txt", "1 001.Big_bird/a.jpg\n2 002.Gull/a.jpg\nx-3 002.Gull/b.jpg\n"},
      {"CUB/image_class_labels.txt", "1 1\n2 2\nx-3 2\n"},
      {"CUB/train_test_split.txt", "1 1\n2 0\nx-3 1\n"},
      {"CUB/classes.txt", "1 001.Big_bird\n2 Gull (any)\n3 Tern\n"},
      {"CUB/images/001.Big_bird/a.jpg"},
      {"CUB/images/002.Gull/a.jpg"},
      {"CUB/images/002.Gull/b.jpg"}},
     "t CUB/images/001.Big_bird/a.jpg: 001.Big_bird; e CUB/images/002.Gull/a.jpg: Gull (any); "
     "t CUB/images/002.Gull/b.jpg: Gull (any)",
     {"classes that are declared, but that no picture shows: Tern"}},
    {"cub-numbers",
     {{"images.txt", "1 x/a.jpg\n2 x/b.jpg\n"},
      {"image_class_labels.txt", "1 7\n"},
      {"bounding_boxes.txt", "1 60.0 27.0 325.0 304.0\n"},
      {"images/x/a.jpg"},
      {"images/x/b.jpg"}},
     "images/x/a.jpg: 7; images/x/b.jpg: ?",
     {"bounding_boxes.txt, which would be YOLO, is not read"}},
    /* ---- Lists beside labels, and names with two dots ---- */
    {"yolo-lists-beside",
     {{"train.txt", "./images/a.jpg\n"},
      {"val.txt", "images/b.jpg\n"},
      {"images/a.jpg"},
      {"images/b.jpg"},
      {"labels/a.txt", "0 0.25 0.25 0.5 0.5"},
      {"labels/b.txt", "0 0.25 0.25 0.5 0.5"}},
     "t images/a.jpg: 0@0,0,0.5,0.5; v images/b.jpg: 0@0,0,0.5,0.5",
     {"they are called by their numbers"}},
    {"list-two-dots",
     {{"list.txt", "x/a..b.jpg cat\n/y/x/c.jpg dog\n"}, {"x/a..b.jpg"}, {"x/c.jpg"}},
     "x/a..b.jpg: cat; x/c.jpg: dog"},
    /* ---- Classes that nothing shows ---- */
    {"coco-undepicted",
     {{"instances.json", COCO (", {\"id\": 2, \"name\": \"dog\"}, {\"id\": 3, \"name\": \"bee\"}")},
      {"a.jpg"}},
     "a.jpg: cat",
     {"classes that are declared, but that no picture shows: bee, dog"}},
    {"yolo-undepicted",
     {{"data.yaml", "names: [cat, dog]\n"},
      {"images/a.jpg"},
      {"labels/a.txt", "0 0.25 0.25 0.5 0.5"}},
     "images/a.jpg: " CAT,
     {"no picture shows: dog"}},
    {"list-undepicted",
     {{"list.txt", "a.jpg 0\n"}, {"classes.txt", "cat\ndog\n"}, {"a.jpg"}},
     "a.jpg: cat",
     {"no picture shows: dog"}},
};

START_TEST (test_read)
{
  layout_check_read (&rows[_i], _i % 2 == 1);
}
END_TEST

static const LayoutRefusal refused_rows[] = {
    {"labelme-lost",
     {{"set/a.json", "{\"shapes\": [], \"imagePath\": \"../a.jpg\"}"}, {"set/b.jpg"}},
     "a.json: found no picture “../a.jpg” beside it"},
    {"labelme-broken",
     {{"set/b.json", "{\"shapes\": [], \"imagePath\": 1 2}"}, {"set/b.jpg"}},
     "b.json:1:"},
    {"via-which-attribute",
     {{"set/via.json",
       "{\"b.jpg1\": {\"filename\": \"b.jpg\", \"regions\": [{\"region_attributes\": "
       "{\"colour\": \"red\", \"mood\": \"sad\"}}]}}"},
      {"set/b.jpg"}},
     "is called “class”, found colour, mood; rename the one"},
    {"via-lost",
     {{"set/via.csv", VIA_HEAD "../a.jpg,1,{},1,0,{},{}\n"}, {"set/b.jpg"}},
     "via.csv:2: found no picture “../a.jpg”"},
    {"json-array-above",
     {{"set/x.json",
       "[{\"image\": \"b.jpg\", \"label\": 1}, {\"image\": \"../a.jpg\", \"label\": 1}]"},
      {"set/b.jpg"}},
     "x.json: entry 2: found no picture “../a.jpg”"},
    {"json-array-broken",
     {{"set/x.json", "[{\"image\": \"b.jpg\", \"label\": 1}, {\"image\" 1}]"}, {"set/b.jpg"}},
     "x.json:1:"},
    {"cub-no-class",
     {{"set/images.txt", "1 b.jpg\n"},
      {"set/image_class_labels.txt", "1 4\n"},
      {"set/classes.txt", "1 cat\n"},
      {"set/images/b.jpg"}},
     "image_class_labels.txt:1: expected a picture's id and one of the 1 classes, found “4”"},
    {"cub-above",
     {{"set/images.txt", "1 ../a.jpg\n"}, {"set/image_class_labels.txt", "1 4\n"}, {"set/b.jpg"}},
     "images.txt:1: found no picture “../a.jpg”"},
    {"yolo-no-labels",
     {{"set/data.yaml", "names: [cat]\n"}, {"set/images/b.jpg"}},
     "none of its 1 pictures has a file of labels; expected labels/…/NAME.txt"},
};

START_TEST (test_refused)
{
  layout_check_refused (&refused_rows[_i]);
}
END_TEST

/* Of two places for lists the innermost counts, and what the other one has is told. */
START_TEST (test_lists_twice)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4; i++) {
    g_autofree char *picture = g_strdup_printf ("JPEGImages/%u.jpg", i);
    g_autofree char *annotation = g_strdup_printf ("Annotations/%u.xml", i);

    test_folder_write (picture, "");
    test_folder_write (annotation, VOC_CAT);
  }
  test_folder_write ("ImageSets/Main/train.txt", "0\n1\n");
  test_folder_write ("ImageSets/Main/val.txt", "2\n3\n");
  test_folder_write ("train.txt", "3\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 2);
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], "does not need: 1, such as ");
  ck_assert_contains (dataset->notes->pdata[0], "/train.txt");
}
END_TEST

/* A data.yaml that names the folders of pictures belongs to a set of folders. */
START_TEST (test_yaml_of_folders)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  test_folder_write ("data.yaml", "train: train\nval: val\nnames: [cat, dog]\n");
  test_folder_write ("train/cat/a.jpg", "");
  test_folder_write ("train/dog/b.jpg", "");
  test_folder_write ("val/dog/c.jpg", "");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 2);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 2);
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], "data.yaml");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/layouts-programs");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("read", test_read, rows);
  TEST_ADD_ROWS ("refused", test_refused, refused_rows);
  test_add ("lists-twice", test_lists_twice);
  test_add ("yaml-of-folders", test_yaml_of_folders);
  return test_run ();
}
