/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Masks as run lengths, beside what pycocotools 2.0 makes of them. */
#include "dataset/run-lengths.h"

#include <math.h>

#include "check-main.h"

#define N_COUNTS 12

static const struct {
  const char *name;
  gboolean along_rows;
  double width, height;
  double counts[N_COUNTS]; /* up to a 0 that is not the first */
  const char *text;        /* instead of counts */
  gboolean sound;
  double box[4]; /* the width is 0: there is none */
  guint n_cells; /* of that box */
} rows[] = {
    {"columns", FALSE, 8, 4, {4, 8, 20}, NULL, TRUE, {1, 0, 2, 4}, 256},
    {"rows", TRUE, 4, 8, {4, 8, 20}, NULL, TRUE, {0, 1, 4, 2}, 256},
    {"part-of-column", FALSE, 8, 4, {5, 2, 25}, NULL, TRUE, {1, 1, 1, 2}, 256},
    {"two-runs", FALSE, 2, 4, {1, 1, 4, 2}, NULL, TRUE, {0, 1, 2, 3}, 128},
    {"from-the-start", FALSE, 2, 2, {0, 3, 1}, NULL, TRUE, {0, 0, 2, 2}, 192},
    {"nothing", FALSE, 2, 2, {4}, NULL, TRUE, {0}, 0},
    {"empty-run", FALSE, 2, 2, {4}, "400", TRUE, {0}, 0},
    {"ellipse",
     FALSE,
     50,
     40,
     {0},
     "P86P14M2N2N2N2O0O2O00000O2O00000000000001N1000001N101N2N2N2N3LRa0",
     TRUE,
     {6, 8, 30, 22},
     196},
    {"too-few", FALSE, 8, 4, {4, 8, 19}, NULL, FALSE},
    {"too-many", FALSE, 8, 4, {4, 8, 21}, NULL, FALSE},
    {"no-size", FALSE, NAN, 4, {4, 8, 20}, NULL, FALSE},
    {"negative", FALSE, 8, 4, {36, -4}, NULL, FALSE},
    {"fraction", FALSE, 8, 4, {31.5, 0.5}, NULL, FALSE},
    {"not-a-number", FALSE, 8, 4, {32, NAN}, NULL, FALSE},
    {"other-characters", FALSE, 8, 4, {0}, "P86~", FALSE},
    {"blank", FALSE, 8, 4, {0}, "P8 6", FALSE},
    {"unfinished", FALSE, 8, 4, {0}, "P", FALSE},
    {"endless", FALSE, 8, 4, {0}, "PPPPPPPPPPPPPPPP1", FALSE},
    {"backwards", FALSE, 8, 4, {0}, "4O", FALSE},
};

static void
add_runs (EnsRunLengths *runs, int row)
{
  runs->along_rows = rows[row].along_rows;
  ens_run_lengths_set_size (runs, rows[row].width, rows[row].height);
  if (rows[row].text != NULL)
    ens_run_lengths_add_text (runs, rows[row].text);
  for (guint i = 0; rows[row].text == NULL && i < N_COUNTS; i++)
    if (i == 0 || rows[row].counts[i] != 0)
      ens_run_lengths_add (runs, rows[row].counts[i]);
}

START_TEST (test_runs)
{
  EnsObjectMask mask = {{0}};
  double box[4] = {0};
  g_auto (EnsRunLengths) runs;

  ens_run_lengths_init (&runs);
  add_runs (&runs, _i);
  ck_assert_int_eq (ens_run_lengths_are_sound (&runs), rows[_i].sound);
  if (!rows[_i].sound)
    return;
  ck_assert_int_eq (ens_run_lengths_find_box (&runs, box), rows[_i].box[2] > 0);
  for (guint i = 0; i < 4; i++)
    ck_assert_double_eq (box[i], rows[_i].box[i]);
  ens_run_lengths_fill (&runs, &mask, box);
  ck_assert_uint_eq (ens_object_mask_count (&mask), rows[_i].n_cells);
}
END_TEST

/* Cells beyond the mask's edges have nothing of the object. */
START_TEST (test_beyond)
{
  EnsObjectMask mask = {{0}};
  g_auto (EnsRunLengths) runs;

  ens_run_lengths_init (&runs);
  ens_run_lengths_set_size (&runs, 8, 8);
  ens_run_lengths_add (&runs, 0);
  ens_run_lengths_add (&runs, 64);
  ens_run_lengths_fill (&runs, &mask, (const double[]) {-8, 0, 16, 16});
  ck_assert_uint_eq (ens_object_mask_count (&mask), 64);
  ck_assert (ens_object_mask_has (&mask, 7, 15) && !ens_object_mask_has (&mask, 8, 15));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/run-lengths");
  TEST_ADD_ROWS ("runs", test_runs, rows);
  test_add ("beyond", test_beyond);
  return test_run ();
}
