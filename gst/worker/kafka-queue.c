/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs from Kafka: a consumer group, which commits a job when Kafka has its end. What is said of
 * jobs goes through the destination that results of cameras go through.
 *
 * Partitions are assigned by range: "cooperative-sticky", which would leave partitions where they
 * are, aborts the program in librdkafka before 2.3 when it is closed before its first assignment.
 *
 * Source: librdkafka's CONFIGURATION.md. */
#include <string.h>

#include "base/error.h"
#include "publish/destination.h"
#include "publish/kafka-settings.h"
#include "worker/queue.h"

#define POLL_MS 100                          /* Kafka is looked after this often */
#define MIN_SESSION (6 * G_TIME_SPAN_SECOND) /* brokers refuse shorter ones */
#define MAX_SESSION G_TIME_SPAN_HOUR         /* librdkafka refuses longer ones */
#define MAX_POLL_MS 300000                   /* librdkafka's default */

typedef struct {
  WorkerQueue parent;
  PublishOptions options;
  PublishKafkaAddress address;
  char *group, *worker;
  gint64 lease;
  PublishDestination *output;
  rd_kafka_t *consumer;
  GQueue waiting; /* rd_kafka_message_t: taken, not begun */
  gboolean paused;

  rd_kafka_message_t *message; /* of the job; NULL: there is none */
  char *job, *text;            /* its id and what it says */
  gboolean lost;               /* the job is another's */
  guint64 done;
  double position;
  gint64 renewed;
} KafkaQueue;

static gboolean
fail (const KafkaQueue *self, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", self->options.location, what);
  return FALSE;
}

/* ---- The consumer ---- */

static void
drop_waiting (KafkaQueue *self)
{
  g_queue_clear_full (&self->waiting, (GDestroyNotify)rd_kafka_message_destroy);
}

/* The job is kept if its partition is, and is not delivered again then. */
static void
keep_job (KafkaQueue *self, rd_kafka_topic_partition_list_t *partitions)
{
  rd_kafka_topic_partition_t *partition;

  if (self->message == NULL)
    return;
  partition = rd_kafka_topic_partition_list_find (partitions, self->address.topic,
                                                  self->message->partition);
  if (partition != NULL)
    partition->offset = self->message->offset + 1;
  self->lost = partition == NULL;
}

/* Whenever a worker comes or goes all partitions are taken from all and assigned again. */
static void
on_rebalance (rd_kafka_t *consumer, rd_kafka_resp_err_t code,
              rd_kafka_topic_partition_list_t *partitions, void *data)
{
  KafkaQueue *self = data;
  gboolean assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

  drop_waiting (self);
  if (assigned)
    keep_job (self, partitions);
  rd_kafka_assign (consumer, assigned ? partitions : NULL);
}

/* A worker that is silent for a lease leaves the group; librdkafka wants no more patience with what
 * it hears than with what its owner polls. */
static gboolean
configure (KafkaQueue *self, rd_kafka_conf_t *conf, GError **error)
{
  const PublishOptions *options = &self->options;
  gint64 silence = MAX (self->lease, MIN_SESSION) / G_TIME_SPAN_MILLISECOND;
  g_autofree char *session = g_strdup_printf ("%" G_GINT64_FORMAT, silence);
  g_autofree char *poll = g_strdup_printf ("%" G_GINT64_FORMAT, MAX (silence, MAX_POLL_MS));

  rd_kafka_conf_set_opaque (conf, self);
  rd_kafka_conf_set_rebalance_cb (conf, on_rebalance);
  return publish_kafka_configure (options, &self->address, conf, error)
         && publish_kafka_set (options, conf, "group.id", self->group, error)
         && publish_kafka_set (options, conf, "session.timeout.ms", session, error)
         && publish_kafka_set (options, conf, "max.poll.interval.ms", poll, error)
         && publish_kafka_set (options, conf, "enable.auto.commit", "false", error)
         && publish_kafka_set (options, conf, "auto.offset.reset", "earliest", error)
         && publish_kafka_set (options, conf, "partition.assignment.strategy", "range", error);
}

static gboolean
subscribe (KafkaQueue *self, GError **error)
{
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new (1);
  rd_kafka_resp_err_t code;

  rd_kafka_topic_partition_list_add (topics, self->address.topic, RD_KAFKA_PARTITION_UA);
  rd_kafka_poll_set_consumer (self->consumer);
  code = rd_kafka_subscribe (self->consumer, topics);
  rd_kafka_topic_partition_list_destroy (topics);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail (self, rd_kafka_err2str (code), error);
}

static gboolean
open_consumer (KafkaQueue *self, GError **error)
{
  rd_kafka_conf_t *conf = rd_kafka_conf_new ();
  char text[256];

  if (!configure (self, conf, error)) {
    rd_kafka_conf_destroy (conf);
    return FALSE;
  }
  self->consumer = rd_kafka_new (RD_KAFKA_CONSUMER, conf, text, sizeof text);
  if (self->consumer != NULL)
    return subscribe (self, error);
  rd_kafka_conf_destroy (conf);
  return fail (self, text, error);
}

