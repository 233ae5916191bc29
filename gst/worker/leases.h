/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: who has which job, as one worker sees it.
 *
 * A state machine without clock, network and threads: its owner tells it what came from the broker,
 * and asks it what to do. All workers see the messages of a job's topic in one order, so that they
 * agree on who won a claim. Leases end by the observer's own clock. Times are in microseconds, of
 * any clock that never goes back.
 *
 * Source: C. Gray, D. Cheriton, Leases: an efficient fault-tolerant mechanism for distributed file
 * cache consistency, SOSP 1989; epochs are what is called fencing tokens elsewhere. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WORKER_LEASE_CLAIMED,
  WORKER_LEASE_HELD,
  WORKER_LEASE_FREE, /* handed back */
} WorkerLeaseState;

typedef struct {
  WorkerLeaseState state;
  const char *worker;
  guint64 epoch;   /* counts owners */
  guint lost;      /* owners that vanished, from the last one that got on */
  guint64 done;    /* results that the broker has */
  double position; /* time in the file that they are up to, seconds */
  gint64 duration; /* without renewal */
} WorkerLease;

typedef struct {
  const char *worker; /* this one */
  gint64 duration;    /* of its leases; they are renewed three times in it */
  gint64 grace;       /* what was offered to others is left to them for this long */
  gint64 keep;        /* how long ends are remembered */
  guint max_lost;     /* a job that so many workers vanished with is given up */
} WorkerLeasesParams;

typedef enum {
  WORKER_NOTHING,
  WORKER_CLAIM,       /* publish a claim of this epoch */
  WORKER_START,       /* the claim won: begin behind the results that are done */
  WORKER_RENEW,       /* publish the lease */
  WORKER_ABANDON,     /* stop: it is another's */
  WORKER_DROP,        /* stop: it was cancelled, or has ended; remove its lease from the broker */
  WORKER_GIVE_UP,     /* publish that it failed */
  WORKER_CLEAR,       /* it has ended, and still waits: remove it from the broker */
  WORKER_CLEAR_LEASE, /* it was cancelled, its worker is gone: remove its lease from the broker */
} WorkerActionKind;

/* `id` is valid until the next call. */
typedef struct {
  WorkerActionKind kind;
  const char *id;
  guint64 epoch;
  guint lost;
  guint64 done;
  double position;
} WorkerAction;

typedef struct _WorkerLeases WorkerLeases;

/* Strings are copied. (transfer full) */
WorkerLeases *worker_leases_new (const WorkerLeasesParams *params);
void worker_leases_free (WorkerLeases *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WorkerLeases, worker_leases_free)

/* A job waits. offered: to this worker in particular. */
void worker_leases_add_job (WorkerLeases *self, const char *id, const char *job, gboolean offered,
                            gint64 now);
/* It does not wait any more. */
void worker_leases_remove_job (WorkerLeases *self, const char *id);
void worker_leases_observe (WorkerLeases *self, const char *id, const WorkerLease *lease,
                            gint64 now);
/* The broker does not have its lease any more. */
void worker_leases_clear_lease (WorkerLeases *self, const char *id);
/* A worker is gone: its leases end. */
void worker_leases_lose_worker (WorkerLeases *self, const char *worker, gint64 now);
/* A job has ended. */
void worker_leases_end (WorkerLeases *self, const char *id, gint64 now);

/* So many results of the job that this worker has are confirmed, up to that time in its file. */
void worker_leases_set_done (WorkerLeases *self, guint64 done, double position);
/* This worker has finished its job, or handed it back. */
void worker_leases_release (WorkerLeases *self);
/* Nothing is claimed from now on. */
void worker_leases_close (WorkerLeases *self);
/* The connection is new: what the broker retains will be told again. Only the job that this worker
 * has is remembered, until something else is known. */
void worker_leases_forget (WorkerLeases *self, gint64 now);

/* What to do next; called until it says nothing. */
WorkerAction worker_leases_next (WorkerLeases *self, gint64 now);

/* Text of a job; NULL: it does not wait. Valid until the next call. */
const char *worker_leases_get_job (WorkerLeases *self, const char *id);

G_END_DECLS
