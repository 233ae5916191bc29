/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/queue.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "publish/spool.h"

#define GST_CAT_DEFAULT publish_debug

#define BATCH 64                                   /* messages that are under way at once */
#define CHECK_TIME (200 * G_TIME_SPAN_MILLISECOND) /* for the first attempt to open */
#define GRACE (100 * G_TIME_SPAN_MILLISECOND)      /* to notice that time is up */
#define REPORT_PERIOD (30 * G_TIME_SPAN_SECOND)    /* between two warnings of one kind */

/* A warning that is not repeated too often. */
typedef struct {
  gint64 next; /* 0: at once */
} Reminder;

struct _PublishQueue {
  gatomicrefcount references; /* the owner's and the thread's */
  PublishDestination *destination;
  GWeakRef element;
  PublishReport report;
  GCancellable *cancellable;
  int wake; /* an eventfd: there is something to do */

  GMutex lock;
  GCond changed;
  /* With the lock held. */
  GQueue memory; /* PublishRecord */
  guint64 memory_size;
  PublishState *state;
  char *source;
  PublishCounts counts; /* waiting: outside memory */
  gboolean stopping, expired, finished, tried, idle, away;
  gboolean sending; /* the queue's thread waits for the receiver */
  GError *unusable;

  /* Of the queue's thread. */
  GPtrArray *batch; /* PublishRecord: from memory, under way */
  PublishSpool *spool;
  gboolean open, stalled;
  gint64 retry_at;
  guint retry_wait; /* milliseconds */
  guint64 reported; /* of what is lost or refused */
  char *reason;     /* why messages don't arrive */
  Reminder away_reminder, lost_reminder;
  gboolean told_away;
};

PublishState *
publish_state_new (const char *source, GPtrArray *results, GstSample *event)
{
  PublishState *state = g_new (PublishState, 1);

  *state = (PublishState) {g_strdup (source), g_ptr_array_ref (results), event};
  return state;
}

void
publish_state_free (PublishState *state)
{
  g_free (state->source);
  g_ptr_array_unref (state->results);
  g_clear_pointer (&state->event, gst_sample_unref);
  g_free (state);
}

/* ---- Telling ---- */

static void
tell (PublishQueue *self, gboolean warning, const char *text)
{
  GstElement *element = g_weak_ref_get (&self->element);

  if (element == NULL)
    return;
  self->report (element, warning, text);
  gst_object_unref (element);
}

static gboolean
is_due (Reminder *reminder)
{
  gint64 now = g_get_monotonic_time ();

  if (now < reminder->next)
    return FALSE;
  reminder->next = now + REPORT_PERIOD;
  return TRUE;
}

/* For the log. */
static void
note (PublishQueue *self, const char *what)
{
  GstElement *element = g_weak_ref_get (&self->element);

  GST_INFO_OBJECT (element, "%s %s", what, self->destination->options.location);
  g_clear_pointer (&element, gst_object_unref);
}

/* `last`: no other opportunity will come. */
static void
tell_losses (PublishQueue *self, gboolean last)
{
  PublishCounts counts = publish_queue_get_counts (self);
  guint64 total = counts.lost + counts.refused;
  g_autofree char *text = NULL;

  if (total == self->reported || (!is_due (&self->lost_reminder) && !last))
    return;
  text =
      g_strdup_printf ("%s: results are being lost: %" G_GUINT64_FORMAT " so far%s%s",
                       self->destination->options.location, total, self->reason != NULL ? ": " : "",
                       self->reason != NULL ? self->reason : "");
  self->reported = total;
  tell (self, TRUE, text);
}

static void
tell_away (PublishQueue *self, const GError *error)
{
  GST_DEBUG ("%s", error->message);
  g_free (self->reason);
  self->reason = g_strdup (error->message);
  if (self->destination->quiet || self->told_away || !is_due (&self->away_reminder))
    return;
  self->told_away = TRUE;
  tell (self, TRUE, error->message);
}

static void
tell_back (PublishQueue *self)
{
  g_autofree char *text = NULL;

  g_clear_pointer (&self->reason, g_free);
  if (!self->told_away)
    return;
  self->told_away = FALSE;
  text = g_strdup_printf ("%s: results arrive again", self->destination->options.location);
  tell (self, FALSE, text);
}

/* ---- The queue's thread ---- */

static void
count_lost (PublishQueue *self, guint64 lost)
{
  g_mutex_lock (&self->lock);
  self->counts.lost += lost;
  g_mutex_unlock (&self->lock);
}

