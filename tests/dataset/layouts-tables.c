/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables, lists and JSON lines, as tools and people write them. */
#include "check-main.h"
#include "dataset/boxes.h"
#include "layout-check.h"
#include "support/folder.h"

#define NO_LABELS "{\"file_name\": \"b.jpg\", \"labels\": []}\n"
#define CAT "cat@0,0,0.5,0.5"

static const LayoutRow rows[] = {
    /* ---- Tables ---- */
    {"csv-list",
     {{"labels.csv", "\xef\xbb\xbf"
                     "Filename;Label;Split\r\na.jpg;cat;train\r\nb.jpg;dog;dev\r\n"
                     "a.jpg;dog;train\r\n"},
      {"a.jpg"},
      {"images/b.jpg"}},
     "t a.jpg: cat dog; v images/b.jpg: dog"},
    {"csv-no-heading",
     {{"list.csv", "a.jpg,cat\n\"b, c.jpg\",\"big \"\"dog\"\"\",cat\ne.jpg,none\n"},
      {"a.jpg"},
      {"b, c.jpg"},
      {"e.jpg"}},
     "a.jpg: cat; b, c.jpg: big \"dog\" cat; e.jpg:"},
    {"csv-tags",
     {{"train.csv", "image_name\ttags\na\tcat dog\nb\t\n"}, {"train/a.jpg"}, {"train/b.jpg"}},
     "t train/a.jpg: cat dog; t train/b.jpg:"},
    {"csv-several-classes",
     {{"x.csv",
       "file,class\na.jpg,cat|big dog\nb.jpg,\"cat, big dog\"\nc.jpg,\"['cat', 'dog']\"\n"},
      {"a.jpg"},
      {"b.jpg"},
      {"c.jpg"}},
     "a.jpg: cat big dog; b.jpg: cat big dog; c.jpg: cat dog"},
    {"csv-flags",
     {{"train/_classes.csv", "filename, cat, dog\na.jpg, 1, 0\nb.jpg, 1.0, -1\n"},
      {"train/a.jpg"},
      {"train/b.jpg"},
      {"valid/_classes.csv", "filename,cat,dog\na.jpg,0,\n"},
      {"valid/a.jpg"}},
     "t train/a.jpg: cat; t train/b.jpg: cat dog?; v valid/a.jpg: dog?",
     {"classes that are declared, but that no picture shows: dog"}},
    {"csv-only-other-column", {{"t.csv", "id,breed\na,pug\n"}, {"a.jpg"}}, "a.jpg: pug"},
    {"csv-boxes-by-split",
     {{"train/_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n"
                                 "a.jpg,100,20,cat,0,0,50,10\n"},
      {"train/a.jpg"}},
     "t train/a.jpg: " CAT},
    {"csv-boxes-no-heading", {{"t.csv", "a.jpg,0,0,50,10,cat\n"}, {"a.jpg"}}, "a.jpg: cat"},
    {"csv-unread",
     {{"t.csv", "file,label,age\na.jpg,cat,12\n"}, {"a.jpg"}},
     "a.jpg: cat",
     {"columns that are not read: age"}},
    {"csv-normal-forms",
     {{"t.csv", "file,label\ncafe\xcc\x81.jpg,cafe\xcc\x81\n"}, {"caf\xc3\xa9.jpg"}},
     "caf\xc3\xa9.jpg: caf\xc3\xa9"},
    {"csv-files-by-their-cells",
     {{"train.csv", "id_code,diagnosis\na,0\nb,4\n"}, {"x/a.png"}, {"x/b.png"}},
     "t x/a.png: 0; t x/b.png: 4"},
    {"csv-files-not-the-usual-column",
     {{"t.csv", "id,photo_url,label\n1,https://x.y/p/a.jpg?w=3,cat\n2,gs://z/b.jpg,dog\n"},
      {"a.jpg"},
      {"images/b.jpg"}},
     "a.jpg: cat; images/b.jpg: dog",
     {"columns that are not read: id"}},
    {"csv-automl",
     {{"import.csv",
       "UNASSIGNED,gs://z/x/a.jpg,cat,0,0,,,0.5,0.5,,\n"
       "TRAIN,gs://z/x/b.jpg,dog,0,0,0.5,0,0.5,0.5,0,0.5\n"
       "VALIDATE,gs://z/x/c.jpg,dog,0.5,0,,,1,1,,\nTEST,gs://z/x/d.jpg,cat,0,0,,,1,1,,\n"},
      {"a.jpg"},
      {"b.jpg"},
      {"c.jpg"},
      {"d.jpg"}},
     "a.jpg: " CAT "; t b.jpg: dog@0,0,0.5,0.5; v c.jpg: dog@0.5,0,0.5,1; e d.jpg: cat@0,0,1,1"},
    {"csv-automl-classes",
     {{"import.csv", "TRAIN,gs://z/x/a.jpg,cat\nTEST,gs://z/x/b.jpg,dog,cat\n"},
      {"a.jpg"},
      {"b.jpg"}},
     "t a.jpg: cat; e b.jpg: dog cat"},
    {"csv-minus-one-is-no",
     {{"list_attr.csv", "image_id,bald,smiling\na.jpg,1,-1\nb.jpg,-1,1\n"}, {"a.jpg"}, {"b.jpg"}},
     "a.jpg: bald; b.jpg: smiling",
     {"have 1 and −1, and nowhere 0: −1 is taken to say that a class is not there"}},
    {"csv-is-valid",
     {{"t.csv", "name,label,is_valid\na.jpg,cat,False\nb.jpg,cat,True\n"}, {"a.jpg"}, {"b.jpg"}},
     "t a.jpg: cat; v b.jpg: cat"},
    {"csv-folds",
     {{"t.csv", "file,class,fold\na.jpg,cat,0\nb.jpg,cat,1\n"}, {"a.jpg"}, {"b.jpg"}},
     "a.jpg: cat; b.jpg: cat",
     {"columns that are not read: fold"}},
    /* ---- Lists ---- */
    {"list-names",
     {{"train.txt", "x/a.jpg cat\r\nx/b c.jpg\tbig dog\n\n"},
      {"val.txt", "d none\n"},
      {"x/a.jpg"},
      {"x/b c.jpg"},
      {"images/d.png"}},
     "v images/d.png:; t x/a.jpg: cat; t x/b c.jpg: big dog"},
    {"list-numbers",
     {{"lists/train.txt", "a.jpg 0\nb.jpg 2\n"},
      {"lists/test.txt", "./c.jpg 1"},
      {"lists/classes.txt", "cat\ndog \nbee\n"},
      {"images/a.jpg"},
      {"images/b.jpg"},
      {"images/c.jpg"}},
     "t images/a.jpg: cat; t images/b.jpg: bee; e images/c.jpg: dog"},
    {"list-numbers-from-one",
     {{"list.txt", "a.jpg 1\nb.jpg 2\n"}, {"labels.txt", "cat\ndog\n"}, {"a.jpg"}, {"b.jpg"}},
     "a.jpg: cat; b.jpg: dog"},
    {"list-numbers-alone",
     {{"list.txt", "train/a.jpg 7\n"}, {"train/a.jpg"}},
     "t train/a.jpg: 7",
     {"they are called by their numbers"}},
    {"list-folders",
     {{"meta/train.txt", "cat/a\nbig dog/b\n"},
      {"meta/test.txt", "cat/c\n"},
      {"images/cat/a.jpg"},
      {"images/big dog/b.jpg"},
      {"images/cat/c.jpg"}},
     "t images/big dog/b.jpg: big dog; t images/cat/a.jpg: cat; e images/cat/c.jpg: cat"},
    {"list-absolute",
     {{"list.txt", "/data/set/x/a.jpg cat\nC:\\set\\x\\b.jpg dog\n"}, {"x/a.jpg"}, {"x/b.jpg"}},
     "x/a.jpg: cat; x/b.jpg: dog"},
    {"no-list",
     {{"t.csv", "a.jpg,cat\n"}, {"README.txt", "See a.jpg.\n"}, {"a.jpg"}},
     "a.jpg: cat",
     {"this layout does not need: 1"}},
    /* ---- JSON lines ---- */
    {"json-lines",
     {{"train/metadata.jsonl", "{\"file_name\": \"a.jpg\", \"label\": \"cat\"}\r\n"
                               "{\"file_name\": \"b.jpg\", \"labels\": [\"cat\", 3], \"text\": "
                               "{\"a\": 1}}\n\n"},
      {"train/a.jpg"},
      {"train/b.jpg"},
      {"test/metadata.jsonl", "{\"label\": [], \"file_name\": \"x/a.jpg\"}\n"},
      {"test/x/a.jpg"}},
     "e test/x/a.jpg:; t train/a.jpg: cat; t train/b.jpg: cat 3",
     {"members that are not read: text"}},
    {"json-lines-objects",
     {{"metadata.jsonl",
       "{\"image_id\": 7, \"width\": 100, \"height\": 20, \"file_name\": \"a.jpg\", \"objects\": "
       "{\"id\": [1], \"bbox\": [[0, 0, 50.0, 10]], \"categories\": [\"cat\"]}}\n"
       "{\"file_name\": \"b.jpg\", \"objects\": {\"bbox\": [[0, 0, 50, 10]], \"category\": [1]}}"},
      {"a.jpg"},
      {"b.jpg"}},
     "a.jpg: " CAT "; b.jpg: 1"},
    {"json-lines-splits",
     {{"all.jsonl", "{\"image\": \"a.jpg\", \"label\": \"cat\", \"split\": \"validation\"}\n"
                    "{\"image\": \"b.jpg\", \"label\": null, \"split\": \"train\"}\n"},
      {"a.jpg"},
      {"b.jpg"}},
     "v a.jpg: cat; t b.jpg: ?"},
    {"json-lines-first-missing",
     {{"metadata.jsonl", "\n{\"file_name\": \"x.jpg\", \"label\": \"cat\"}\n"
                         "{\"file_name\": \"a.jpg\", \"labels\": [[\"cat\"]]}\n"
                         "{\"file_name\": \"b.jpg\", \"label\": \"cat\"}\n" NO_LABELS NO_LABELS
                             NO_LABELS NO_LABELS NO_LABELS NO_LABELS NO_LABELS},
      {"a.jpg"},
      {"b.jpg"}},
     "a.jpg: ?; b.jpg: cat",
     {"metadata.jsonl:2: found no picture “x.jpg”"}},
    {"no-json-lines",
     {{"t.csv", "a.jpg,cat\n"}, {"log.jsonl", "{\"loss\": 1}\n"}, {"a.jpg"}},
     "a.jpg: cat",
     {"this layout does not need: 1"}},
};

