/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/contours.h"

#include <sys/stat.h>

#include "check-main.h"
#include "support/folder.h"

static void
create (const char *files)
{
  g_auto (GStrv) names = g_strsplit (files, " ", -1);

  for (char **name = names; *name != NULL; name++)
    test_folder_write (*name, "");
}

/* "PICTURE+TRUTH …", without folders. */
static char *
describe (const EnsContourSet *set, EnsSplit split)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < set->items[split]->len; i++) {
    const EnsContourItem *item = set->items[split]->pdata[i];
    g_autofree char *picture = g_path_get_basename (item->picture);
    g_autofree char *truth = g_path_get_basename (item->truth);

    g_string_append_printf (text, "%s%s+%s", i > 0 ? " " : "", picture, truth);
  }
  return g_string_free (text, FALSE);
}

static const struct {
  const char *name, *files, *splits[ENS_N_SPLITS];
  const char *message; /* NULL: none */
} rows[] = {
    {"bsds",
     "train/2.jpg train/2_gt.png train/2_seg.png train/1.jpg train/1_gt.png val/3.jpg val/3_gt.png",
     {"1.jpg+1_gt.png 2.jpg+2_gt.png", "3.jpg+3_gt.png", ""},
     NULL},
    {"test-split",
     "train/a.png train/a_gt.png validation/b.jpeg validation/b_gt.png test/c.jpg test/c_gt.png",
     {"a.png+a_gt.png", "b.jpeg+b_gt.png", "c.jpg+c_gt.png"},
     NULL},
    {"others",
     "index.csv notes/x_gt.png train/readme.txt train/a.jpg train/a_gt.png train/b.jpg val/c.jpg "
     "val/c_gt.png",
     {"a.jpg+a_gt.png", "c.jpg+c_gt.png", ""},
     NULL},
    {"hidden",
     "train/a.jpg train/a_gt.png train/._a_gt.png val/c.jpg val/c_gt.png",
     {"a.jpg+a_gt.png", "c.jpg+c_gt.png", ""},
     NULL},
    {"dots",
     "train/a.1.jpg train/a.1_gt.png val/c.jpg val/c_gt.png",
     {"a.1.jpg+a.1_gt.png", "c.jpg+c_gt.png", ""},
     NULL},
    {"no-photograph",
     "train/a_gt.png val/b.jpg val/b_gt.png",
     {0},
     "a_gt.png: expected the photograph beside it, such as a.jpg"},
    {"no-training",
     "val/b.jpg val/b_gt.png",
     {0},
     "expected photographs and contours train/ID.jpg, train/ID_gt.png; found none"},
    {"no-validation",
     "train/a.jpg train/a_gt.png val/b.jpg",
     {0},
     "expected photographs and contours val/ID.jpg"},
};

START_TEST (test_load)
{
  g_autoptr (EnsContourSet) set = NULL;
  g_autoptr (GError) error = NULL;

  create (rows[_i].files);
  set = ens_contour_set_load (test_folder, &error);
  if (rows[_i].message != NULL) {
    ck_assert_ptr_null (set);
    ck_assert_contains (error->message, rows[_i].message);
    return;
  }
  ck_assert_no_error (error);
  for (guint s = 0; s < ENS_N_SPLITS; s++) {
    g_autofree char *found = describe (set, (EnsSplit)s);

    ck_assert_str_eq (found, rows[_i].splits[s]);
  }
}
END_TEST

/* A pipe is no photograph. */
START_TEST (test_pipe)
{
  g_autofree char *path = g_build_filename (test_folder, "train", "a.jpg", NULL);
  g_autoptr (GError) error = NULL;

  create ("train/a_gt.png val/c.jpg val/c_gt.png");
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  ck_assert_ptr_null (ens_contour_set_load (test_folder, &error));
  ck_assert_contains (error->message, "a_gt.png: expected the photograph beside it");
}
END_TEST

START_TEST (test_nowhere)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsContourSet) set = ens_contour_set_load ("nowhere/at/all", &error);

  ck_assert_ptr_null (set);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "nowhere/at/all: can't read this folder");
}
END_TEST

/* ---- Reading ---- */

typedef struct {
  const char *name;
  EnsPixels pixels; /* of the truth, as large as its photograph or wider */
  guint wider, width;
  const char *message;
} ReadRow;

static const ReadRow read_rows[] = {
    {"grey", ENS_PIXELS_GRAY8, 0, 20, NULL},
    {"coloured", ENS_PIXELS_RGB, 0, 20,
     "a_gt.png: expected a grey picture of 20 × 100 pixels, as its photograph has; found RGB"},
    {"larger", ENS_PIXELS_GRAY8, 3, 20, "found GRAY8 of 23 × 100"},
    {"huge", ENS_PIXELS_GRAY8, 0, 30000,
     "a.jpg: expected at most 2097152 pixels, found 30000 × 100"},
};

static const ReadRow *read_row;

static gboolean
next (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = ens_picture_new (ENS_PIXELS_RGB, read_row->width, 100);
  return TRUE;
}

static gboolean
next_truth (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = ens_picture_new (read_row->pixels, read_row->width + read_row->wider, 100);
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  g_free (source);
}

static EnsFrameSource *
open_picture (gpointer data, const char *path, GError **error)
{
  EnsFrameSource *source = g_new (EnsFrameSource, 1);

  *source = (EnsFrameSource) {g_str_has_suffix (path, ".png") ? next_truth : next, free_source};
  return source;
}

START_TEST (test_read)
{
  const EnsContourItem item = {(char *)"a.jpg", (char *)"a_gt.png"};
  g_autoptr (EnsPicture) picture = NULL, truth = NULL;
  g_autoptr (GError) error = NULL;

  read_row = &read_rows[_i];
  ens_contour_item_read (&item, &(EnsFrameOpener) {open_picture, NULL}, &picture, &truth, &error);
  if (read_row->message == NULL) {
    ck_assert_no_error (error);
    ck_assert_uint_eq (truth->frame.width, picture->frame.width);
    return;
  }
  ck_assert_contains (error->message, read_row->message);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/contours");
  test_fixture (test_folder_set_up, test_folder_tear_down);
  TEST_ADD_ROWS ("load", test_load, rows);
  test_add ("pipe", test_pipe);
  test_add ("nowhere", test_nowhere);
  TEST_ADD_ROWS ("read", test_read, read_rows);
  return test_run ();
}