static void
drop_messages (KafkaQueue *self)
{
  drop_waiting (self);
  /* It is delivered again, perhaps to another worker. */
  self->lost = self->message != NULL;
  g_clear_pointer (&self->message, rd_kafka_message_destroy);
}

static void
close_kafka (WorkerQueue *queue)
{
  KafkaQueue *self = (KafkaQueue *)queue;

  drop_messages (self);
  self->paused = FALSE;
  if (self->consumer != NULL)
    rd_kafka_consumer_close (self->consumer);
  g_clear_pointer (&self->consumer, rd_kafka_destroy);
  self->output->klass->close (self->output, NULL);
}

static gboolean
open_kafka (WorkerQueue *queue, GCancellable *cancellable, GError **error)
{
  KafkaQueue *self = (KafkaQueue *)queue;

  if (!self->output->klass->open (self->output, self->worker, cancellable, error))
    return FALSE;
  if (open_consumer (self, error))
    return TRUE;
  close_kafka (queue);
  return FALSE;
}

/* ---- Messages ---- */

/* Nothing is fetched while there is something to do; partitions may have come meanwhile. To resume
 * drops what is on its way, so that it is done once. */
static void
pace (KafkaQueue *self)
{
  gboolean busy = self->message != NULL || !g_queue_is_empty (&self->waiting);
  rd_kafka_topic_partition_list_t *partitions = NULL;

  if ((!busy && !self->paused)
      || rd_kafka_assignment (self->consumer, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  if (busy)
    rd_kafka_pause_partitions (self->consumer, partitions);
  else
    rd_kafka_resume_partitions (self->consumer, partitions);
  self->paused = busy;
  rd_kafka_topic_partition_list_destroy (partitions);
}

static gboolean
take (KafkaQueue *self, rd_kafka_message_t *message, GError **error)
{
  rd_kafka_resp_err_t code = message->err;

  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    g_queue_push_tail (&self->waiting, message);
    return TRUE;
  }
  rd_kafka_message_destroy (message);
  return code == RD_KAFKA_RESP_ERR__PARTITION_EOF || fail (self, rd_kafka_err2str (code), error);
}

/* Takes what there is, or the first that comes within `timeout` milliseconds. */
static gboolean
poll_consumer (KafkaQueue *self, int timeout, GError **error)
{
  rd_kafka_message_t *message;

  while ((message = rd_kafka_consumer_poll (self->consumer, timeout)) != NULL) {
    if (!take (self, message, error))
      return FALSE;
    timeout = 0;
  }
  return TRUE;
}

static gboolean
wait_kafka (WorkerQueue *queue, GPollFD *wake, gint timeout, GCancellable *cancellable,
            GError **error)
{
  KafkaQueue *self = (KafkaQueue *)queue;
  GPollFD polls[2] = {*wake};
  gboolean cancels = cancellable != NULL && g_cancellable_make_pollfd (cancellable, &polls[1]);

  g_poll (polls, cancels ? 2 : 1, MIN (timeout, POLL_MS));
  if (cancels)
    g_cancellable_release_fd (cancellable);
  pace (self);
  return poll_consumer (self, 0, error);
}

/* ---- What is published ---- */

static gboolean
publish (KafkaQueue *self, char *const *texts, guint n, GError **error)
{
  g_autoptr (GPtrArray) records =
      g_ptr_array_new_with_free_func ((GDestroyNotify)publish_record_free);
  PublishDelivery delivery = {0};

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (records, publish_record_new (PUBLISH_RESULT, self->job,
                                                  g_strconcat (texts[i], "\n", NULL)));
  if (!self->output->klass->send (self->output, (PublishRecord *const *)records->pdata, n,
                                  &delivery, NULL, error)) {
    g_clear_error (&delivery.reason);
    return FALSE;
  }
  if (delivery.refused == 0)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "Kafka refuses a message: %s",
               delivery.reason->message);
  g_error_free (delivery.reason);
  return FALSE;
}

static gboolean
publish_progress (KafkaQueue *self, GError **error)
{
  WorkerLease lease = {WORKER_LEASE_HELD, self->worker,   0,          0,
                       self->done,        self->position, self->lease};
  g_autofree char *text = worker_format_lease (self->job, &lease);

  self->renewed = g_get_monotonic_time ();
  return publish (self, &text, 1, error);
}

/* ---- Orders ---- */

static void
forget_job (KafkaQueue *self)
{
  g_clear_pointer (&self->message, rd_kafka_message_destroy);
  g_clear_pointer (&self->job, g_free);
  g_clear_pointer (&self->text, g_free);
  self->lost = FALSE;
}