static void
set_away (PublishQueue *self, gboolean away)
{
  g_mutex_lock (&self->lock);
  self->away = away;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
close_destination (PublishQueue *self)
{
  note (self, "closing");
  self->destination->klass->close (self->destination, self->cancellable);
  self->open = FALSE;
}

/* Takes the error. */
static void
went_away (PublishQueue *self, GError *error)
{
  const PublishDestinationClass *klass = self->destination->klass;

  tell_away (self, error);
  self->stalled = self->open && g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_AGAIN);
  if (self->open && !self->stalled)
    close_destination (self);
  self->retry_at = MAX (g_get_monotonic_time () + self->retry_wait * G_TIME_SPAN_MILLISECOND,
                        self->destination->not_before);
  self->retry_wait = MIN (2 * self->retry_wait, klass->retry_max);
  set_away (self, TRUE);
  g_error_free (error);
}

/* Errors of set-up, which no waiting mends. */
static gboolean
is_unusable (const GError *error)
{
  static const GFileError codes[] = {
      G_FILE_ERROR_NOENT, G_FILE_ERROR_ACCES, G_FILE_ERROR_PERM,        G_FILE_ERROR_NOTDIR,
      G_FILE_ERROR_ISDIR, G_FILE_ERROR_ROFS,  G_FILE_ERROR_NAMETOOLONG, G_FILE_ERROR_LOOP};

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, G_FILE_ERROR, (gint)codes[i]))
      return TRUE;
  return FALSE;
}

