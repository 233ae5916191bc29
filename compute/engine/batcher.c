/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/batcher-private.h"

#include "base/cancel.h"

/* How long a thread waits before it looks whether it was cancelled. */
#define SLICE (10 * G_TIME_SPAN_MILLISECOND)

/* So many batches of a network that fail in a row, each planned anew, are the last ones: after the
 * loss of a GPU each of its plans may fail once. */
#define MAX_FAILURES 8

typedef enum {
  SEAT_IDLE,
  SEAT_WAITS,
  SEAT_TAKEN,    /* into a batch, which is being planned */
  SEAT_GATHERED, /* its inputs are being read */
  SEAT_RUNS,
  SEAT_DONE,
  SEAT_ALONE,
} SeatState;

struct _EnsBatchSeat {
  EnsBatcher *batcher;
  EnsBatchStream *stream;
  SeatState state;
  const EnsBatchWork *work;
  guint n_frames;  /* in its batch */
  gint64 cpu;      /* its share of the processor time */
  gint64 planning; /* of the batcher's, what was over before it came */
};

/* What is known of a network's batches. */
typedef struct {
  gsize most;       /* elements of the first input that one may have; 0: there are none */
  guint n_failures; /* in a row */
} Record;

struct _EnsBatcher {
  GMutex lock;         /* guards everything below */
  GCond changed;       /* a seat's state */
  GCond has_batch;     /* or quit */
  GThread *thread;     /* NULL: there has been no batch yet */
  GHashTable *records; /* EnsNetwork to Record, of those that have failed */
  EnsBatchFormer *former;
  GPtrArray *streams; /* of the batch, for the former */
  gint64 until;       /* when the former wants to be asked again */
  gint64 free_since;  /* the last run's end */
  gint64 planning;    /* what planning has taken so far … */
  gint64 plans_since; /* … and since when it is under way; 0: it is not */
  gboolean busy;      /* something runs */
  gboolean quit;

  /* The batch. */
  GPtrArray *seats; /* in order; NULL: has left */
  guint n_left;
  GCancellable *cancellable; /* NULL: there is none to run */
  EnsBatchRun *run;          /* of the thread, from when it has a batch */
};

static gboolean
are_alike (gconstpointer a, gconstpointer b)
{
  return ens_batch_work_is_like (a, b);
}

EnsBatcher *
ens_batcher_new (void)
{
  EnsBatcher *batcher = g_new0 (EnsBatcher, 1);

  g_mutex_init (&batcher->lock);
  g_cond_init (&batcher->changed);
  g_cond_init (&batcher->has_batch);
  batcher->records = g_hash_table_new_full (NULL, NULL, (GDestroyNotify)ens_network_unref, g_free);
  batcher->former = ens_batch_former_new (are_alike);
  batcher->streams = g_ptr_array_new ();
  batcher->seats = g_ptr_array_new ();
  batcher->run = ens_batch_run_new ();
  return batcher;
}

void
ens_batcher_free (EnsBatcher *batcher)
{
  if (batcher == NULL)
    return;
  g_mutex_lock (&batcher->lock);
  batcher->quit = TRUE;
  g_cond_signal (&batcher->has_batch);
  g_mutex_unlock (&batcher->lock);
  g_clear_pointer (&batcher->thread, g_thread_join);
  ens_batch_run_free (batcher->run);
  g_ptr_array_unref (batcher->seats);
  g_ptr_array_unref (batcher->streams);
  ens_batch_former_free (batcher->former);
  g_hash_table_unref (batcher->records);
  g_cond_clear (&batcher->has_batch);
  g_cond_clear (&batcher->changed);
  g_mutex_clear (&batcher->lock);
  g_free (batcher);
}

/* ---- Who is next; lock held ---- */

static gpointer run_batches (gpointer data);

static EnsBatchSeat *
get_seat (const EnsBatcher *batcher, guint i)
{
  return g_ptr_array_index (batcher->seats, i);
}

static void
set_states (EnsBatcher *batcher, SeatState state)
{
  for (guint i = 0; i < batcher->seats->len; i++)
    if (get_seat (batcher, i) != NULL)
      get_seat (batcher, i)->state = state;
  g_cond_broadcast (&batcher->changed);
}

