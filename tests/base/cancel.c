/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cancel.h"

#include "base/thread-pool.h"
#include "check-main.h"

START_TEST (test_check)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  ck_assert (ens_check_cancelled (NULL, &error));
  ck_assert (ens_check_cancelled (cancellable, &error));
  ck_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  ck_assert (!ens_check_cancelled (cancellable, &error));
  ck_assert (g_error_matches (error, ENS_ERROR, ENS_ERROR_CANCELLED));
}
END_TEST

/* ---- Turns ---- */

typedef struct {
  EnsTurn turn;
  GCancellable *cancellable;
  guint count, inside;
  gboolean together;
} Shared;

static gpointer
take_turns (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < 2000; i++) {
    ck_assert (ens_turn_take (&shared->turn, i % 2 == 0 ? shared->cancellable : NULL));
    if (shared->inside++ > 0)
      shared->together = TRUE;
    shared->count++;
    shared->inside--;
    ens_turn_leave (&shared->turn);
  }
  return NULL;
}

START_TEST (test_one_at_a_time)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Shared shared = {.cancellable = cancellable};
  GThread *threads[3];

  ens_turn_init (&shared.turn);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, take_turns, &shared);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  ck_assert_uint_eq (shared.count, 6000);
  ck_assert (!shared.together);
  ens_turn_clear (&shared.turn);
}
END_TEST

static gpointer
try_turn (gpointer data)
{
  Shared *shared = data;

  return GINT_TO_POINTER (ens_turn_take (&shared->turn, shared->cancellable));
}

/* Waiting ends although the turn is never left. */
START_TEST (test_waiting_ends)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Shared shared = {.cancellable = cancellable};
  GThread *thread;

  ens_turn_init (&shared.turn);
  ck_assert (ens_turn_take (&shared.turn, NULL));
  thread = g_thread_new (NULL, try_turn, &shared);
  g_usleep (2000);
  g_cancellable_cancel (cancellable);
  ck_assert (!g_thread_join (thread));
  ens_turn_leave (&shared.turn);
  ck_assert (ens_turn_take (&shared.turn, NULL));
  ens_turn_clear (&shared.turn);
}
END_TEST

/* ---- Loops ---- */

#define N_TASKS 1000

typedef struct {
  GCancellable *cancellable;
  guint n_done;
} Loop;

static void
cancel_at_once (gpointer data, guint task, guint worker)
{
  Loop *loop = data;

  g_atomic_int_inc (&loop->n_done);
  g_cancellable_cancel (loop->cancellable);
}

static void
count_task (gpointer data, guint task, guint worker)
{
  g_atomic_int_inc (&((Loop *)data)->n_done);
}

static const guint loop_rows[] = {1, 2, 4};

/* Every thread ends with the task that it is at; other loops of the same threads run on. */
START_TEST (test_loop)
{
  g_autoptr (EnsThreadPool) lender = ens_thread_pool_new (loop_rows[_i]);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (lender, cancellable);
  Loop loop = {cancellable}, other = {cancellable};

  ck_assert_uint_eq (ens_thread_pool_get_threads (pool), loop_rows[_i]);
  ck_assert (!ens_thread_pool_is_cancelled (pool));
  ens_thread_pool_run (pool, N_TASKS, cancel_at_once, &loop);
  ck_assert (ens_thread_pool_is_cancelled (pool));
  ck_assert_uint_ge (loop.n_done, 1);
  ck_assert_uint_le (loop.n_done, loop_rows[_i]);
  ens_thread_pool_run (pool, N_TASKS, count_task, &other);
  ck_assert_uint_eq (other.n_done, 0);
  ens_thread_pool_run (lender, N_TASKS, count_task, &other);
  ck_assert_uint_eq (other.n_done, N_TASKS);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/cancel");
  test_add ("check", test_check);
  test_add ("one-at-a-time", test_one_at_a_time);
  test_add ("waiting-ends", test_waiting_ends);
  TEST_ADD_LOOP ("loop", test_loop, loop_rows);
  return test_run ();
}
