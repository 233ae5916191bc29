/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every head promises, and how heads are named. */
#include "train/heads.h"

#include "check-main.h"

#define IMAGES 24
#define WINDOWS 3
#define FEATURES 4
#define CLASSES 3

/* Feature c of an image is high where it shows class c; of windows the last one shows it. */
typedef struct {
  float images[IMAGES * FEATURES], windows[IMAGES * WINDOWS * FEATURES];
  guint8 labels[IMAGES * CLASSES];
  guint first[IMAGES + 1];
} Toy;

static EnsBags
make_toy (Toy *toy)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  *toy = (Toy) {0};
  for (guint i = 0; i < IMAGES; i++) {
    guint class = i % CLASSES, window = (i * WINDOWS + WINDOWS - 1) * FEATURES;

    toy->labels[i * CLASSES + class] = ENS_LABEL_PRESENT;
    toy->first[i + 1] = (i + 1) * WINDOWS;
    for (guint f = 0; f < FEATURES; f++)
      toy->images[i * FEATURES + f] =
          (float)((f == class) + g_rand_double_range (random, -0.1, 0.1));
    for (guint f = 0; f < WINDOWS * FEATURES; f++)
      toy->windows[i * WINDOWS * FEATURES + f] = (float)g_rand_double_range (random, -0.1, 0.1);
    toy->windows[window + class] += 1;
  }
  return (EnsBags) {
      {{IMAGES, CLASSES, toy->labels}, FEATURES, toy->images}, toy->first, toy->windows};
}

static void
learn (const EnsHead *head, EnsBags examples, EnsThreadPool *pool, EnsHeadGraphs *graphs)
{
  double options[ENS_HEAD_MAX_OPTIONS];
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_eq (ens_head_parse (head->name, options, &error), head);
  ck_assert (head->learn (&(EnsHeadTask) {.examples = examples, .options = options, .pool = pool},
                          graphs, &error));
  ck_assert_no_error (error);
}

/* Whether the class that each row of features shows decides highest. */
static void
check_decisions (const EnsGraph *graph, const float *features, guint step, EnsThreadPool *pool)
{
  float decisions[CLASSES];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < IMAGES; i++) {
    ck_assert (ens_head_decide (
        &(EnsHeadRows) {graph, &features[i * step * FEATURES], 1, FEATURES, CLASSES}, decisions,
        pool, &error));
    ck_assert_no_error (error);
    for (guint c = 0; c < CLASSES; c++)
      ck_assert (c == i % CLASSES || decisions[c] < decisions[i % CLASSES]);
  }
}

START_TEST (test_learn)
{
  const EnsHead *head = ens_head_get (_i);
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  g_auto (EnsHeadGraphs) graphs = {0}, images_only = {0};
  Toy toy;
  EnsBags examples = make_toy (&toy);

  learn (head, examples, pool, &graphs);
  check_decisions (graphs.images, toy.images, 1, pool);
  check_decisions (graphs.windows, &toy.windows[(WINDOWS - 1) * FEATURES], WINDOWS, pool);

  examples.first = NULL;
  learn (head, examples, pool, &images_only);
  ck_assert_ptr_null (images_only.windows);
  check_decisions (images_only.images, toy.images, 1, pool);
}
END_TEST

typedef struct {
  const char *name, *text;
  double c;
  const char *error; /* a part of it; NULL: none */
} Row;

static const Row rows[] = {
    {"default", NULL, 0},
    {"name", "svm", 0},
    {"option", "svm,c=0.25", 0.25},
    {"last-counts", "svm,c=1,c=2", 2},
    {"unknown-head", "tree", 0, "expected a head (svm"},
    {"empty", "", 0, "found “”"},
    {"unknown-option", "svm,depth=3", 0, "expected an option (c, root), found “depth”"},
    {"no-value", "svm,c", 0, "c: expected a number"},
    {"not-a-number", "svm,c=1x", 0, "found “1x”"},
    {"out-of-range", "svm,c=-1", 0, "expected a number from 0 to"},
    {"nan", "svm,c=nan", 0, "expected a number"},
};

START_TEST (test_parse)
{
  const Row *row = &rows[_i];
  double options[ENS_HEAD_MAX_OPTIONS];
  g_autoptr (GError) error = NULL;
  const EnsHead *head = ens_head_parse (row->text, options, &error);

  if (row->error != NULL) {
    ck_assert_ptr_null (head);
    ck_assert_contains (error->message, row->error);
    return;
  }
  ck_assert_no_error (error);
  ck_assert_str_eq (head->name, "svm");
  ck_assert_double_eq (options[0], row->c);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("train/heads");
  for (guint i = 0; ens_head_get (i) != NULL; i++)
    test_add_row ("learn", ens_head_get (i)->name, test_learn, i);
  TEST_ADD_ROWS ("parse", test_parse, rows);
  return test_run ();
}
