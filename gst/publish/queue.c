/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "publish/queue-private.h"

#define GST_CAT_DEFAULT publish_debug

#define CHECK_TIME (200 * G_TIME_SPAN_MILLISECOND) /* for the first attempt to open */
#define GRACE (100 * G_TIME_SPAN_MILLISECOND)      /* to notice that time is up */

void
publish_queue_unref (PublishQueue *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  publish_destination_free (self->destination);
  publish_teller_clear (&self->teller);
  g_object_unref (self->cancellable);
  if (self->wake >= 0)
    close (self->wake);
  g_queue_clear_full (&self->memory, (GDestroyNotify)publish_record_free);
  g_clear_pointer (&self->state, publish_state_free);
  g_clear_error (&self->unusable);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_ptr_array_unref (self->batch);
  g_free (self->source);
  g_free (self);
}

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
  self->destination = destination;
  publish_teller_init (&self->teller, element, report, destination->options.location);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->memory);
  self->batch = g_ptr_array_new_with_free_func ((GDestroyNotify)publish_record_free);
  self->retry_wait = destination->klass->retry_min;
  self->wake = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  self->finished = self->spool_tried = self->tried = self->wake < 0;
  if (self->wake < 0) {
    g_set_error (&self->unusable, G_FILE_ERROR, (gint)g_file_error_from_errno (errno),
                 "%s: no eventfd: %s", destination->options.location, g_strerror (errno));
    return self;
  }
  g_atomic_ref_count_inc (&self->references);
  g_thread_unref (g_thread_new ("publish", publish_sender_run, self));
  return self;
}

gboolean
publish_queue_check (PublishQueue *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + CHECK_TIME;
  gboolean usable;

  g_mutex_lock (&self->lock);
  while ((!self->spool_tried || (!self->tried && !self->destination->klass->needs_source))
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

/* With the lock held. */
static PublishCounts
get_counts (PublishQueue *self)
{
  PublishCounts counts = self->counts;

  counts.waiting += g_queue_get_length (&self->memory);
  return counts;
}

PublishCounts
publish_queue_stop (PublishQueue *self, guint64 timeout)
{
  PublishCounts counts;

  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  wake (self);
  wait_finished (self, self->away ? 0 : MAX ((gint64)(timeout / 1000) - self->drained, 0));
  if (!self->finished) {
    self->expired = TRUE;
    g_cancellable_cancel (self->cancellable);
    wake (self);
    wait_finished (self, GRACE);
  }
  counts = get_counts (self);
  g_mutex_unlock (&self->lock);
  publish_queue_unref (self);
  return counts;
}

void
publish_queue_drain (PublishQueue *self, guint64 timeout)
{
  const gint64 start = g_get_monotonic_time ();
  const gint64 until = start + (gint64)(timeout / 1000);

  g_mutex_lock (&self->lock);
  while (!self->idle && !self->away && !self->flushing
         && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  self->drained += g_get_monotonic_time () - start;
  g_mutex_unlock (&self->lock);
}

void
publish_queue_set_flushing (PublishQueue *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->changed);
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

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->memory, record);
  self->memory_size += publish_record_size (record);
  self->idle = FALSE;
  self->drained = 0;
  while (self->memory_size > limit) {
    PublishRecord *oldest = g_queue_pop_head (&self->memory);

    self->memory_size -= publish_record_size (oldest);
    self->counts.lost++;
    publish_record_free (oldest);
  }
  if (self->hurries && self->memory_size > limit / 2) {
    self->hurries = FALSE;
    g_cancellable_cancel (self->cancellable);
  }
  g_mutex_unlock (&self->lock);
  wake (self);
}

gboolean
publish_queue_wants_state (PublishQueue *self)
{
  return self->destination->klass->set_state != NULL;
}

/* The picture of an event waits for the receiver, and so does the latest result of each ensemble;
 * others make room for newer ones. */
static void
merge_states (PublishState *state, PublishState *older)
{
  for (guint o = 0; o < older->results->len; o++) {
    const EnsResult *result = older->results->pdata[o];
    gboolean newer = FALSE;

    for (guint r = 0; r < state->results->len; r++)
      newer |=
          g_strcmp0 (((const EnsResult *)state->results->pdata[r])->bundle, result->bundle) == 0;
    if (!newer)
      g_ptr_array_add (state->results, ens_result_ref (older->results->pdata[o]));
  }
  if (state->event == NULL)
    state->event = g_steal_pointer (&older->event);
}

void
publish_queue_set_state (PublishQueue *self, PublishState *state)
{
  PublishState *older;

  g_mutex_lock (&self->lock);
  older = g_steal_pointer (&self->state);
  if (older != NULL)
    merge_states (state, older);
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
  counts = get_counts (self);
  g_mutex_unlock (&self->lock);
  return counts;
}
