/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets as tools write them: which layout each is taken for, and what is read of it. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check-main.h"
#include "dataset/dataset.h"
#include "layout-check.h"
#include "support/folder.h"

#define VOC_OBJECT                                                                         \
  "<annotation><filename>a.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin>"   \
  "<xmax>50</xmax><ymin>1</ymin><ymax>10</ymax></bndbox></object><size><width>100</width>" \
  "<height>20</height></size></annotation>"
#define COCO(file)                                                                            \
  "{\"images\": [{\"id\": 1, \"file_name\": \"" file "\", \"width\": 100, \"height\": 20}], " \
  "\"annotations\": [{\"image_id\": 1, \"category_id\": 0, \"bbox\": [0, 0, 50, 10]}], "      \
  "\"categories\": [{\"id\": 0, \"name\": \"cat\"}]}"
#define CAT "cat@0,0,0.5,0.5"

static const LayoutRow rows[] = {
    /* ---- Pascal VOC ---- */
    {"voc-beside-pictures",
     {{"train/a.jpg"}, {"train/a.xml", VOC_OBJECT}, {"valid/b.png"}, {"valid/b.xml", VOC_OBJECT}},
     "t train/a.jpg: " CAT "; v valid/b.png: " CAT},
    {"voc-in-each-split",
     {{"train/JPEGImages/a.jpg"},
      {"train/Annotations/a.xml", VOC_OBJECT},
      {"test/JPEGImages/a.jpg"},
      {"test/Annotations/a.xml", VOC_OBJECT}},
     "e test/JPEGImages/a.jpg: " CAT "; t train/JPEGImages/a.jpg: " CAT},
    {"voc-flat", {{"a.jpg"}, {"a.xml", VOC_OBJECT}}, "a.jpg: " CAT},
    {"voc-lower-case", {{"images/a.JPG"}, {"annotations/a.xml", VOC_OBJECT}}, "images/a.JPG: " CAT},
    {"voc-file-name", {{"a.jpg"}, {"Annotations/0001.xml", VOC_OBJECT}}, "a.jpg: " CAT},
    {"voc-normal-forms",
     {{"JPEGImages/caf\xc3\xa9.jpg"}, {"Annotations/cafe\xcc\x81.xml", VOC_OBJECT}},
     "JPEGImages/caf\xc3\xa9.jpg: " CAT},
    {"voc-verified",
     {{"a.jpg"},
      {"a.xml", "<?xml version=\"1.0\"?>\n<!-- x --><annotation verified=\"yes\"><object><name>cat"
                "</name></object></annotation>"}},
     "a.jpg: cat"},
    {"voc-below",
     {{"VOCdevkit/VOC2007/JPEGImages/a.jpg"}, {"VOCdevkit/VOC2007/Annotations/a.xml", VOC_OBJECT}},
     "VOCdevkit/VOC2007/JPEGImages/a.jpg: " CAT},
    /* ---- COCO ---- */
    {"coco-by-split",
     {{"train/a.jpg"},
      {"train/_annotations.coco.json", COCO ("a.jpg")},
      {"valid/a.jpg"},
      {"valid/_annotations.coco.json", COCO ("a.jpg")}},
     "t train/a.jpg: " CAT "; v valid/a.jpg: " CAT},
    {"coco-cvat",
     {{"images/default/a.jpg"}, {"annotations/instances_default.json", COCO ("a.jpg")}},
     "images/default/a.jpg: " CAT},
    {"coco-normal-forms",
     {{"images/cafe\xcc\x81.jpg"}, {"annotations/instances.json", COCO ("caf\xc3\xa9.jpg")}},
     "images/cafe\xcc\x81.jpg: " CAT},
    {"coco-backslash",
     {{"images/x/a.jpg"}, {"annotations/instances.json", COCO ("x\\\\a.jpg")}},
     "images/x/a.jpg: " CAT},
    {"coco-no-annotations",
     {{"test/a.jpg"},
      {"annotations/image_info_test.json",
       "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], \"categories\": []}"}},
     "e test/a.jpg: ?",
     {"of its 1 pictures nothing is known"}},
    {"coco-null-box",
     {{"a.jpg"},
      {"instances.json",
       "{\"images\": [{\"id\": \"x\", \"file_name\": \"a.jpg\"}], \"annotations\": "
       "[{\"image_id\": \"x\", \"category_id\": 1, \"bbox\": null}, {\"image_id\": "
       "\"x\", \"category_id\": 1, \"bbox\": [], \"segmentation\": {\"counts\": "
       "\"abc\", \"size\": [1, 2]}}], \"categories\": [{\"id\": 1, \"name\": "
       "\"cat\"}]}"}},
     "a.jpg: cat cat",
     {"so that their boxes count alone: 1"}},
    /* ---- CVAT ---- */
    {"cvat",
     {{"images/Train/a.jpg"},
      {"images/b.jpg"},
      {"annotations.xml",
       "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations><version>1.1</version><meta/>"
       "<image id=\"0\" name=\"a.jpg\" subset=\"Train\" width=\"100\" height=\"20\">"
       "<box label=\"cat\" xtl=\"0\" ytl=\"0\" xbr=\"50\" ybr=\"10\"><attribute name=\"x\">1"
       "</attribute></box><tag label=\"sunny\"/></image>"
       "<image id=\"1\" name=\"b.jpg\" subset=\"Validation\" width=\"100\" height=\"20\">"
       "<polygon label=\"cat\" points=\"0,10;50,0;20,5\"/><ellipse label=\"dog\" cx=\"50\" "
       "cy=\"10\" rx=\"50\" ry=\"5\"/><mask label=\"dog\" rle=\"1,2\"/><mask label=\"dog\" "
       "rle=\"0, 50\" left=\"10\" top=\"5\" "
       "width=\"10\" height=\"5\"/></image></annotations>"}},
     "t images/Train/a.jpg: " CAT " sunny; v images/b.jpg: " CAT
     " dog@0,0.25,1,0.5 dog dog@0.1,0.25,0.1,0.25"},
    {"cvat-skeleton",
     {{"images/a.jpg"},
      {"annotations.xml",
       "<annotations><image id=\"0\" name=\"a.jpg\" width=\"100\" height=\"20\"><skeleton "
       "label=\"person\"><points label=\"nose\" points=\"5,5\"/><points label=\"knee\" "
       "points=\"5,9\"/></skeleton><points label=\"star\" points=\"9,9\"/></image>"
       "</annotations>"}},
     "images/a.jpg: person star"},
    {"cvat-video",
     {{"images/frame_000001.PNG"},
      {"annotations.xml",
       "<annotations><meta><task><original_size><width>100</width><height>20</height>"
       "</original_size></task></meta><track id=\"0\" label=\"cat\"><box frame=\"0\" "
       "outside=\"1\" xtl=\"0\" ytl=\"0\" xbr=\"9\" ybr=\"9\"/><box frame=\"1\" outside=\"0\" "
       "xtl=\"0\" ytl=\"0\" xbr=\"50\" ybr=\"10\"/></track></annotations>"}},
     "images/frame_000001.PNG: " CAT},
    {"cvat-by-its-root",
     {{"images/a.jpg"},
      {"images/b.jpg"},
      {"annotations/train.xml", "<annotations><image name=\"a.jpg\"><tag label=\"cat\"/></image>"
                                "</annotations>"},
      {"annotations/task_7.xml",
       "<!-- x --><annotations ><image name=\"b.jpg\"><tag label=\"dog\"/>"
       "</image></annotations>"}},
     "t images/a.jpg: cat; images/b.jpg: dog"},
    /* ---- YOLO ---- */
    {"yolo-capitals",
     {{"Images/train/a.jpg"}, {"Labels/train/a.txt", "0 0.25 0.25 0.5 0.5\n"}},
     "t Images/train/a.jpg: 0@0,0,0.5,0.5",
     {"they are called by their numbers"}},
    {"yolo-ultralytics",
     {{"data.yaml", "path: ../datasets/pets # root\ntrain: images/train\nval: images/val\nnames:\n"
                    "  0: cat\n  1: \"dog: big\"\n"},
      {"images/train/a.jpg"},
      {"images/val/b.jpg"},
      {"images/val/c.jpg"},
      {"labels/train/a.txt", "0 0.25 0.25 0.5 0.5\r\n1 0.5 0.5 1 1 0.9\n"},
      {"labels/val/b.txt", "0 0 0 0.5 0 0.5 0.5 0.1 0.2\n"}},
     "t images/train/a.jpg: " CAT " dog: big@0,0,1,1; v images/val/b.jpg: " CAT
     "; v images/val/c.jpg:",
     {"without a file of labels, which are taken to show none of the classes: 1"}},
    {"yolo-roboflow",
     {{"data.yaml", "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\n"
                    "names: ['cat', 'dog']\n\nroboflow:\n  workspace: x\n"},
      {"train/images/a.jpg"},
      {"train/labels/a.txt", "0 0.25 0.25 0.5 0.5"},
      {"valid/images/b.jpg"},
      {"valid/labels/b.txt", ""}},
     "t train/images/a.jpg: " CAT "; v valid/images/b.jpg:",
     {"the test pictures' place “../test/images” is not there"}},
    {"yolo-lists",
     {{"sets/pets.yaml", "path: /content/pets\ntrain: [train.txt]\nval: val.txt\nnames: [cat]\n"},
      {"train.txt", "./images/a.jpg\n"},
      {"val.txt", "/content/pets/images/b.jpg\n"},
      {"images/a.jpg"},
      {"images/b.jpg"},
      {"labels/a.txt", "0 0.25 0.25 0.5 0.5"},
      {"labels/b.txt", "0 0.25 0.25 0.5 0.5"}},
     "t images/a.jpg: " CAT "; v images/b.jpg: " CAT},
    {"yolo-darknet",
     {{"obj.data",
       "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n"},
      {"obj.names", "cat\n"},
      {"train.txt", "data/obj_train_data/a.jpg\n"},
      {"obj_train_data/a.jpg"},
      {"obj_train_data/a.txt", "0 0.25 0.25 0.5 0.5\n"}},
     "t obj_train_data/a.jpg: " CAT},
    {"yolo-key-points",
     {{"data.yaml", "kpt_shape: [2, 3]\nnames:\n- cat\n"},
      {"images/a.jpg"},
      {"labels/a.txt", "0 0.25 0.25 0.5 0.5 0.9 0.9 2 0.8 0.8 1\n"}},
     "images/a.jpg: " CAT},
    {"yolo-numbers",
     {{"images/train/a.jpg"}, {"labels/train/a.txt", "3 0.25 0.25 0.5 0.5\n"}},
     "t images/train/a.jpg: 3@0,0,0.5,0.5",
     {"they are called by their numbers"}},
    {"yolo-classes",
     {{"classes.txt", "cat\ndog\n\n"}, {"a.jpg"}, {"a.txt", "1 0.25 0.25 0.5 0.5\n"}},
     "a.jpg: dog@0,0,0.5,0.5",
     {"classes that are declared, but that no picture shows: cat"}},
    {"yolo-one-folder-for-two",
     {{"data.yaml", "train: images\nval: images\nnames: [cat]\n"},
      {"images/a.jpg"},
      {"labels/a.txt", "0 0.25 0.25 0.5 0.5\n"}},
     "t images/a.jpg: " CAT,
     {"in two splits, of which the first counts: 1"}},
    /* ---- Open Images ---- */
    {"open-images-boxes",
     {{"train/aa01.jpg"},
      {"validation/bb02.jpg"},
      {"class-descriptions-boxable.csv", "/m/01,Cat\n/m/02,\"Guide, dog\"\n"},
      {"train-annotations-bbox.csv",
       "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
       "aa01,xclick,/m/01,1,0,0.5,0,0.5,0,0,0\naa01,xclick,/m/02,1,0.5,1,0,1,0,0,1\n"
       "ff99,xclick,/m/02,1,0.5,1,0,1,0,0,1\n"},
      {"validation-annotations-bbox.csv",
       "ImageID,LabelName,XMin,XMax,YMin,YMax\nbb02,/m/03,0,0.5,0,0.5\n"}},
     "t train/aa01.jpg: Cat@0,0,0.5,0.5 Guide, dog*@0.5,0,0.5,1; v validation/bb02.jpg: "
     "/m/03@0,0,0.5,0.5",
     {"lines of pictures that are not there: 1"}},
    {"open-images-labels",
     {{"images/aa01.jpg"},
      {"metadata/oidv7-class-descriptions.csv", "LabelName,DisplayName\n/m/01,Cat\n/m/02,Dog\n"},
      {"labels/test-annotations-human-imagelabels.csv",
       "ImageID,Source,LabelName,Confidence\naa01,verification,/m/01,1\naa01,verification,/m/"
       "02,0\n"}},
     "e images/aa01.jpg: Cat -Dog"},
    {"open-images-by-columns",
     {{"train/data/aa01.jpg"},
      {"train/labels/detections.csv",
       "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\naa01,/m/01,1,0,0.5,0,0.5\n"},
      {"train/labels/classifications.csv", "ImageID,LabelName,Confidence\naa01,/m/02,0\n"},
      {"train/labels/machine.csv", "ImageID,LabelName,Confidence\naa01,/m/03,0.5\n"},
      {"train/metadata/classes.csv", "/m/01,cat\n/m/02,dog\n"}},
     "t train/data/aa01.jpg: " CAT " -dog",
     {"this layout does not need: 1, such as"}},
    /* ---- What is left out, and what is not clear ---- */
    {"ambiguous",
     {{"images/a.jpg"},
      {"annotations/instances.json", COCO ("a.jpg")},
      {"labels/a.txt", "0 0.5 0.5 1 1\n"}},
     "images/a.jpg: " CAT,
     {"read as COCO because of ", "which would be YOLO, is not read",
      "annotations, lists and tables that this layout does not need: 1"}},
    {"left-out",
     {{"images/a.jpg"},
      {"images/b.jxl", ""},
      {"images/c.jpg"},
      {"annotations/instances.json", COCO ("a.jpg")},
      {"annotations/captions.json", "{}"},
      {"README", "x"},
      {".hidden", "x"}},
     "images/a.jpg: " CAT,
     {"pictures that have no annotation: 1, such as ",
      "in formats that can't be read (convert them "
      "to JPEG or PNG): 1",
      "this layout does not need: 1, such as "}},
};

