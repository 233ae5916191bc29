/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/thread-pool.h"

#include "check-main.h"

typedef struct {
  guint n_tasks;
  guint *count;
  gboolean bad_worker;
  guint n_threads;
} Loop;

static void
count_task (gpointer data, guint task, guint worker)
{
  Loop *loop = data;

  g_atomic_int_inc (&loop->count[task]);
  if (worker >= loop->n_threads)
    loop->bad_worker = TRUE;
}

static void
run_loops (EnsThreadPool *pool, guint n_tasks, guint repeats)
{
  g_autofree guint *count = g_new0 (guint, MAX (n_tasks, 1));
  Loop loop = {.n_tasks = n_tasks, .count = count, .n_threads = ens_thread_pool_get_threads (pool)};

  for (guint r = 0; r < repeats; r++)
    ens_thread_pool_run (pool, n_tasks, count_task, &loop);
  for (guint i = 0; i < n_tasks; i++)
    ck_assert_uint_eq (count[i], repeats);
  ck_assert (!loop.bad_worker);
}

static const struct {
  guint threads, tasks;
} every_task_runs_once_rows[] = {{1, 5}, {2, 0}, {2, 1}, {2, 7}, {4, 3}, {4, 1000}};

START_TEST (test_every_task_runs_once)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (every_task_runs_once_rows[_i].threads);

  ck_assert_uint_eq (ens_thread_pool_get_threads (pool), every_task_runs_once_rows[_i].threads);
  run_loops (pool, every_task_runs_once_rows[_i].tasks, 200);
}
END_TEST

static void
take_long (gpointer data, guint task, guint worker)
{
  g_usleep (2000);
  g_atomic_int_inc ((guint *)data);
}

START_TEST (test_waits_for_tasks)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (4);

  for (guint i = 0; i < 10; i++) {
    guint n_done = 0;

    ens_thread_pool_run (pool, 6, take_long, &n_done);
    ck_assert_uint_eq (g_atomic_int_get (&n_done), 6);
  }
}
END_TEST

static gpointer
run_from_thread (gpointer pool)
{
  run_loops (pool, 64, 500);
  return NULL;
}

START_TEST (test_shared_by_threads)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, run_from_thread, pool);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}
END_TEST

/* A loop that ends when another thread has had a loop of its own. */
typedef struct {
  EnsThreadPool *pool;
  GMutex lock;
  GCond changed;
  guint n_begun;
  gboolean other_done;
} Meeting;

static void
await_other (gpointer data, guint task, guint worker)
{
  Meeting *meeting = data;

  g_mutex_lock (&meeting->lock);
  meeting->n_begun++;
  g_cond_broadcast (&meeting->changed);
  while (!meeting->other_done)
    g_cond_wait (&meeting->changed, &meeting->lock);
  g_mutex_unlock (&meeting->lock);
}

static gpointer
run_awaiting (gpointer data)
{
  Meeting *meeting = data;

  ens_thread_pool_run (meeting->pool, 2, await_other, meeting);
  return NULL;
}

static void
note_thread (gpointer data, guint task, guint worker)
{
  GThread **threads = data;

  threads[task] = g_thread_self ();
  ck_assert_uint_eq (worker, 0);
}

/* As many callers as threads: nobody waits for a turn. */
START_TEST (test_alone_where_many_call)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);
  Meeting meeting = {.pool = pool};
  GThread *threads[5] = {NULL}, *other;

  g_mutex_init (&meeting.lock);
  g_cond_init (&meeting.changed);
  other = g_thread_new (NULL, run_awaiting, &meeting);
  g_mutex_lock (&meeting.lock);
  while (meeting.n_begun == 0)
    g_cond_wait (&meeting.changed, &meeting.lock);
  g_mutex_unlock (&meeting.lock);
  ens_thread_pool_run (pool, G_N_ELEMENTS (threads), note_thread, threads);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_eq (threads[i], g_thread_self ());
  g_mutex_lock (&meeting.lock);
  meeting.other_done = TRUE;
  g_cond_broadcast (&meeting.changed);
  g_mutex_unlock (&meeting.lock);
  g_thread_join (other);
  g_cond_clear (&meeting.changed);
  g_mutex_clear (&meeting.lock);
}
END_TEST

START_TEST (test_sleeping_workers_wake)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (3);

  for (guint i = 0; i < 20; i++) {
    run_loops (pool, 8, 1);
    g_usleep (1000);
  }
}
END_TEST

/* Spins for about as long on every worker, or sleeps. */
static void
take_processor (gpointer data, guint task, guint worker)
{
  gint64 start = ens_thread_pool_get_cpu_time ();

  if (data != NULL)
    g_usleep (10000);
  while (data == NULL && ens_thread_pool_get_cpu_time () - start < 10000000)
    continue;
}

static gint64
measure_loop (EnsThreadPool *pool, gpointer data)
{
  gint64 start = ens_thread_pool_get_cpu_time ();

  ens_thread_pool_run (pool, 8, take_processor, data);
  return ens_thread_pool_get_cpu_time () - start;
}

static const guint processor_time_rows[] = {1, 2, 4};

START_TEST (test_processor_time)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (processor_time_rows[_i]);

  /* Eight tasks of 10 ms, whoever runs them; asleep they take none. */
  ck_assert_int_ge (measure_loop (pool, NULL), 80000000);
  ck_assert_int_lt (measure_loop (pool, pool), 40000000);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/pool");
  TEST_ADD_LOOP ("every-task-runs-once", test_every_task_runs_once, every_task_runs_once_rows);
  test_add ("waits-for-tasks", test_waits_for_tasks);
  test_add ("shared-by-threads", test_shared_by_threads);
  test_add ("alone-where-many-call", test_alone_where_many_call);
  TEST_ADD_LOOP ("processor-time", test_processor_time, processor_time_rows);
  test_add ("sleeping-workers-wake", test_sleeping_workers_wake);
  return test_run ();
}
