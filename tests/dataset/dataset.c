/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/dataset.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "check-main.h"
#include "support/folder.h"

/* Creates empty files, listed in one string, and the folders above them; "x/" is a folder. */
static void
create (const char *files)
{
  g_auto (GStrv) names = g_strsplit (files, " ", -1);

  for (char **name = names; *name != NULL; name++) {
    g_autofree char *path = g_build_filename (test_folder, *name, NULL);

    if (g_str_has_suffix (*name, "/"))
      ck_assert_int_eq (g_mkdir_with_parents (path, 0777), 0);
    else
      test_folder_write (*name, "");
  }
}

/* "CLASS/FILE CLASS/FILE …" with the class that the labels say, "-" for none. */
static char *
describe (const EnsDataset *dataset, EnsSplit split)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < dataset->samples[split]->len; i++) {
    const EnsDatasetItem *item = dataset->samples[split]->pdata[i];
    g_autofree char *name = g_path_get_basename (item->path);
    const char *class = "-";

    for (guint c = 0; c < dataset->n_classes; c++)
      if (item->labels[c] != 0)
        class = dataset->classes[c];
    g_string_append_printf (text, "%s%s/%s", i > 0 ? " " : "", class, name);
  }
  return g_string_free (text, FALSE);
}

static void
check_split (const EnsDataset *dataset, EnsSplit split, const char *expected)
{
  g_autofree char *found = describe (dataset, split);

  ck_assert_pstr_eq (found, expected);
}

static EnsDataset *
load (void)
{
  g_autoptr (GError) error = NULL;
  EnsDataset *dataset = ens_dataset_load (test_folder, NULL, &error);

  ck_assert_no_error (error);
  return dataset;
}

START_TEST (test_layout)
{
  g_autoptr (EnsDataset) dataset = NULL;

  create ("train/dog/b.jpg train/dog/a.PNG train/cat/1.jpeg train/cat/2.JFIF train/cat/3.jpe "
          "train/cat/4.tif train/none/sky.bmp validation/cat/2.gif test/none/wall.jpg "
          "test/dog/z.webp");
  dataset = load ();
  ck_assert_uint_eq (dataset->n_classes, 2);
  ck_assert_str_eq (dataset->classes[0], "cat");
  ck_assert_str_eq (dataset->classes[1], "dog");
  ck_assert_ptr_null (dataset->classes[2]);
  check_split (dataset, ENS_SPLIT_TRAIN,
               "cat/1.jpeg cat/2.JFIF cat/3.jpe cat/4.tif dog/a.PNG dog/b.jpg -/sky.bmp");
  check_split (dataset, ENS_SPLIT_VALIDATION, "cat/2.gif");
  check_split (dataset, ENS_SPLIT_TEST, "dog/z.webp -/wall.jpg");
  ck_assert_uint_eq (dataset->notes->len, 0);
  ck_assert (ens_dataset_require (dataset, ENS_SPLIT_TEST, NULL));
}
END_TEST

static const struct {
  const char *files;
  const char *train, *validation, *test;
} names_rows[] = {
    {"train/dog/a.jpg val/dog/b.jpg", "dog/a.jpg", "dog/b.jpg", ""},
    {"Train/dog/a.jpg VALID/dog/b.jpg Testing/dog/c.jpg", "dog/a.jpg", "dog/b.jpg", "dog/c.jpg"},
    {"train/dog/a.jpg dev/dog/b.jpg", "dog/a.jpg", "dog/b.jpg", ""},
    {"train/dog/a.jpg val/dog/b.jpg valid/dog/c.jpg", "dog/a.jpg", "dog/b.jpg dog/c.jpg", ""},
    {"train/dog/x/y/b.jpg train/dog/a.jpg val/dog/z/c.jpg", "dog/a.jpg dog/b.jpg", "dog/c.jpg", ""},
    /* é, composed and not */
    {"train/caf\xc3\xa9/a.jpg train/cafe\xcc\x81/b.jpg val/cafe\xcc\x81/c.jpg",
     "caf\xc3\xa9/b.jpg caf\xc3\xa9/a.jpg", "caf\xc3\xa9/c.jpg", ""},
};

