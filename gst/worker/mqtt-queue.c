/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs by MQTT 5: the topics are in README.md, who has which job decides leases.c. */
#include <string.h>

#include "base/error.h"
#include "publish/mqtt-connection.h"
#include "worker/queue.h"

#define MAX_LOST 3
#define GOODBYE_TIME G_TIME_SPAN_SECOND

enum { OFFERS = 1, JOBS, LEASES, ENDS, WORKERS };

typedef struct {
  WorkerQueue parent;
  PublishOptions options;
  char *group;
  gint64 lease, keep;
  PublishConnection connection;
  WorkerLeases *leases;

  char *job; /* its id; NULL: none */
  guint64 epoch, done;
  guint lost;
  double position;
} MqttQueue;

/* ---- What comes ---- */

/* The text behind TOPIC/KIND/. NULL: it is of another kind. */
static const char *
match (const MqttQueue *self, const char *topic, const char *kind)
{
  gsize prefix = strlen (self->options.topic), length = strlen (kind);

  if (strncmp (topic, self->options.topic, prefix) != 0 || topic[prefix] != '/'
      || strncmp (topic + prefix + 1, kind, length) != 0 || topic[prefix + 1 + length] != '/')
    return NULL;
  return topic + prefix + length + 2;
}

static void
receive_lease (MqttQueue *self, const char *topic, const char *id, const char *text, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *worker = NULL;
  WorkerLease lease;

  if (*text == '\0')
    worker_leases_clear_lease (self->leases, id);
  else if (worker_parse_lease (topic, text, &lease, &worker, &error))
    worker_leases_observe (self->leases, id, &lease, now);
  else
    g_printerr ("%s\n", error->message);
}

static void
receive (const PublishMessage *message, guint32 subscriptions, gpointer data)
{
  MqttQueue *self = data;
  /* An empty message has no payload at all. */
  g_autofree char *text = g_strndup (message->size > 0 ? message->payload : "", message->size);
  gint64 now = g_get_monotonic_time ();
  const char *id;

  if ((id = match (self, message->topic, "job")) != NULL && *text != '\0')
    worker_leases_add_job (self->leases, id, text, (subscriptions & 1U << OFFERS) != 0, now);
  else if (id != NULL)
    worker_leases_remove_job (self->leases, id);
  else if ((id = match (self, message->topic, "lease")) != NULL)
    receive_lease (self, message->topic, id, text, now);
  else if ((id = match (self, message->topic, "end")) != NULL && *text != '\0')
    worker_leases_end (self->leases, id, now);
  else if ((id = match (self, message->topic, "worker")) != NULL)
    worker_leases_lose_worker (self->leases, id, now);
}

/* ---- The connection ---- */

static gboolean
wait_answered (MqttQueue *self, GCancellable *cancellable, GError **error)
{
  return publish_connection_wait (&self->connection, (gint64)(self->options.timeout / 1000),
                                  cancellable, error);
}

static gboolean
subscribe (MqttQueue *self, guint identifier, const char *prefix, const char *kind, GError **error)
{
  g_autofree char *filter = g_strdup_printf ("%s%s/%s/+", prefix, self->options.topic, kind);

  return publish_connection_subscribe (&self->connection, filter, identifier, error);
}

/* Ends and leases first, so that nobody claims what has an owner. */
static gboolean
subscribe_all (MqttQueue *self, GCancellable *cancellable, GError **error)
{
  g_autofree char *share = g_strdup_printf ("$share/%s/", self->group);

  publish_connection_begin (&self->connection);
  return subscribe (self, ENDS, "", "end", error) && subscribe (self, LEASES, "", "lease", error)
         && subscribe (self, WORKERS, "", "worker", error)
         && subscribe (self, JOBS, "", "job", error)
         && subscribe (self, OFFERS, share, "job", error)
         && wait_answered (self, cancellable, error);
}

static gboolean
open_mqtt (WorkerQueue *queue, GCancellable *cancellable, GError **error)
{
  MqttQueue *self = (MqttQueue *)queue;
  g_autofree char *will =
      g_strdup_printf ("%s/worker/%s", self->options.topic, self->connection.client_id);

  worker_leases_forget (self->leases, g_get_monotonic_time ());
  if (publish_connection_open (&self->connection, will, FALSE, cancellable, error)
      && subscribe_all (self, cancellable, error))
    return TRUE;
  publish_connection_close (&self->connection);
  return FALSE;
}

/* Without goodbye: the last will frees what this worker may have claimed. */
static void
close_mqtt (WorkerQueue *queue)
{
  publish_connection_close (&((MqttQueue *)queue)->connection);
}