START_TEST (test_layouts)
{
  layout_check_read (&rows[_i], _i % 2 == 1);
}
END_TEST

/* ---- Names that lead out of the folder, quotes without an end, and what is no file ---- */

static const LayoutRefusal refused_rows[] = {
    {"coco-above", {{"set/instances.json", COCO ("../a.jpg")}}, "inside the set's folder"},
    {"coco-absolute", {{"set/instances.json", COCO ("/etc/passwd")}}, "inside the set's folder"},
    {"coco-backslash", {{"set/instances.json", COCO ("..\\\\a.jpg")}}, "inside the set's folder"},
    {"yolo-above",
     {{"set/data.yaml", "train: train.txt\nnames: [cat]\n"}, {"set/train.txt", "../../a.jpg\n"}},
     "train.txt:1: found no picture ../../a.jpg inside"},
    {"cvat-above",
     {{"set/annotations.xml", "<annotations><image name=\"../a.jpg\"/></annotations>"}},
     "found no picture “../a.jpg” inside"},
    {"open-images-above",
     {{"set/annotations-bbox.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\n../a,cat,0,1,0,1\n"}},
     "expected pictures that its tables name"},
    {"voc-above",
     {{"set/Annotations/x.xml", "<annotation><filename>../a.jpg</filename></annotation>"}},
     "x.xml has no picture"},
    {"open-images-quote",
     {{"set/annotations-bbox.csv",
       "ImageID,LabelName,XMin,XMax,YMin,YMax\nb,cat,0,1,0,1\nb,\"dog,0,1,0,1\nb,bee,0,1,0,1\n"},
      {"set/b.jpg"}},
     "annotations-bbox.csv:3: a quote begins here"},
    {"open-images-names-quote",
     {{"set/annotations-bbox.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\nb,/m/1,0,1,0,1\n"},
      {"set/class-descriptions.csv", "/m/1,Cat\n/m/2,\"Dog\n/m/3,Bee\n"},
      {"set/b.jpg"}},
     "class-descriptions.csv:2: a quote begins here"},
};

