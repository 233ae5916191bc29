/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/loader.h"

#include "base/random.h"
#include "check-main.h"

enum { N_ITEMS = 23, BATCH = 4, N_BATCHES = 5, N_EPOCHS = 3 };

typedef struct {
  gboolean broken[N_ITEMS];
  GMutex mutex;
  guint n_loads, n_notes;
} Toy;

/* A first tensor of two floats, a second one of one. Some samples take longer than others. */
static gboolean
load (gpointer data, guint epoch, guint32 item, float *const *tensors, GError **error)
{
  Toy *toy = data;

  g_mutex_lock (&toy->mutex);
  toy->n_loads++;
  g_mutex_unlock (&toy->mutex);
  if (item % 5 == 0)
    g_usleep (500);
  if (toy->broken[item]) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "picture %u: is broken", item / 2);
    return FALSE;
  }
  tensors[0][0] = (float)item;
  tensors[0][1] = (float)epoch;
  tensors[1][0] = (float)(100 * epoch + item);
  return TRUE;
}

static void
on_note (const char *text, gpointer data)
{
  ck_assert_contains (text, "is broken");
  ((Toy *)data)->n_notes++;
}

static EnsLoaderSource
get_source (Toy *toy)
{
  return (EnsLoaderSource) {.n_items = N_ITEMS,
                            .batch = BATCH,
                            .n_tensors = 2,
                            .sizes = {2, 1},
                            .seed = 1,
                            .load = load,
                            .data = toy};
}

/* What the batches must be. */
static void
assert_batch (const EnsLoaderBatch *batch, guint epoch, guint number)
{
  guint32 order[N_ITEMS];
  EnsRandom random;

  ens_random_init (&random, &(EnsRandomStream) {1, ENS_RANDOM_ORDER, epoch, 0});
  ens_random_permutation (&random, order, N_ITEMS);
  for (guint i = 0; i < BATCH; i++) {
    guint32 item = order[number * BATCH + i];

    ck_assert_uint_eq (batch->items[i], item);
    ck_assert_double_eq (batch->tensors[0][2 * i], item);
    ck_assert_double_eq (batch->tensors[0][2 * i + 1], epoch);
    ck_assert_double_eq (batch->tensors[1][i], 100 * epoch + item);
  }
}

static const struct {
  const char *name;
  guint n_threads, n_ahead;
} rows[] = {{"one", 1, 0}, {"one-ahead", 1, 2}, {"four", 4, 3}, {"more-than-batches", 8, 20}};

START_TEST (test_order)
{
  Toy toy = {0};
  EnsLoaderSource source = get_source (&toy);
  g_autoptr (EnsLoader) loader = ens_loader_new (&source, rows[_i].n_threads, rows[_i].n_ahead);
  EnsLoaderBatch batch;

  ck_assert_uint_eq (ens_loader_get_batches (loader), N_BATCHES);
  for (guint e = 0; e < N_EPOCHS; e++)
    for (guint b = 0; b < N_BATCHES; b++) {
      ck_assert (ens_loader_next (loader, e, b, NULL, &batch, NULL));
      assert_batch (&batch, e, b);
    }
}
END_TEST

/* A training goes on anywhere. */
START_TEST (test_seek)
{
  static const guint positions[][2] = {{2, 3}, {2, 4}, {3, 0}, {0, 1}, {0, 1}, {0, 2}, {7, 4}};
  Toy toy = {0};
  EnsLoaderSource source = get_source (&toy);
  g_autoptr (EnsLoader) loader = ens_loader_new (&source, rows[_i].n_threads, rows[_i].n_ahead);
  EnsLoaderBatch batch;

  for (guint i = 0; i < G_N_ELEMENTS (positions); i++) {
    ck_assert (ens_loader_next (loader, positions[i][0], positions[i][1], NULL, &batch, NULL));
    assert_batch (&batch, positions[i][0], positions[i][1]);
  }
}
END_TEST

/* The next batch is loaded without being asked for, and no more than that. */
START_TEST (test_ahead)
{
  Toy toy = {0};
  EnsLoaderSource source = get_source (&toy);
  g_autoptr (EnsLoader) loader = ens_loader_new (&source, 2, 1);
  EnsLoaderBatch batch;
  guint n_loads = 0;

  ck_assert (ens_loader_next (loader, 0, 0, NULL, &batch, NULL));
  for (guint i = 0; i < 1000 && n_loads < 2 * BATCH; i++) {
    g_usleep (1000);
    g_mutex_lock (&toy.mutex);
    n_loads = toy.n_loads;
    g_mutex_unlock (&toy.mutex);
  }
  g_usleep (20000);
  ck_assert_uint_eq (toy.n_loads, 2 * BATCH);
}
END_TEST

static const struct {
  guint broken[2]; /* items, of which two are of one picture */
  guint n_notes;
} broken_rows[] = {{{3, 9}, 2}, {{8, 9}, 1}};

/* The same batches whatever the number of threads; each broken picture is noted once. */
START_TEST (test_broken)
{
  const guint *broken = broken_rows[_i].broken;
  Toy toys[2] = {{.n_notes = 0}, {.n_notes = 0}};
  EnsLoaderSource sources[2] = {get_source (&toys[0]), get_source (&toys[1])};
  g_autoptr (EnsLoader) one = ens_loader_new (&sources[0], 1, 0);
  g_autoptr (EnsLoader) four = ens_loader_new (&sources[1], 4, 3);
  const EnsMonitor monitors[2] = {{.note = on_note, .data = &toys[0]},
                                  {.note = on_note, .data = &toys[1]}};
  EnsLoaderBatch a, b;

  for (guint i = 0; i < 4; i++)
    toys[i / 2].broken[broken[i % 2]] = TRUE;
  for (guint i = 0; i < N_EPOCHS * N_BATCHES; i++) {
    guint epoch = i / N_BATCHES, batch = i % N_BATCHES;

    ck_assert (ens_loader_next (one, epoch, batch, &monitors[0], &a, NULL));
    ck_assert (ens_loader_next (four, epoch, batch, &monitors[1], &b, NULL));
    ck_assert_bytes_eq (a.tensors[0], 2 * BATCH * sizeof (float), b.tensors[0],
                        2 * BATCH * sizeof (float));
    for (guint s = 0; s < BATCH; s++)
      ck_assert (!toys[0].broken[a.items[s]]);
  }
  ck_assert_uint_eq (toys[0].n_notes, broken_rows[_i].n_notes);
  ck_assert_uint_eq (toys[1].n_notes, broken_rows[_i].n_notes);
}
END_TEST

START_TEST (test_too_many_broken)
{
  Toy toy = {0};
  EnsLoaderSource source = get_source (&toy);
  g_autoptr (EnsLoader) loader = NULL;
  g_autoptr (GError) error = NULL;
  EnsLoaderBatch batch;

  for (guint i = 0; i < N_ITEMS; i++)
    toy.broken[i] = _i == 0 || i % 4 == 0;
  loader = ens_loader_new (&source, 2, 1);
  for (guint b = 0; b < N_BATCHES && error == NULL; b++)
    ens_loader_next (loader, 0, b, NULL, &batch, &error);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "is broken");
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/loader");
  TEST_ADD_ROWS ("order", test_order, rows);
  TEST_ADD_ROWS ("seek", test_seek, rows);
  test_add ("ahead", test_ahead);
  TEST_ADD_LOOP ("broken", test_broken, broken_rows);
  test_add_loop ("too-many-broken", test_too_many_broken, 2);
  return test_run ();
}
