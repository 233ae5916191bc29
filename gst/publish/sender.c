/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "base/error.h"
#include "publish/queue-private.h"

#define GST_CAT_DEFAULT publish_debug

#define BATCH 64                                    /* messages that are under way at once */
#define SPOOL_PATIENCE (5 * G_TIME_SPAN_SECOND)     /* with the one that had the folder before */
#define SPOOL_POLL (20 * G_TIME_SPAN_MILLISECOND)   /* meanwhile */
#define SPOOL_RETRY_PERIOD (1 * G_TIME_SPAN_SECOND) /* later */

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

/* ---- Calls of the destination ---- */

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
    self->spool_fails = error != NULL;
    if (error != NULL)
      publish_tell_warning (&self->teller, PUBLISH_TELL_SPOOL, error->message);
    if (error != NULL || kept == 0)
      break;
  }
  count_lost (self, lost);
}

/* A receiver that is slow to answer is no reason to lose messages. */
static void
make_room (PublishQueue *self)
{
  gboolean full;

  g_mutex_lock (&self->lock);
  full = self->memory_size > self->destination->options.queue_size / 4;
  g_mutex_unlock (&self->lock);
  if (self->spool != NULL && full)
    keep_on_disk (self);
}

/* A receiver that does not answer is given up when memory fills and there is a spool. That was
 * about one call: the next one has another cancellable, unless time is up. */
static GCancellable *
begin_call (PublishQueue *self)
{
  g_mutex_lock (&self->lock);
  if (g_cancellable_is_cancelled (self->cancellable) && !self->expired) {
    g_object_unref (self->cancellable);
    self->cancellable = g_cancellable_new ();
  }
  self->hurries = self->spool != NULL && !self->spool_fails;
  g_mutex_unlock (&self->lock);
  return self->cancellable;
}

/* error: of the call; NULL: it has none. */
static void
end_call (PublishQueue *self, GError **error)
{
  gboolean cancelled;

  g_mutex_lock (&self->lock);
  self->hurries = FALSE;
  cancelled = g_cancellable_is_cancelled (self->cancellable);
  g_mutex_unlock (&self->lock);
  if (cancelled && error != NULL && *error != NULL) {
    g_clear_error (error);
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: does not answer%s",
                 self->destination->options.location,
                 self->spool != NULL ? "; messages go to the spool" : "");
  }
  if (self->destination->notice != NULL)
    publish_tell_warning (&self->teller, PUBLISH_TELL_NOTICE, self->destination->notice);
  g_clear_pointer (&self->destination->notice, g_free);
}

static void
close_destination (PublishQueue *self)
{
  publish_tell_log (&self->teller, "closing");
  make_room (self);
  self->destination->klass->close (self->destination, begin_call (self));
  end_call (self, NULL);
  self->open = FALSE;
}

/* Takes the error. */
static void
went_away (PublishQueue *self, GError *error)
{
  const PublishDestinationClass *klass = self->destination->klass;

  publish_tell_away (&self->teller, error, self->destination->quiet);
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
  make_room (self);
  self->open = klass->open (self->destination, source, begin_call (self), &error);
  end_call (self, &error);
  note_first_attempt (self, error);
  if (!self->open) {
    went_away (self, error);
    return FALSE;
  }
  publish_tell_log (&self->teller, "writing to");
  self->destination->quiet = FALSE;
  set_away (self, FALSE);
  return TRUE;
}

static void
account (PublishQueue *self, const PublishDelivery *delivery)
{
  if (delivery->reason != NULL)
    publish_tell_refused (&self->teller, delivery->reason);
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
    publish_tell_back (&self->teller);
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

  if (self->spool_pending)
    return;
  make_room (self);
  if (self->spool != NULL && publish_spool_get_length (self->spool) > 0) {
    keep_on_disk (self);
    records = spooled = publish_spool_peek (self->spool, BATCH, &lost, &error);
    count_lost (self, lost);
  } else {
    take_from_memory (self, BATCH);
  }
  if (error != NULL)
    went_away (self, error);
  if (records->len == 0)
    return;
  count_waiting (self);
  klass->send (self->destination, (PublishRecord *const *)records->pdata, records->len, &delivery,
               begin_call (self), &error);
  end_call (self, &error);
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
  make_room (self);
  klass->set_state (self->destination, state, begin_call (self), &error);
  end_call (self, &error);
  if (error != NULL)
    went_away (self, error);
  publish_state_free (state);
}

/* Milliseconds; -1: until somebody wakes the thread. */
static gint
get_timeout (PublishQueue *self, guint64 waiting)
{
  PublishCounts counts = publish_queue_get_counts (self);
  gint64 until = G_MAXINT64, now = g_get_monotonic_time ();

  if (self->open && !self->stalled && waiting > 0 && !self->spool_pending)
    return 0;
  if (!self->open || self->stalled)
    until = MAX (self->retry_at, now + 1);
  if (!self->open && self->destination->klass->needs_source && !self->away)
    until = G_MAXINT64;
  if (self->spool == NULL && self->destination->options.spool != NULL)
    until = MIN (until, self->spool_at);
  until = MIN (until, publish_tell_losses_time (&self->teller, counts.lost + counts.refused));
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

/* Of the first attempt: an error of set-up, such as no permission, is the element's; a full disk,
 * or another process that has the folder, may be over later. */
static void
note_spool (PublishQueue *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  if (!self->spool_tried && error != NULL && is_unusable (error))
    self->unusable = g_error_copy (error);
  self->spool_tried = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* The queue that had the folder before may need it for a moment; its messages come first. */
static void
try_spool (PublishQueue *self)
{
  const PublishOptions *options = &self->destination->options;
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  gboolean busy;

  if (options->spool == NULL || self->spool != NULL || now < self->spool_at)
    return;
  self->spool = publish_spool_open (options->spool, options->spool_size, &error);
  busy = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  self->spool_pending = busy && now < self->spool_patience;
  self->spool_at = now + (self->spool_pending ? SPOOL_POLL : SPOOL_RETRY_PERIOD);
  if (error != NULL && !self->spool_pending)
    publish_tell_warning (&self->teller, PUBLISH_TELL_SPOOL, error->message);
  note_spool (self, error);
}

static void
tell_losses (PublishQueue *self, gboolean last)
{
  PublishCounts counts = publish_queue_get_counts (self);

  publish_tell_losses (&self->teller, counts.lost + counts.refused, last);
}

/* What was not sent is kept, or counted as lost. The next queue may have the spool before the
 * destination is closed, which takes its time. */
static void
finish (PublishQueue *self)
{
  try_spool (self);
  while (self->spool_pending) {
    g_usleep (SPOOL_POLL);
    try_spool (self);
  }
  if (self->spool != NULL)
    keep_on_disk (self);
  take_from_memory (self, G_MAXUINT);
  count_lost (self, self->batch->len);
  g_ptr_array_set_size (self->batch, 0);
  count_waiting (self);
  g_clear_pointer (&self->spool, publish_spool_close);
  if (self->open)
    close_destination (self);
  tell_losses (self, TRUE);
  g_mutex_lock (&self->lock);
  self->finished = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
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

gpointer
publish_sender_run (gpointer data)
{
  PublishQueue *self = data;

  block_signals ();
  self->spool_patience = g_get_monotonic_time () + SPOOL_PATIENCE;
  while (!is_over (self)) {
    try_spool (self);
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
  publish_queue_unref (self);
  return NULL;
}