/* Those that the former has chosen. */
static void
start (EnsBatcher *batcher)
{
  g_ptr_array_set_size (batcher->seats, 0);
  for (guint i = 0; i < batcher->streams->len; i++)
    g_ptr_array_add (batcher->seats, ens_batch_stream_get_data (batcher->streams->pdata[i]));
  batcher->busy = TRUE;
  if (batcher->seats->len == 1) {
    set_states (batcher, SEAT_ALONE);
    return;
  }
  ens_batch_run_begin (batcher->run, get_seat (batcher, 0)->work, batcher->seats->len);
  batcher->n_left = 0;
  batcher->cancellable = g_cancellable_new ();
  set_states (batcher, SEAT_TAKEN);
  if (batcher->thread == NULL)
    batcher->thread = g_thread_new ("ensemble-batches", run_batches, batcher);
  g_cond_signal (&batcher->has_batch);
}

static void
dispatch (EnsBatcher *batcher)
{
  if (!batcher->busy
      && ens_batch_former_next (batcher->former, batcher->free_since, g_get_monotonic_time (),
                                batcher->streams, &batcher->until))
    start (batcher);
}

static void
become_free (EnsBatcher *batcher)
{
  batcher->busy = FALSE;
  batcher->free_since = g_get_monotonic_time ();
  dispatch (batcher);
  /* Those who wait must look at the new time. */
  if (!batcher->busy)
    g_cond_broadcast (&batcher->changed);
}

/* ---- The thread that runs batches ---- */

/* Lock held. */
static Record *
get_record (EnsBatcher *batcher, EnsNetwork *network)
{
  Record *record = g_hash_table_lookup (batcher->records, network);

  if (record == NULL) {
    record = g_new (Record, 1);
    *record = (Record) {.most = G_MAXSIZE};
    g_hash_table_insert (batcher->records, ens_network_ref (network), record);
  }
  return record;
}

/* Lock held. Why such batches, or such large ones, are not planned again. */
static void
refuse (EnsBatcher *batcher, const GError *reason)
{
  const guint failed = ens_batch_run_get_failed (batcher->run);
  Record *record;

  if (g_error_matches (reason, ENS_ERROR, ENS_ERROR_CANCELLED))
    return;
  g_info ("frames of %u streams are not batched: %s", batcher->seats->len, reason->message);
  record = get_record (batcher, ens_batch_run_get_network (batcher->run, failed));
  record->most = g_error_matches (reason, ENS_ERROR, ENS_ERROR_RESOURCE)
                     ? MIN (record->most, ens_batch_run_get_size (batcher->run, failed) - 1)
                     : 0;
}

/* Lock held. */
static void
note_failure (EnsBatcher *batcher, const GError *reason)
{
  if (g_error_matches (reason, ENS_ERROR, ENS_ERROR_CANCELLED))
    return;
  g_info ("a batch of several streams is run again one by one: %s", reason->message);
  for (guint p = 0; p < ens_batch_run_get_n_parts (batcher->run); p++) {
    Record *record = get_record (batcher, ens_batch_run_get_network (batcher->run, p));

    if (++record->n_failures == MAX_FAILURES)
      record->most = 0;
  }
}

/* Lock held. */
static void
note_success (EnsBatcher *batcher)
{
  for (guint p = 0; p < ens_batch_run_get_n_parts (batcher->run); p++) {
    EnsNetwork *network = ens_batch_run_get_network (batcher->run, p);
    Record *record = g_hash_table_lookup (batcher->records, network);

    if (record != NULL)
      record->n_failures = 0;
  }
}

/* Lock held, but not while it works. */
static void
gather (EnsBatcher *batcher)
{
  set_states (batcher, SEAT_GATHERED);
  g_mutex_unlock (&batcher->lock);
  for (guint i = 0; i < batcher->seats->len; i++)
    if (get_seat (batcher, i) != NULL)
      ens_batch_run_gather (batcher->run, i, get_seat (batcher, i)->work);
  g_mutex_lock (&batcher->lock);
  set_states (batcher, SEAT_RUNS);
}