START_TEST (test_read)
{
  layout_check_read (&rows[_i], _i % 2 == 1);
}
END_TEST

static const LayoutRefusal refused_rows[] = {
    {"csv-above",
     {{"set/t.csv", "file,class\n../a.jpg,cat\nb.jpg,cat\n"}, {"set/b.jpg"}},
     "t.csv:2: found no picture"},
    {"list-above",
     {{"set/train.txt", "../a.jpg cat\nb.jpg cat\n"}, {"set/b.jpg"}},
     "train.txt:1: found no picture in "},
    {"list-several",
     {{"set/train.txt", "b.jpg 1 1 0\n"}, {"set/b.jpg"}},
     "train.txt:1: expected one class behind a picture, found “1 1 0”"},
    {"list-no-class",
     {{"set/all.txt", "b.jpg cat\nb.jpg\n"}, {"set/b.jpg"}},
     "all.txt:2: expected a class behind a picture"},
    {"list-no-name",
     {{"set/all.txt", "b.jpg 0\nb.jpg 2\n"}, {"set/classes.txt", "cat\ndog\n"}, {"set/b.jpg"}},
     "its lists have classes of the numbers 0 to 2, of which not each has one of the 2 names"},
    {"json-lines-above",
     {{"set/metadata.jsonl",
       "{\"file_name\": \"b.jpg\", \"label\": 1}\n{\"file_name\": \"../a.jpg\", \"label\": 1}"},
      {"set/b.jpg"}},
     "metadata.jsonl:2: found no picture “../a.jpg” in "},
    {"json-lines-broken",
     {{"set/metadata.jsonl", "{\"file_name\": \"b.jpg\", \"label\": 1}\n{\"file_name\": 1 2}"},
      {"set/b.jpg"}},
     "metadata.jsonl:2:1:17: not sound JSON"},
    {"json-lines-objects",
     {{"set/metadata.jsonl", "{\"file_name\": \"b.jpg\", \"objects\": {\"bbox\": [[0, 0, 1, 1]], "
                             "\"category\": []}}"},
      {"set/b.jpg"}},
     "metadata.jsonl:1: expected as many boxes as classes of them, found 1 and 0"},
    {"csv-quote",
     {{"set/t.csv", "file,class\nb.jpg,cat\nb.jpg,\"dog\nb.jpg,bee\n"}, {"set/b.jpg"}},
     "t.csv:3: a quote begins here"},
    {"csv-which-class",
     {{"set/t.csv", "file,species,notes,verified\nb.jpg,cat,x,1\n"}, {"set/b.jpg"}},
     "expected a folder with the files of"},
    {"csv-flags-or-box",
     {{"set/t.csv", "b.jpg,1,0,0\n"}, {"set/b.jpg"}},
     "expected a folder with the files of"},
};

START_TEST (test_refused)
{
  layout_check_refused (&refused_rows[_i]);
}
END_TEST

/* Broken entries beyond the first ten are counted. */
START_TEST (test_many_broken)
{
  g_autoptr (GString) csv = g_string_new ("file,class\n");
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;

  test_folder_write ("a.jpg", "");
  for (guint i = 0; i < 300; i++)
    g_string_append (csv, i % 20 == 19 ? "lost.jpg,cat\n" : "a.jpg,cat\n");
  test_folder_write ("t.csv", csv->str);
  images = ens_boxes_load (test_folder, notes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (notes->len, 11);
  ck_assert_contains (notes->pdata[10], "t.csv: skipped 15 of the 300 lines in all");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/layouts-tables");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("read", test_read, rows);
  TEST_ADD_ROWS ("refused", test_refused, refused_rows);
  test_add ("many-broken", test_many_broken);
  return test_run ();
}
