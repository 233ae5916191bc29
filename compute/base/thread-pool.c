/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/thread-pool.h"

#include <time.h>

#include "base/cancel.h"

/* Those who sleep count themselves first and then look once more; those who would wake them change
 * what they look at first and then count: whichever comes second sees the other. So nobody is
 * woken, which is a system call, unless somebody sleeps. */

/* How often a thread looks again before it sleeps. One look takes a few nanoseconds; the gap
 * between two operators of a network is some microseconds, and waking a sleeper costs more. */
#define SPINS 4000
/* Nanoseconds. In loops shorter than this workers take the clock's time for the processor's: asking
 * for the latter is a system call that takes as long as a small operation's tasks. */
#define SHORT_LOOP 100000

/* A worker's part of a loop's tasks. Loops over the same image cut it into the same parts, so that
 * a core finds in its own cache what it computed in the loop before. */
typedef struct {
  guint next; /* atomic */
  guint end;
} __attribute__ ((aligned (64))) Share; /* in a cache line of its own */

struct _EnsThreadPool {
  gatomicrefcount references;
  EnsThreadPool *lender; /* whose threads run the loops; NULL: its own, and what follows is used */
  GCancellable *cancellable; /* of a pool with a lender */

  guint n_threads;
  GThread **workers;
  guint n_callers; /* threads that run loops or wait to; atomic */
  EnsTurn loop;    /* taken for a whole loop by who has the workers */

  GMutex lock; /* guards the sleepers; the fields below are atomic */
  GCond wake, done;
  guint sleepers;   /* workers that sleep, or are about to: woken only if there are any */
  gboolean waiting; /* whether the loop's caller sleeps, or is about to */
  guint generation; /* counts loops; a change tells the workers to start */
  guint open;       /* whether workers may still join the loop */
  guint active;     /* workers that may be in it */
  gboolean quit;

  EnsTask task;
  gpointer data;
  GCancellable *loop_cancellable;
  Share *shares;  /* by worker */
  gint64 *helped; /* by worker: its processor time in the loop that runs */
};

typedef struct {
  EnsThreadPool *pool;
  guint index;
  gint64 processor_time; /* of this thread, when it last asked for it */
} Worker;

/* Processor time of workers in loops that this thread has started. It belongs to the thread as the
 * system's own clock of a thread does. */
static _Thread_local gint64 help_received;

static gint64
read_clock (clockid_t clock)
{
  struct timespec time;

  if (clock_gettime (clock, &time) != 0)
    return 0;
  return (gint64)time.tv_sec * 1000000000 + time.tv_nsec;
}

static gint64
get_thread_time (void)
{
  return read_clock (CLOCK_THREAD_CPUTIME_ID);
}

gint64
ens_thread_pool_get_cpu_time (void)
{
  return get_thread_time () + help_received;
}

void
ens_thread_pool_add_cpu_time (gint64 nanoseconds)
{
  help_received += nanoseconds;
}

static inline void
relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

static void
take_share (EnsThreadPool *pool, Share *share, guint worker)
{
  guint i;

  while ((guint)g_atomic_int_get (&share->next) < share->end
         && (i = g_atomic_int_add (&share->next, 1)) < share->end
         && !g_cancellable_is_cancelled (pool->loop_cancellable))
    pool->task (pool->data, i, worker);
}

/* First its own share, then what is left of the others'. */
static void
take_tasks (EnsThreadPool *pool, guint worker)
{
  for (guint i = 0; i < pool->n_threads; i++)
    take_share (pool, &pool->shares[(worker + i) % pool->n_threads], worker);
}

static void
deal_tasks (EnsThreadPool *pool, guint n_tasks)
{
  for (guint i = 0; i < pool->n_threads; i++) {
    Share *share = &pool->shares[i];

    share->end = (guint)((guint64)n_tasks * (i + 1) / pool->n_threads);
    g_atomic_int_set (&share->next, (guint)((guint64)n_tasks * i / pool->n_threads));
  }
}