START_TEST (test_refused)
{
  layout_check_refused (&refused_rows[_i]);
}
END_TEST

/* A pipe in place of any file is told, and not waited for. */
static const char *const pipe_names[] = {
    "set.csv",
    "set/t.csv",
    "set/data.yaml",
    "set/annotations.xml",
    "set/instances.json",
    "set/Annotations/a.xml",
    "set/labels/a.txt",
    "set/train-annotations-bbox.csv",
    "set/train/cat/c.jpg",
    "set/ImageSets/Main/train.txt",
    "set/train.txt",
    "set/metadata.jsonl",
};

START_TEST (test_pipes)
{
  g_autofree char *set = g_build_filename (test_folder, "set", NULL);
  g_autofree char *path = g_build_filename (test_folder, pipe_names[_i], NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  gboolean told = FALSE;

  test_folder_write ("set/train/cat/a.jpg", "");
  test_folder_write ("set/train/cat/b.jpg", "");
  ck_assert_int_eq (g_mkdir_with_parents (parent, 0700), 0);
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  dataset = ens_dataset_load (set, NULL, &error);
  for (guint i = 0; dataset != NULL && i < dataset->notes->len; i++)
    told |= strstr (dataset->notes->pdata[i], "pipes, sockets, devices") != NULL
            || strstr (dataset->notes->pdata[i], "folders that are no split") != NULL;
  ck_assert (told || error != NULL || strcmp (pipe_names[_i], "set.csv") == 0);
}
END_TEST

/* A link that leads back up is not followed. */
START_TEST (test_loop)
{
  g_autofree char *link = g_build_filename (test_folder, "train", "cat", "up", NULL);
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  test_folder_write ("train/cat/a.jpg", "");
  test_folder_write ("train/dog/b.jpg", "");
  test_folder_write ("val/dog/c.jpg", "");
  ck_assert_int_eq (symlink ("..", link), 0);
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 2);
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], "folders that lead back to one above them");
}
END_TEST