/* Lock held. Time that planning has taken until now. */
static gint64
get_planning (const EnsBatcher *batcher)
{
  return batcher->planning
         + (batcher->plans_since > 0 ? g_get_monotonic_time () - batcher->plans_since : 0);
}

/* Lock held, but not while it works. */
static gboolean
plan (EnsBatcher *batcher)
{
  g_autoptr (GError) reason = NULL;
  gboolean planned;

  batcher->plans_since = g_get_monotonic_time ();
  g_mutex_unlock (&batcher->lock);
  planned = ens_batch_run_plan (batcher->run, batcher->cancellable, &reason);
  g_mutex_lock (&batcher->lock);
  batcher->planning = get_planning (batcher);
  batcher->plans_since = 0;
  if (!planned)
    refuse (batcher, reason);
  return planned;
}

/* Lock held, but not while it works. FALSE: those who are left must run alone. */
static gboolean
run_batch (EnsBatcher *batcher)
{
  g_autoptr (GError) reason = NULL;
  gboolean ran;

  gather (batcher);
  g_mutex_unlock (&batcher->lock);
  ran = ens_batch_run_go (batcher->run, batcher->cancellable, &reason);
  g_mutex_lock (&batcher->lock);
  if (ran)
    note_success (batcher);
  else
    note_failure (batcher, reason);
  return ran;
}

/* Lock held. */
static void
deal (EnsBatcher *batcher, gint64 cpu)
{
  for (guint i = 0; i < batcher->seats->len; i++) {
    EnsBatchSeat *seat = get_seat (batcher, i);

    if (seat == NULL)
      continue;
    ens_batch_run_deal (batcher->run, i, seat->work);
    seat->n_frames = batcher->seats->len;
    seat->cpu = cpu / batcher->seats->len;
  }
  set_states (batcher, SEAT_DONE);
}

/* Lock held. */
static void
put_back (EnsBatcher *batcher)
{
  for (guint i = batcher->seats->len; i-- > 0;)
    if (get_seat (batcher, i) != NULL)
      ens_batch_former_put_back (batcher->former, get_seat (batcher, i)->stream);
  set_states (batcher, SEAT_WAITS);
}

static gpointer
run_batches (gpointer data)
{
  EnsBatcher *batcher = data;

  g_mutex_lock (&batcher->lock);
  while (!batcher->quit || batcher->cancellable != NULL) {
    gint64 start_cpu;
    gboolean planned;

    if (batcher->cancellable == NULL) {
      g_cond_wait (&batcher->has_batch, &batcher->lock);
      continue;
    }
    planned = plan (batcher) && batcher->n_left < batcher->seats->len;
    start_cpu = ens_thread_pool_get_cpu_time ();
    if (planned && run_batch (batcher))
      deal (batcher, ens_thread_pool_get_cpu_time () - start_cpu);
    else
      put_back (batcher);
    ens_batch_run_end (batcher->run);
    g_clear_object (&batcher->cancellable);
    become_free (batcher);
  }
  g_mutex_unlock (&batcher->lock);
  return NULL;
}

/* ---- Seats ---- */

EnsBatchSeat *
ens_batcher_join (EnsBatcher *batcher)
{
  EnsBatchSeat *seat = g_new0 (EnsBatchSeat, 1);

  seat->batcher = batcher;
  g_mutex_lock (&batcher->lock);
  seat->stream = ens_batch_former_join (batcher->former, seat);
  g_mutex_unlock (&batcher->lock);
  return seat;
}

void
ens_batch_seat_leave (EnsBatchSeat *seat)
{
  EnsBatcher *batcher;

  if (seat == NULL)
    return;
  batcher = seat->batcher;
  g_mutex_lock (&batcher->lock);
  ens_batch_former_leave (batcher->former, seat->stream);
  dispatch (batcher);
  g_mutex_unlock (&batcher->lock);
  g_free (seat);
}

void
ens_batch_seat_begin (EnsBatchSeat *seat, const EnsBatchSettings *settings)
{
  g_mutex_lock (&seat->batcher->lock);
  ens_batch_stream_begin (seat->stream, settings);
  g_mutex_unlock (&seat->batcher->lock);
}