static guint
await_generation (EnsThreadPool *pool, guint seen)
{
  guint now;

  for (guint i = 0; i < SPINS; i++) {
    if ((now = g_atomic_int_get (&pool->generation)) != seen)
      return now;
    relax ();
  }
  g_mutex_lock (&pool->lock);
  g_atomic_int_inc (&pool->sleepers);
  while ((now = g_atomic_int_get (&pool->generation)) == seen)
    g_cond_wait (&pool->wake, &pool->lock);
  g_atomic_int_add (&pool->sleepers, -1);
  g_mutex_unlock (&pool->lock);
  return now;
}

/* Waits for the workers that joined the loop. The others, who may be asleep or have lost their
 * processor to another program, find it closed when they come: there is nothing left to do, and so
 * no reason to wait for them. */
static void
await_workers (EnsThreadPool *pool)
{
  g_atomic_int_set (&pool->open, FALSE);
  for (guint i = 0; i < SPINS; i++) {
    if (g_atomic_int_get (&pool->active) == 0)
      return;
    relax ();
  }
  g_mutex_lock (&pool->lock);
  g_atomic_int_set (&pool->waiting, TRUE);
  while (g_atomic_int_get (&pool->active) > 0)
    g_cond_wait (&pool->done, &pool->lock);
  g_atomic_int_set (&pool->waiting, FALSE);
  g_mutex_unlock (&pool->lock);
}

/* Processor time of a loop that has taken so long by the clock. It is no more than the thread has
 * had since it last asked. */
static gint64
measure_help (Worker *worker, gint64 elapsed)
{
  gint64 before = worker->processor_time;

  if (elapsed < SHORT_LOOP)
    return elapsed;
  worker->processor_time = get_thread_time ();
  return MIN (elapsed, worker->processor_time - before);
}

/* The order counts: announced first, then looked whether the loop is open. Either the caller sees
 * this worker and waits, or this worker sees that it is too late. */
static void
join_loop (Worker *worker)
{
  EnsThreadPool *pool = worker->pool;

  g_atomic_int_inc (&pool->active);
  if (g_atomic_int_get (&pool->open)) {
    gint64 start = read_clock (CLOCK_MONOTONIC);

    take_tasks (pool, worker->index);
    pool->helped[worker->index] = measure_help (worker, read_clock (CLOCK_MONOTONIC) - start);
  }
  if (g_atomic_int_dec_and_test (&pool->active) && g_atomic_int_get (&pool->waiting)) {
    g_mutex_lock (&pool->lock);
    g_cond_signal (&pool->done);
    g_mutex_unlock (&pool->lock);
  }
}

static gpointer
work (gpointer data)
{
  g_autofree Worker *worker = data;
  EnsThreadPool *pool = worker->pool;
  guint seen = 0;

  for (;;) {
    seen = await_generation (pool, seen);
    if (g_atomic_int_get (&pool->quit))
      return NULL;
    join_loop (worker);
  }
}

/* After await_workers (): none writes any more. */
static void
count_help (EnsThreadPool *pool)
{
  for (guint i = 1; i < pool->n_threads; i++) {
    help_received += pool->helped[i];
    pool->helped[i] = 0;
  }
}

static void
start_workers (EnsThreadPool *pool)
{
  g_atomic_int_set (&pool->open, TRUE);
  g_atomic_int_inc (&pool->generation);
  if (g_atomic_int_get (&pool->sleepers) == 0)
    return;
  g_mutex_lock (&pool->lock);
  g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->lock);
}