START_TEST (test_names)
{
  g_autoptr (EnsDataset) dataset = NULL;

  create (names_rows[_i].files);
  dataset = load ();
  ck_assert_uint_eq (dataset->n_classes, 1);
  check_split (dataset, ENS_SPLIT_TRAIN, names_rows[_i].train);
  check_split (dataset, ENS_SPLIT_VALIDATION, names_rows[_i].validation);
  check_split (dataset, ENS_SPLIT_TEST, names_rows[_i].test);
}
END_TEST

/* What folders are, and what of that is told. */
static const struct {
  const char *name, *files;
  const char *classes; /* one behind the other */
  guint n[ENS_N_SPLITS];
  const char *note; /* a part of the first one; NULL: there is none */
} folders_rows[] = {
    {"deep", "cat/x/a.jpg cat/y/b.jpg dog/c.jpg dog/z/z/d.jpg", "cat dog", {2, 2, 0}, "is taken"},
    {"words", "train2017/cat/a.jpg val2017/cat/b.jpg docs/x.pdf", "cat", {1, 1, 0}, "no split"},
    {"capitals", "TrainSet/cat/a.jpg TestSet/cat/b.jpg ValSet/cat/c.jpg", "cat", {1, 1, 1}, NULL},
    {"inner", "LICENCE PetImages/cat/a.jpg PetImages/dog/b.jpg", "cat dog", {2, 0, 0}, "the only"},
    {"inner-twice", "a/b/train/cat/a.jpg a/b/val/cat/b.jpg", "cat", {1, 1, 0}, "a/b, the only"},
    {"inner-beside",
     "x.txt docs/y.pdf a/train/cat/a.jpg a/val/cat/b.jpg",
     "cat",
     {1, 1, 0},
     "/a, "},
};

START_TEST (test_folders)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autofree char *classes = NULL;

  create (folders_rows[_i].files);
  dataset = load ();
  classes = g_strjoinv (" ", dataset->classes);
  ck_assert_str_eq (classes, folders_rows[_i].classes);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    ck_assert_uint_eq (dataset->samples[s]->len, folders_rows[_i].n[s]);
  ck_assert_int_eq (dataset->notes->len > 0, folders_rows[_i].note != NULL);
  if (folders_rows[_i].note != NULL)
    ck_assert_contains (dataset->notes->pdata[0], folders_rows[_i].note);
}
END_TEST

/* The same file by a link, of a folder or by itself. */
static const struct {
  const char *name, *target, *link, *note;
} same_rows[] = {
    {"split", "train", "val",
     "files that are in several splits, whose figures are then too good: 2"},
    {"file", "../../train/cat/a.jpg", "val/cat/b.jpg", "files that are in several splits"},
    {"class", "cat", "train/dog", "files that are more than once in a split: 2, such as"},
};

START_TEST (test_same)
{
  g_autofree char *link = g_build_filename (test_folder, same_rows[_i].link, NULL);
  g_autofree char *parent = g_path_get_dirname (link);
  g_autoptr (EnsDataset) dataset = NULL;

  create ("train/cat/a.jpg train/cat/b.jpg");
  ck_assert_int_eq (g_mkdir_with_parents (parent, 0777), 0);
  ck_assert_int_eq (symlink (same_rows[_i].target, link), 0);
  if (g_str_has_prefix (same_rows[_i].link, "train"))
    create ("val/cat/c.jpg");
  dataset = load ();
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], same_rows[_i].note);
}
END_TEST

/* Every class gives its share, a single image stays where it is, and a second time, under another
 * path, the same ones are drawn. */
START_TEST (test_hold_out)
{
  g_autofree char *drawn = NULL;

  for (guint i = 0; i < 11; i++) {
    g_autofree char *files = g_strdup_printf ("train/cat/%u.jpg train/dog/%u.jpg", i, i);

    create (files);
  }
  create ("train/emu/1.jpg train/none/1.jpg train/none/2.jpg");
  for (guint round = 0; round < 2; round++) {
    g_autoptr (EnsDataset) dataset = load ();
    GPtrArray *validation = dataset->samples[ENS_SPLIT_VALIDATION];
    guint per_class[4] = {0};
    g_autofree char *text = describe (dataset, ENS_SPLIT_VALIDATION);
    g_autofree char *moved = g_strconcat (test_folder, "-moved", NULL);

    ck_assert_uint_eq (dataset->samples[ENS_SPLIT_TRAIN]->len, 18);
    ck_assert_uint_eq (validation->len, 7);
    for (guint i = 0; i < validation->len; i++) {
      const guint8 *labels = ((EnsDatasetItem *)validation->pdata[i])->labels;

      per_class[labels[0] ? 0 : labels[1] ? 1 : labels[2] ? 2 : 3]++;
    }
    ck_assert_uint_eq (per_class[0], 3);
    ck_assert_uint_eq (per_class[1], 3);
    ck_assert_uint_eq (per_class[2], 0);
    ck_assert_uint_eq (per_class[3], 1);
    ck_assert_uint_eq (dataset->notes->len, 1);
    ck_assert_contains (dataset->notes->pdata[0], "7 of the 25 training images");
    if (round > 0)
      ck_assert_pstr_eq (text, drawn);
    drawn = round > 0 ? drawn : g_steal_pointer (&text);
    ck_assert_int_eq (g_rename (test_folder, moved), 0);
    g_free (test_folder);
    test_folder = g_steal_pointer (&moved);
  }
}
END_TEST