/* What has no id is called after its place, so that its failure can be published. */
static void
start (KafkaQueue *self, WorkerOrder *order)
{
  forget_job (self);
  self->message = g_queue_pop_head (&self->waiting);
  /* A message without value has no payload at all. */
  self->text = g_strndup (self->message->len > 0 ? self->message->payload : "", self->message->len);
  self->job = worker_job_find_id (self->text);
  if (self->job == NULL)
    self->job =
        g_strdup_printf ("%d-%" G_GINT64_FORMAT, self->message->partition, self->message->offset);
  self->done = 0;
  self->position = 0;
  self->renewed = g_get_monotonic_time ();
  *order = (WorkerOrder) {WORKER_ORDER_START, NULL, self->text, 0};
}

static gboolean
next (WorkerQueue *queue, WorkerOrder *order, GError **error)
{
  KafkaQueue *self = (KafkaQueue *)queue;

  *order = (WorkerOrder) {WORKER_ORDER_NONE};
  if (self->lost) {
    forget_job (self);
    *order = (WorkerOrder) {WORKER_ORDER_STOP};
    return TRUE;
  }
  if (self->message != NULL)
    return g_get_monotonic_time () < self->renewed + self->lease / 3
           || publish_progress (self, error);
  if (!g_queue_is_empty (&self->waiting))
    start (self, order);
  return TRUE;
}

static gboolean
send_results (WorkerQueue *queue, WorkerResult *const *results, guint n, GError **error)
{
  KafkaQueue *self = (KafkaQueue *)queue;
  WorkerStamp stamp = {self->job, self->worker, 0};
  g_auto (GStrv) texts = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    texts[i] = worker_format_result (&stamp, results[i]->sequence, results[i]->result);
  if (!publish (self, texts, n, error))
    return FALSE;
  self->done = results[n - 1]->sequence + 1;
  self->position = results[n - 1]->position;
  return TRUE;
}

/* While a worker comes or goes nothing can be committed. A job whose partition is another's then is
 * done again there. */
static gboolean
commit (KafkaQueue *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + (gint64)(self->options.timeout / 1000);
  rd_kafka_resp_err_t code;

  while ((code = rd_kafka_commit_message (self->consumer, self->message, FALSE))
             == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
         && g_get_monotonic_time () < until) {
    if (!poll_consumer (self, POLL_MS, error))
      return FALSE;
    if (self->lost)
      return TRUE;
  }
  return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail (self, rd_kafka_err2str (code), error);
}

static gboolean
end (WorkerQueue *queue, guint64 n, const char *reason, GError **error)
{
  KafkaQueue *self = (KafkaQueue *)queue;
  WorkerStamp stamp = {self->job, self->worker, 0};
  g_autofree char *text = worker_format_end (&stamp, n, reason);

  if (!publish (self, &text, 1, error) || !commit (self, error))
    return FALSE;
  forget_job (self);
  return TRUE;
}

/* What is not committed is delivered again. */
static gboolean
hand_back (WorkerQueue *queue, GError **error)
{
  forget_job ((KafkaQueue *)queue);
  return TRUE;
}

/* ---- Making one ---- */

static void
free_kafka (WorkerQueue *queue)
{
  KafkaQueue *self = (KafkaQueue *)queue;

  forget_job (self);
  g_clear_pointer (&self->output, publish_destination_free);
  publish_kafka_address_clear (&self->address);
  publish_options_clear (&self->options);
  g_free (self->group);
  g_free (self->worker);
  g_free (self);
}

static const WorkerQueueClass kafka_class = {
    .open = open_kafka,
    .wait = wait_kafka,
    .next = next,
    .send = send_results,
    .end = end,
    .hand_back = hand_back,
    .close = close_kafka,
    .free = free_kafka,
};

/* TOPIC-results. (transfer full) */
static PublishDestination *
make_output (const PublishOptions *options, GError **error)
{
  g_auto (PublishOptions) copy;

  publish_options_copy (options, &copy);
  g_free (copy.location);
  copy.location = g_strconcat (options->location, "-results", NULL);
  return publish_kafka_new (&copy, error);
}

static gboolean
check_lease (const WorkerQueueParams *params, GError **error)
{
  if (params->lease <= MAX_SESSION)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: expected leases of at most %.0f seconds, found %.0f", params->publish->location,
               (double)MAX_SESSION / G_TIME_SPAN_SECOND,
               (double)params->lease / G_TIME_SPAN_SECOND);
  return FALSE;
}

WorkerQueue *
worker_kafka_queue_new (const WorkerQueueParams *params, GError **error)
{
  g_autofree char *uuid = g_uuid_string_random ();
  KafkaQueue *self;

  if (!check_lease (params, error))
    return NULL;
  self = g_new0 (KafkaQueue, 1);
  self->parent.klass = &kafka_class;
  publish_options_copy (params->publish, &self->options);
  self->group = g_strdup (params->group);
  self->worker = g_strdup (params->publish->client_id != NULL ? params->publish->client_id : uuid);
  self->lease = params->lease;
  g_queue_init (&self->waiting);
  if (publish_kafka_address_parse (&self->options, &self->address, error)
      && (self->output = make_output (&self->options, error)) != NULL)
    return &self->parent;
  free_kafka (&self->parent);
  return NULL;
}