/* What Open Images' people have not looked at is not known, where they have looked at it elsewhere.
 */
START_TEST (test_unmentioned)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;
  const EnsDatasetItem *const *items;

  test_folder_write ("train/1.jpg", "");
  test_folder_write ("train/2.jpg", "");
  test_folder_write ("val/3.jpg", "");
  test_folder_write ("train-annotations-human-imagelabels.csv",
                     "ImageID,LabelName,Confidence\n1,cat,1\n1,dog,0\n2,bee,1\n2,dog,1\n");
  test_folder_write ("val-annotations-human-imagelabels.csv",
                     "ImageID,LabelName,Confidence\n3,bee,1\n");
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 3); /* bee, cat, dog */
  items = (const EnsDatasetItem *const *)dataset->samples[ENS_SPLIT_TRAIN]->pdata;
  ck_assert_uint_eq (items[0]->labels[0], ENS_LABEL_ABSENT);
  ck_assert_uint_eq (items[0]->labels[1], ENS_LABEL_PRESENT);
  ck_assert_uint_eq (items[0]->labels[2], ENS_LABEL_ABSENT);
  ck_assert_uint_eq (items[1]->labels[2], ENS_LABEL_PRESENT);
  items = (const EnsDatasetItem *const *)dataset->samples[ENS_SPLIT_VALIDATION]->pdata;
  ck_assert_uint_eq (items[0]->labels[1], ENS_LABEL_ABSENT);
  ck_assert_uint_eq (items[0]->labels[2], ENS_LABEL_UNKNOWN);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/layouts");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("read", test_layouts, rows);
  TEST_ADD_ROWS ("refused", test_refused, refused_rows);
  TEST_ADD_LOOP ("pipes", test_pipes, pipe_names);
  test_add ("loop", test_loop);
  test_add ("unmentioned", test_unmentioned);
  return test_run ();
}