EnsThreadPool *
ens_thread_pool_new (guint n_threads)
{
  EnsThreadPool *pool = g_new0 (EnsThreadPool, 1);

  g_atomic_ref_count_init (&pool->references);
  pool->n_threads = n_threads > 0 ? n_threads : g_get_num_processors ();
  ens_turn_init (&pool->loop);
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->wake);
  g_cond_init (&pool->done);
  pool->workers = g_new0 (GThread *, pool->n_threads);
  pool->helped = g_new0 (gint64, pool->n_threads);
  pool->shares = g_aligned_alloc0 (pool->n_threads, sizeof *pool->shares, sizeof *pool->shares);
  for (guint i = 1; i < pool->n_threads; i++) {
    Worker *worker = g_new (Worker, 1);

    *worker = (Worker) {.pool = pool, .index = i};
    pool->workers[i] = g_thread_new ("ens-worker", work, worker);
  }
  return pool;
}

EnsThreadPool *
ens_thread_pool_new_cancellable (EnsThreadPool *lender, GCancellable *cancellable)
{
  EnsThreadPool *pool;

  if (cancellable == NULL)
    return ens_thread_pool_ref (lender);
  pool = g_new0 (EnsThreadPool, 1);
  g_atomic_ref_count_init (&pool->references);
  pool->lender = ens_thread_pool_ref (lender);
  pool->cancellable = g_object_ref (cancellable);
  return pool;
}

EnsThreadPool *
ens_thread_pool_ref (EnsThreadPool *pool)
{
  g_atomic_ref_count_inc (&pool->references);
  return pool;
}

static void
stop_workers (EnsThreadPool *pool)
{
  g_atomic_int_set (&pool->quit, TRUE);
  start_workers (pool);
  for (guint i = 1; i < pool->n_threads; i++)
    g_thread_join (pool->workers[i]);
  g_free (pool->workers);
  g_free (pool->helped);
  g_aligned_free (pool->shares);
  g_cond_clear (&pool->done);
  g_cond_clear (&pool->wake);
  g_mutex_clear (&pool->lock);
  ens_turn_clear (&pool->loop);
}

void
ens_thread_pool_unref (EnsThreadPool *pool)
{
  if (!g_atomic_ref_count_dec (&pool->references))
    return;
  if (pool->lender == NULL)
    stop_workers (pool);
  g_clear_pointer (&pool->lender, ens_thread_pool_unref);
  g_clear_object (&pool->cancellable);
  g_free (pool);
}

guint
ens_thread_pool_get_threads (EnsThreadPool *pool)
{
  return pool->lender != NULL ? ens_thread_pool_get_threads (pool->lender) : pool->n_threads;
}

gboolean
ens_thread_pool_is_cancelled (EnsThreadPool *pool)
{
  return pool != NULL && g_cancellable_is_cancelled (pool->cancellable);
}

static void
run_in_place (guint n_tasks, EnsTask task, gpointer data, GCancellable *cancellable)
{
  for (guint i = 0; i < n_tasks && !g_cancellable_is_cancelled (cancellable); i++)
    task (data, i, 0);
}

/* With the workers' help. */
static void
run_together (EnsThreadPool *pool, guint n_tasks, EnsTask task, gpointer data,
              GCancellable *cancellable)
{
  if (!ens_turn_take (&pool->loop, cancellable))
    return;
  pool->task = task;
  pool->data = data;
  pool->loop_cancellable = cancellable;
  deal_tasks (pool, n_tasks);
  start_workers (pool);
  take_tasks (pool, 0);
  await_workers (pool);
  count_help (pool);
  ens_turn_leave (&pool->loop);
}

void
ens_thread_pool_run (EnsThreadPool *pool, guint n_tasks, EnsTask task, gpointer data)
{
  GCancellable *cancellable = pool != NULL ? pool->cancellable : NULL;

  if (pool != NULL && pool->lender != NULL)
    pool = pool->lender;
  if (pool == NULL || pool->n_threads == 1 || n_tasks <= 1) {
    run_in_place (n_tasks, task, data, cancellable);
    return;
  }
  if ((guint)g_atomic_int_add (&pool->n_callers, 1) < pool->n_threads - 1)
    run_together (pool, n_tasks, task, data, cancellable);
  else
    run_in_place (n_tasks, task, data, cancellable);
  g_atomic_int_add (&pool->n_callers, -1);
}