/* Class folders without splits: every class gives its share, to a bundle that is measured, too. */
START_TEST (test_classes_alone)
{
  static const char *const classes[] = {"emu", "dog", "cat", NULL};
  static const struct {
    const char *folder;
    guint n, in_split[ENS_N_SPLITS];
  } folders[] = {{"cat", 11, {6, 3, 2}}, {"dog", 2, {1, 1, 0}}, {"none", 5, {3, 1, 1}}};
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  for (guint f = 0; f < G_N_ELEMENTS (folders); f++)
    for (guint i = 0; i < folders[f].n; i++) {
      g_autofree char *file =
          g_strdup_printf ("%s/%s%u.jpg", folders[f].folder, i % 2 > 0 ? "more/" : "", i);

      create (file);
    }
  create ("README.md c.jpg");
  dataset = ens_dataset_load (test_folder, _i > 0 ? classes : NULL, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, _i > 0 ? 3 : 2);
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint f = 0; f < G_N_ELEMENTS (folders); f++) {
      g_autofree char *part = g_strdup_printf ("/%s/", folders[f].folder);
      guint n = 0;

      for (guint i = 0; i < dataset->samples[s]->len; i++)
        n += strstr (((EnsDatasetItem *)dataset->samples[s]->pdata[i])->path, part) != NULL;
      ck_assert_uint_eq (n, folders[f].in_split[s]);
    }
  ck_assert_uint_eq (dataset->notes->len, 4);
  ck_assert_contains (dataset->notes->pdata[0], "each is taken for a class");
  ck_assert_contains (dataset->notes->pdata[1], "8 of the pictures lie in folders below");
  ck_assert_contains (dataset->notes->pdata[2], "left out pictures beside the classes' folders");
  ck_assert_contains (dataset->notes->pdata[3], "10 are for training, 5 for validation, 3 for the");
}
END_TEST

/* A bundle's classes, of which the data set has some. */
START_TEST (test_given_classes)
{
  static const char *const classes[] = {"emu", "dog", "cat", NULL};
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  create ("test/dog/a.jpg test/cat/b.jpg test/none/c.jpg");
  dataset = ens_dataset_load (test_folder, classes, &error);
  ck_assert_no_error (error);
  ck_assert_uint_eq (dataset->n_classes, 3);
  check_split (dataset, ENS_SPLIT_TEST, "cat/b.jpg dog/a.jpg -/c.jpg");
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_VALIDATION]->len, 0);
  g_clear_pointer (&dataset, ens_dataset_free);
  create ("test/fox/a.jpg");
  ck_assert_ptr_null (ens_dataset_load (test_folder, classes, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "expected one of the classes emu, dog, cat, found “fox”");
}
END_TEST

static const struct {
  const char *files;
  const char *note; /* a part of it */
} left_out_rows[] = {
    {"train/cat/notes.txt train/labels.csv",
     "/train: left out annotations, lists and tables that this layout does not need: 2, such as"},
    {"train/cat/notes.doc train/labels", "/train: left out files that are no pictures: 2, such as"},
    {"train/cat/.a.heic train/.trash/", "/train: left out hidden files: 2, such as"},
    {"train/cat/b.JXL train/cat/c.jp2 train/dog/d.dng",
     "/train: left out pictures in formats that can't be read (convert them to JPEG or PNG): 3, "
     "such as"},
    {"train/dog/raw/y.png", "/train: 1 of the pictures lie in folders below their class's folder"},
    {"train/x.jpg", "/train: left out pictures beside the classes' folders"},
    {"train/cat/b.jxl train/readme train/y.png", "; files that are no pictures: 1, such as"},
    {"validation/cat/b.jpg.jxl", "/validation: left out pictures in formats that can't be read"},
    {"unsorted/c.jpg", ": left out folders that are no split (splits are called train, "
                       "validation, test): 1, such as"},
    {"README.md", ": left out files that are no pictures: 1, such as"},
    {"c.jpg", ": left out pictures beside the classes' folders"},
};