static gboolean
wait_mqtt (WorkerQueue *queue, GPollFD *wake, gint timeout, GCancellable *cancellable,
           GError **error)
{
  PublishConnection *connection = &((MqttQueue *)queue)->connection;

  return publish_connection_turn (connection, wake, timeout, cancellable)
         || publish_connection_fail (connection, "the connection is lost", error);
}

/* ---- What is published ---- */

static gboolean
publish (MqttQueue *self, const char *kind, const char *id, const char *text, gboolean retain,
         guint32 expiry, GError **error)
{
  g_autofree char *topic = g_strdup_printf ("%s/%s/%s", self->options.topic, kind, id);

  return publish_connection_send (
      &self->connection, &(PublishMessage) {topic, text, strlen (text), retain, expiry}, error);
}

static gboolean
publish_lease (MqttQueue *self, const char *id, WorkerLeaseState state, GError **error)
{
  g_autofree char *text = worker_format_lease (
      id, &(WorkerLease) {state, self->connection.client_id, self->epoch, self->lost, self->done,
                          self->position, self->lease});

  return publish (self, "lease", id, text, state != WORKER_LEASE_CLAIMED, 0, error);
}

static gboolean
wait_confirmed (MqttQueue *self, GError **error)
{
  if (!wait_answered (self, NULL, error))
    return FALSE;
  for (guint i = 0; i < self->connection.deliveries->len; i++) {
    const char *refusal = publish_connection_get_refusal (&self->connection, i);

    if (refusal == NULL)
      continue;
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s: the broker refuses a message: %s",
                 self->options.location, refusal);
    return FALSE;
  }
  return TRUE;
}

/* The end is kept before the job is cleared: a job is never without one of both. */
static gboolean
publish_end (MqttQueue *self, const char *id, guint64 n, const char *reason, GError **error)
{
  WorkerStamp stamp = {id, self->connection.client_id, self->epoch};
  g_autofree char *text = worker_format_end (&stamp, n, reason);

  publish_connection_begin (&self->connection);
  return publish (self, "end", id, text, TRUE, (guint32)(self->keep / G_TIME_SPAN_SECOND), error)
         && wait_confirmed (self, error) && publish (self, "job", id, "", TRUE, 0, error)
         && publish (self, "lease", id, "", TRUE, 0, error) && wait_confirmed (self, error);
}

static gboolean
clear_lease (MqttQueue *self, const char *id, GError **error)
{
  publish_connection_begin (&self->connection);
  return publish (self, "lease", id, "", TRUE, 0, error);
}

static gboolean
clear (MqttQueue *self, const char *id, GError **error)
{
  publish_connection_begin (&self->connection);
  return publish (self, "job", id, "", TRUE, 0, error)
         && publish (self, "lease", id, "", TRUE, 0, error) && wait_confirmed (self, error);
}

/* ---- Orders ---- */

static void
take_lease (MqttQueue *self, const WorkerAction *action)
{
  self->epoch = action->epoch;
  self->lost = action->lost;
  self->done = action->done;
  self->position = action->position;
}

static gboolean
give_up (MqttQueue *self, const WorkerAction *action, GError **error)
{
  g_autofree char *id = g_strdup (action->id);
  g_autofree char *reason =
      g_strdup_printf ("given up: %u workers vanished while they had it", action->lost);

  take_lease (self, action);
  return publish_end (self, id, action->done, reason, error);
}

static void
start (MqttQueue *self, const WorkerAction *action, WorkerOrder *order)
{
  take_lease (self, action);
  g_free (self->job);
  self->job = g_strdup (action->id);
  *order = (WorkerOrder) {WORKER_ORDER_START, self->job,
                          worker_leases_get_job (self->leases, self->job), action->done};
}

static void
stop (MqttQueue *self, WorkerOrder *order)
{
  g_clear_pointer (&self->job, g_free);
  *order = (WorkerOrder) {WORKER_ORDER_STOP};
}

/* An action's id may be gone once something was waited for. What is to stop does, whether its lease
 * can be cleared or not. */