static void
note_first_attempt (PublishQueue *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  if (!self->tried && error != NULL && is_unusable (error))
    self->unusable = g_error_copy (error);
  self->tried = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static char *
get_source (PublishQueue *self)
{
  char *source;

  g_mutex_lock (&self->lock);
  source = g_strdup (self->source);
  g_mutex_unlock (&self->lock);
  return source;
}

/* Whether messages can be sent now. */
static gboolean
ensure_open (PublishQueue *self)
{
  const PublishDestinationClass *klass = self->destination->klass;
  g_autofree char *source = get_source (self);
  GError *error = NULL;

  if (g_get_monotonic_time () < self->retry_at)
    return FALSE;
  if (self->open)
    return TRUE;
  if (klass->needs_source && source == NULL)
    return FALSE;
  self->open = klass->open (self->destination, source, self->cancellable, &error);
  note_first_attempt (self, error);
  if (!self->open) {
    went_away (self, error);
    return FALSE;
  }
  note (self, "writing to");
  self->destination->quiet = FALSE;
  set_away (self, FALSE);
  return TRUE;
}

/* Messages from memory join those that are under way. */
static void
take_from_memory (PublishQueue *self, guint n)
{
  PublishRecord *record;

  g_mutex_lock (&self->lock);
  while (self->batch->len < n && (record = g_queue_pop_head (&self->memory)) != NULL) {
    self->memory_size -= publish_record_size (record);
    g_ptr_array_add (self->batch, record);
  }
  g_mutex_unlock (&self->lock);
}

/* To the spool with all that is in memory. */
static void
keep_on_disk (PublishQueue *self)
{
  guint64 lost = 0;

  for (;;) {
    g_autoptr (GError) error = NULL;
    guint kept = 0;

    take_from_memory (self, BATCH);
    while (kept < self->batch->len
           && publish_spool_push (self->spool, self->batch->pdata[kept], &lost, &error))
      kept++;
    if (kept > 0)
      g_ptr_array_remove_range (self->batch, 0, kept);
    if (error != NULL)
      tell_away (self, error);
    if (error != NULL || kept == 0)
      break;
  }
  count_lost (self, lost);
}

static void
account (PublishQueue *self, const PublishDelivery *delivery)
{
  if (delivery->reason != NULL) {
    g_free (self->reason);
    self->reason = g_strdup (delivery->reason->message);
  }
  g_mutex_lock (&self->lock);
  self->counts.sent += delivery->done - delivery->refused;
  self->counts.refused += delivery->refused;
  g_mutex_unlock (&self->lock);
  if (delivery->done == 0)
    return;
  self->stalled = FALSE;
  self->retry_wait = self->destination->klass->retry_min;
  set_away (self, FALSE);
  if (delivery->reason == NULL)
    tell_back (self);
}

static guint64
count_waiting (PublishQueue *self)
{
  guint64 waiting = self->batch->len;

  if (self->spool != NULL)
    waiting += publish_spool_get_length (self->spool);
  g_mutex_lock (&self->lock);
  self->counts.waiting = waiting;
  waiting += g_queue_get_length (&self->memory);
  self->idle = waiting == 0 && self->state == NULL;
  if (self->idle)
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return waiting;
}

/* A receiver that does not answer is given up when memory fills and there is a spool. */
static void
set_sending (PublishQueue *self, gboolean sending)
{
  g_mutex_lock (&self->lock);
  self->sending = sending && self->spool != NULL;
  if (sending && !self->expired)
    g_cancellable_reset (self->cancellable);
  g_mutex_unlock (&self->lock);
}

/* Messages that wait on disk are older than those in memory. */
static void
deliver (PublishQueue *self)
{
  const PublishDestinationClass *klass = self->destination->klass;
  g_autoptr (GPtrArray) spooled = NULL;
  PublishDelivery delivery = {0};
  GPtrArray *records = self->batch;
  GError *error = NULL;
  guint64 lost = 0;

  if (self->spool != NULL && publish_spool_get_length (self->spool) > 0) {
    keep_on_disk (self);
    records = spooled = publish_spool_peek (self->spool, BATCH, &lost);
    count_lost (self, lost);
  } else {
    take_from_memory (self, BATCH);
  }
  if (records->len == 0)
    return;
  count_waiting (self);
  set_sending (self, TRUE);
  klass->send (self->destination, (PublishRecord *const *)records->pdata, records->len, &delivery,
               self->cancellable, &error);
  set_sending (self, FALSE);
  account (self, &delivery);
  g_clear_error (&delivery.reason);
  if (spooled != NULL)
    publish_spool_drop (self->spool, delivery.done);
  else if (delivery.done > 0)
    g_ptr_array_remove_range (self->batch, 0, delivery.done);
  if (error != NULL)
    went_away (self, error);
}

static void
deliver_state (PublishQueue *self)
{
  const PublishDestinationClass *klass = self->destination->klass;
  PublishState *state;
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  state = g_steal_pointer (&self->state);
  g_mutex_unlock (&self->lock);
  if (state == NULL)
    return;
  if (!klass->set_state (self->destination, state, self->cancellable, &error))
    went_away (self, error);
  publish_state_free (state);
}

/* Milliseconds; -1: until somebody wakes the thread. */
static gint
get_timeout (PublishQueue *self, guint64 waiting)
{
  PublishCounts counts = publish_queue_get_counts (self);
  gint64 until = G_MAXINT64, now = g_get_monotonic_time ();

  if (self->open && !self->stalled && waiting > 0)
    return 0;
  if (!self->open || self->stalled)
    until = MAX (self->retry_at, now + 1);
  if (!self->open && self->destination->klass->needs_source && !self->away)
    until = G_MAXINT64;
  if (self->reported < counts.lost + counts.refused)
    until = MIN (until, self->lost_reminder.next);
  if (until == G_MAXINT64)
    return -1;
  return (gint)((MAX (until - now, 0) + 999) / G_TIME_SPAN_MILLISECOND);
}

static void
wait_for_work (PublishQueue *self)
{
  const PublishDestinationClass *klass = self->destination->klass;
  gint timeout = get_timeout (self, count_waiting (self));
  GPollFD wake = {self->wake, G_IO_IN, 0};
  GError *error = NULL;
  uint64_t drained;

  if (self->open && klass->wait != NULL) {
    if (!klass->wait (self->destination, &wake, timeout, &error))
      went_away (self, error);
  } else if (timeout != 0) {
    g_poll (&wake, 1, timeout);
  }
  if (read (self->wake, &drained, sizeof drained) < 0)
    return; /* nobody woke it */
}

static gboolean
is_over (PublishQueue *self)
{
  guint64 waiting = count_waiting (self);
  gboolean over;

  g_mutex_lock (&self->lock);
  over = self->expired || self->away || (waiting == 0 && self->state == NULL);
  over = over && self->stopping;
  g_mutex_unlock (&self->lock);
  return over;
}

static void
open_spool (PublishQueue *self)
{
  const PublishOptions *options = &self->destination->options;
  g_autoptr (GError) error = NULL;

  if (options->spool == NULL)
    return;
  self->spool = publish_spool_open (options->spool, options->spool_size, &error);
  if (self->spool != NULL)
    return;
  g_mutex_lock (&self->lock);
  self->unusable = g_error_copy (error);
  self->tried = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  tell (self, TRUE, error->message);
}

/* What was not sent is kept, or counted as lost. */
static void
finish (PublishQueue *self)
{
  if (self->spool != NULL)
    keep_on_disk (self);
  take_from_memory (self, G_MAXUINT);
  count_lost (self, self->batch->len);
  g_ptr_array_set_size (self->batch, 0);
  if (self->open)
    close_destination (self);
  tell_losses (self, TRUE);
  g_clear_pointer (&self->spool, publish_spool_close);
  g_mutex_lock (&self->lock);
  self->finished = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
unref (PublishQueue *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  publish_destination_free (self->destination);
  g_weak_ref_clear (&self->element);
  g_object_unref (self->cancellable);
  close (self->wake);
  g_queue_clear_full (&self->memory, (GDestroyNotify)publish_record_free);
  g_clear_pointer (&self->state, publish_state_free);
  g_clear_error (&self->unusable);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_ptr_array_unref (self->batch);
  g_free (self->source);
  g_free (self->reason);
  g_free (self);
}

/* A reader that has gone, and a file that may not grow, are errors to report; their signals would
 * end the process. */
static void
block_signals (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  sigaddset (&signals, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
}

static gpointer
run (gpointer data)
{
  PublishQueue *self = data;

  block_signals ();
  open_spool (self);
  while (!is_over (self)) {
    if (ensure_open (self))
      deliver_state (self);
    if (self->open && g_get_monotonic_time () >= self->retry_at)
      deliver (self);
    if (self->spool != NULL && (!self->open || self->stalled))
      keep_on_disk (self);
    tell_losses (self, FALSE);
    if (!is_over (self))
      wait_for_work (self);
  }
  finish (self);
  unref (self);
  return NULL;
}

/* ---- Other threads ---- */

static void
wake (PublishQueue *self)
{
  uint64_t one = 1;

  if (write (self->wake, &one, sizeof one) != sizeof one)
    GST_DEBUG ("the thread is awake already");
}

PublishQueue *
publish_queue_new (PublishDestination *destination, GstElement *element, PublishReport report)
{
  PublishQueue *self = g_new0 (PublishQueue, 1);

  g_atomic_ref_count_init (&self->references);
  g_atomic_ref_count_inc (&self->references);
  self->destination = destination;
  g_weak_ref_init (&self->element, element);
  self->report = report;
  self->cancellable = g_cancellable_new ();
  self->wake = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->memory);
  self->batch = g_ptr_array_new_with_free_func ((GDestroyNotify)publish_record_free);
  self->retry_wait = destination->klass->retry_min;
  g_thread_unref (g_thread_new ("publish", run, self));
  return self;
}

gboolean
publish_queue_check (PublishQueue *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + CHECK_TIME;
  gboolean usable;

  g_mutex_lock (&self->lock);
  while (!self->tried && !self->destination->klass->needs_source
         && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  usable = self->unusable == NULL;
  if (!usable)
    g_propagate_error (error, g_error_copy (self->unusable));
  g_mutex_unlock (&self->lock);
  return usable;
}

/* With the lock held. */
static void
wait_finished (PublishQueue *self, gint64 time)
{
  gint64 until = g_get_monotonic_time () + time;

  while (!self->finished && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
}

void
publish_queue_stop (PublishQueue *self, guint64 timeout)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  wake (self);
  wait_finished (self, self->away ? 0 : (gint64)(timeout / 1000));
  if (!self->finished) {
    self->expired = TRUE;
    g_mutex_unlock (&self->lock);
    g_cancellable_cancel (self->cancellable);
    wake (self);
    g_mutex_lock (&self->lock);
    wait_finished (self, GRACE);
  }
  g_mutex_unlock (&self->lock);
  unref (self);
}

void
publish_queue_drain (PublishQueue *self, guint64 timeout)
{
  gint64 until = g_get_monotonic_time () + (gint64)(timeout / 1000);

  g_mutex_lock (&self->lock);
  while (!self->idle && !self->away && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
}

void
publish_queue_set_source (PublishQueue *self, const char *source)
{
  g_mutex_lock (&self->lock);
  g_free (self->source);
  self->source = g_strdup (source);
  g_mutex_unlock (&self->lock);
  wake (self);
}

void
publish_queue_push (PublishQueue *self, PublishRecord *record)
{
  guint64 limit = self->destination->options.queue_size;
  gboolean hurry;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->memory, record);
  self->memory_size += publish_record_size (record);
  self->idle = FALSE;
  while (self->memory_size > limit) {
    PublishRecord *oldest = g_queue_pop_head (&self->memory);

    self->memory_size -= publish_record_size (oldest);
    self->counts.lost++;
    publish_record_free (oldest);
  }
  hurry = self->sending && self->memory_size > limit / 2;
  self->sending &= !hurry;
  g_mutex_unlock (&self->lock);
  if (hurry)
    g_cancellable_cancel (self->cancellable);
  wake (self);
}

gboolean
publish_queue_wants_state (PublishQueue *self)
{
  return self->destination->klass->set_state != NULL;
}

/* The picture of an event waits for the receiver, other states make room for newer ones. */
void
publish_queue_set_state (PublishQueue *self, PublishState *state)
{
  PublishState *older;

  g_mutex_lock (&self->lock);
  older = g_steal_pointer (&self->state);
  if (older != NULL && state->event == NULL)
    state->event = g_steal_pointer (&older->event);
  self->state = state;
  self->idle = FALSE;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&older, publish_state_free);
  wake (self);
}

PublishCounts
publish_queue_get_counts (PublishQueue *self)
{
  PublishCounts counts;

  g_mutex_lock (&self->lock);
  counts = self->counts;
  counts.waiting += g_queue_get_length (&self->memory);
  g_mutex_unlock (&self->lock);
  return counts;
}
