/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a pool of worker threads for data-parallel loops.
 *
 * The calling thread works too: a pool of one thread has no workers and runs everything in place.
 * A pool may be shared between threads. One loop at a time has the workers; others wait for its
 * end, but where as many threads call as the pool has, each runs its loop alone and in place: that
 * is faster than to take turns. Tasks must not start a loop on the pool they run on. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _EnsThreadPool EnsThreadPool;

/* worker is in [0, ens_thread_pool_get_threads ()): it indexes scratch memory that no other task
 * uses at the same time. */
typedef void (*EnsTask) (gpointer data, guint task, guint worker);

/* n_threads counts the caller; 0 means one per processor that this process may use. */
EnsThreadPool *ens_thread_pool_new (guint n_threads);
/* The threads of `lender`, for loops that can be cancelled: from then on tasks that have not begun
 * are left out, also of loops to come. What such a loop was computing is undefined: look whether
 * the pool is cancelled before using it. NULL: the lender itself. (transfer full) */
EnsThreadPool *ens_thread_pool_new_cancellable (EnsThreadPool *lender, GCancellable *cancellable);
EnsThreadPool *ens_thread_pool_ref (EnsThreadPool *pool);
void ens_thread_pool_unref (EnsThreadPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsThreadPool, ens_thread_pool_unref)

guint ens_thread_pool_get_threads (EnsThreadPool *pool);
gboolean ens_thread_pool_is_cancelled (EnsThreadPool *pool);

/* Calls task (data, i, worker) once for each i in [0, n_tasks), in any order, and returns when all
 * have returned. What tasks compute must not depend on the order or the worker. Without a pool,
 * NULL, all run in place: for callers that are tasks themselves. */
void ens_thread_pool_run (EnsThreadPool *pool, guint n_tasks, EnsTask task, gpointer data);

/* Nanoseconds of processor time that the calling thread has taken so far, and that workers of any
 * pool have taken in loops that it started. Other threads that share the pool have their own. */
gint64 ens_thread_pool_get_cpu_time (void);
/* Charges the calling thread with processor time that another thread has taken for it. */
void ens_thread_pool_add_cpu_time (gint64 nanoseconds);

G_END_DECLS