static gboolean
carry_out (MqttQueue *self, const WorkerAction *action, WorkerOrder *order, GError **error)
{
  g_autofree char *id = g_strdup (action->id);

  switch (action->kind) {
  case WORKER_NOTHING:
    return TRUE;
  case WORKER_CLAIM:
    take_lease (self, action);
    publish_connection_begin (&self->connection);
    return publish_lease (self, id, WORKER_LEASE_CLAIMED, error);
  case WORKER_START:
    start (self, action, order);
    return TRUE;
  case WORKER_RENEW:
    publish_connection_begin (&self->connection);
    return publish_lease (self, id, WORKER_LEASE_HELD, error);
  case WORKER_ABANDON:
    stop (self, order);
    return TRUE;
  case WORKER_DROP:
    stop (self, order);
    clear_lease (self, id, NULL);
    return TRUE;
  case WORKER_GIVE_UP:
    return give_up (self, action, error);
  case WORKER_CLEAR:
    return clear (self, id, error);
  case WORKER_CLEAR_LEASE:
    return clear_lease (self, id, error);
  }
  g_assert_not_reached ();
}

static gboolean
next (WorkerQueue *queue, WorkerOrder *order, GError **error)
{
  MqttQueue *self = (MqttQueue *)queue;

  *order = (WorkerOrder) {WORKER_ORDER_NONE};
  while (order->kind == WORKER_ORDER_NONE) {
    WorkerAction action = worker_leases_next (self->leases, g_get_monotonic_time ());

    if (action.kind == WORKER_NOTHING)
      break;
    if (!carry_out (self, &action, order, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
send_results (WorkerQueue *queue, WorkerResult *const *results, guint n, GError **error)
{
  MqttQueue *self = (MqttQueue *)queue;
  WorkerStamp stamp = {self->job, self->connection.client_id, self->epoch};

  publish_connection_begin (&self->connection);
  for (guint i = 0; i < n; i++) {
    g_autofree char *text = worker_format_result (&stamp, results[i]->sequence, results[i]->result);

    if (!publish (self, "result", self->job, text, FALSE, 0, error))
      return FALSE;
  }
  if (!wait_confirmed (self, error))
    return FALSE;
  self->done = results[n - 1]->sequence + 1;
  self->position = results[n - 1]->position;
  worker_leases_set_done (self->leases, self->done, self->position);
  return TRUE;
}

static void
release (MqttQueue *self)
{
  worker_leases_release (self->leases);
  g_clear_pointer (&self->job, g_free);
}

static gboolean
end (WorkerQueue *queue, guint64 n, const char *reason, GError **error)
{
  MqttQueue *self = (MqttQueue *)queue;

  if (!publish_end (self, self->job, n, reason, error))
    return FALSE;
  release (self);
  return TRUE;
}

static gboolean
hand_back (WorkerQueue *queue, GError **error)
{
  MqttQueue *self = (MqttQueue *)queue;

  worker_leases_close (self->leases);
  publish_connection_begin (&self->connection);
  if (!publish_lease (self, self->job, WORKER_LEASE_FREE, error)
      || !publish_connection_wait (&self->connection, GOODBYE_TIME, NULL, error))
    return FALSE;
  release (self);
  return TRUE;
}

/* ---- Making one ---- */

static void
free_mqtt (WorkerQueue *queue)
{
  MqttQueue *self = (MqttQueue *)queue;

  publish_connection_close (&self->connection);
  publish_connection_clear (&self->connection);
  g_clear_pointer (&self->leases, worker_leases_free);
  publish_options_clear (&self->options);
  g_free (self->group);
  g_free (self->job);
  g_free (self);
}

static const WorkerQueueClass mqtt_class = {
    .open = open_mqtt,
    .wait = wait_mqtt,
    .next = next,
    .send = send_results,
    .end = end,
    .hand_back = hand_back,
    .close = close_mqtt,
    .free = free_mqtt,
};

/* Idle workers don't all claim what was left at once. */
static gint64
choose_grace (void)
{
  return g_random_int_range (G_TIME_SPAN_SECOND, 2 * G_TIME_SPAN_SECOND);
}

WorkerQueue *
worker_mqtt_queue_new (const WorkerQueueParams *params, GError **error)
{
  PublishAddress address;
  MqttQueue *self;

  if (!publish_address_parse (params->publish->location, 1883, 8883, &address, error))
    return NULL;
  self = g_new0 (MqttQueue, 1);
  self->parent.klass = &mqtt_class;
  publish_options_copy (params->publish, &self->options);
  self->options.qos = 1;
  self->group = g_strdup (params->group);
  self->lease = params->lease;
  self->keep = params->keep;
  publish_connection_init (&self->connection, &self->options, address);
  self->connection.receive = receive;
  self->connection.receive_data = self;
  self->leases = worker_leases_new (&(WorkerLeasesParams) {
      self->connection.client_id, params->lease, choose_grace (), params->keep, MAX_LOST});
  return &self->parent;
}