START_TEST (test_left_out)
{
  g_autoptr (EnsDataset) dataset = NULL;

  create ("train/cat/1.jpg train/dog/1.jpg validation/cat/1.jpg");
  create (left_out_rows[_i].files);
  dataset = load ();
  ck_assert_uint_eq (dataset->samples[ENS_SPLIT_VALIDATION]->len, 1);
  ck_assert_uint_eq (dataset->notes->len, 1);
  ck_assert_contains (dataset->notes->pdata[0], left_out_rows[_i].note);
}
END_TEST

static const struct {
  const char *files;
  const char *message; /* behind the folder's name */
} errors_rows[] = {
    {"cat/a.jpg", ": found no train images; looked for train/CLASS/IMAGE"},
    {"cat/a.jpg dog/", ": found no train images; looked for train/CLASS/IMAGE"},
    {"cat/a.jpg dog/b.jpg x-test/c.jpg",
     ": expected folders of classes, or of splits, found “x-test”, which may be either"},
    {"cat/train/a.jpg cat/val/b.jpg dog/train/c.jpg dog/val/d.jpg",
     ": expected folders SPLIT/CLASS, found cat/train the other way round"},
    {"train2017/a.jpg val2017/b.jpg", ": found no train images; looked for train/CLASS/IMAGE"},
    {"val/cat/a.jpg val/dog/b.jpg", ": found no train images; looked for train/CLASS/IMAGE"},
    {"cat/a.jpg dog/b.jpg bird/", "/bird: found no image"},
    {"a.jpg labels.csv", "/labels.csv: expected a first line that names the column “file”"},
    {"train/a.jpg labels.json", "labels.json"},
    {"cat/a.jpg dog/b.jpg val/c.jpg", ": found no train images; looked for train/CLASS/IMAGE"},
    {"train/a.jpg", "/train: expected a folder of images for each class, found none"},
    {"train/none/a.jpg", "/train: expected a folder of images for each class, found none"},
    {"train/cat/a.txt", "/train/cat: found no image; looked for names such as *.jpg"},
    {"train/cat/a.jpg train/dog/", "/train/dog: found no image"},
    {"train/cat/a.jxl", "/train/cat: found no image; looked for names such as *.jpg or *.png, "
                        "left out pictures in formats that can't be read"},
    {"train/cat/a.jpg test/dog/a.jpg", "/test: expected one of the classes cat, found “dog”"},
};

START_TEST (test_errors)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  ens_remove_tree (test_folder);
  create (errors_rows[_i].files);
  dataset = ens_dataset_load (test_folder, NULL, &error);
  ck_assert_ptr_null (dataset);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert (g_str_has_prefix (error->message, test_folder));
  ck_assert_contains (error->message + strlen (test_folder), errors_rows[_i].message);
}
END_TEST

START_TEST (test_missing)
{
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ens_dataset_load ("/nowhere/at/all", NULL, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  g_clear_error (&error);
  create ("train/cat/a.jpg validation/cat/b.jpg");
  dataset = load ();
  ck_assert (!ens_dataset_require (dataset, ENS_SPLIT_TEST, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "looked for test/CLASS/IMAGE");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/dataset");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  test_add ("layout", test_layout);
  TEST_ADD_LOOP ("names", test_names, names_rows);
  TEST_ADD_ROWS ("folders", test_folders, folders_rows);
  TEST_ADD_ROWS ("same", test_same, same_rows);
  test_add ("hold-out", test_hold_out);
  test_add_loop ("classes-alone", test_classes_alone, 2);
  test_add ("given-classes", test_given_classes);
  TEST_ADD_LOOP ("left-out", test_left_out, left_out_rows);
  TEST_ADD_LOOP ("errors", test_errors, errors_rows);
  test_add ("missing", test_missing);
  return test_run ();
}