void
ens_batch_seat_end (EnsBatchSeat *seat)
{
  g_mutex_lock (&seat->batcher->lock);
  ens_batch_stream_end (seat->stream, g_get_monotonic_time ());
  dispatch (seat->batcher);
  g_mutex_unlock (&seat->batcher->lock);
}

/* Lock held. How many frames with this part one batch may have. */
static guint
get_most (const EnsBatcher *batcher, const EnsBatchPart *part)
{
  const Record *record = g_hash_table_lookup (batcher->records, part->network);
  const gint64 size = ens_shape_elements (&part->shapes[0]);

  if (record == NULL)
    return G_MAXUINT;
  return (guint)CLAMP (record->most / (gsize)MAX (size, 1), 1, G_MAXUINT);
}

/* Lock held. */
static void
queue_up (EnsBatchSeat *seat, const EnsBatchWork *work)
{
  EnsBatcher *batcher = seat->batcher;
  EnsBatchRequest request = {work, ens_batch_work_get_most (work), g_get_monotonic_time ()};

  for (guint p = 0; p < work->n_parts; p++)
    request.most = MIN (request.most, get_most (batcher, &work->parts[p]));
  seat->work = work;
  seat->planning = get_planning (batcher);
  seat->state = SEAT_WAITS;
  ens_batch_former_wait (batcher->former, seat->stream, &request);
}

/* Lock held. Leaves the batch, which ends when all have left. */
static void
leave_batch (EnsBatchSeat *seat)
{
  EnsBatcher *batcher = seat->batcher;

  for (guint i = 0; i < batcher->seats->len; i++)
    if (get_seat (batcher, i) == seat)
      batcher->seats->pdata[i] = NULL;
  if (++batcher->n_left == batcher->seats->len)
    g_cancellable_cancel (batcher->cancellable);
}

/* Lock held. FALSE if that must wait: what the seat's work refers to is being read. */
static gboolean
leave (EnsBatchSeat *seat)
{
  switch (seat->state) {
  case SEAT_WAITS:
    ens_batch_former_withdraw (seat->batcher->former, seat->stream);
    dispatch (seat->batcher);
    break;
  case SEAT_RUNS:
    if (seat->work->preprocessor != NULL)
      return FALSE;
    leave_batch (seat);
    break;
  case SEAT_TAKEN:
    leave_batch (seat);
    break;
  default:
    return FALSE;
  }
  seat->state = SEAT_IDLE;
  return TRUE;
}

/* Lock held. */
static gboolean
is_under_way (const EnsBatchSeat *seat)
{
  return seat->state != SEAT_DONE && seat->state != SEAT_ALONE;
}

EnsBatchOutcome
ens_batch_seat_run (EnsBatchSeat *seat, const EnsBatchWork *work, GCancellable *cancellable,
                    EnsBatchPassage *passage)
{
  EnsBatcher *batcher = seat->batcher;
  EnsBatchOutcome outcome = ENS_BATCH_CANCELLED;

  g_mutex_lock (&batcher->lock);
  queue_up (seat, work);
  dispatch (batcher);
  while (is_under_way (seat) && !(g_cancellable_is_cancelled (cancellable) && leave (seat))) {
    gint64 until = g_get_monotonic_time () + SLICE;

    if (!batcher->busy)
      until = MIN (until, batcher->until);
    g_cond_wait_until (&batcher->changed, &batcher->lock, until);
    dispatch (batcher);
  }
  if (seat->state == SEAT_DONE)
    outcome = ENS_BATCH_DONE;
  else if (seat->state == SEAT_ALONE)
    outcome = ENS_BATCH_ALONE;
  passage->n_frames = outcome == ENS_BATCH_DONE ? seat->n_frames : 1;
  passage->planning = get_planning (batcher) - seat->planning;
  g_mutex_unlock (&batcher->lock);
  if (outcome == ENS_BATCH_DONE)
    ens_thread_pool_add_cpu_time (seat->cpu);
  return outcome;
}

void
ens_batch_seat_finish (EnsBatchSeat *seat)
{
  g_mutex_lock (&seat->batcher->lock);
  seat->state = SEAT_IDLE;
  become_free (seat->batcher);
  g_mutex_unlock (&seat->batcher->lock);
}
