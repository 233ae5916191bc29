/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/submit.h"

#include <string.h>

#include "base/error.h"
#include "publish/destination.h"
#include "publish/mqtt-connection.h"
#include "worker/job.h"

#define TICK_MS 250
#define RETRY_MS 1000
#define STAGE "waiting for workers"

typedef struct {
  PublishOptions options;
  PublishConnection connection;
  GPtrArray *jobs; /* WorkerSubmission */
  guint n_ended;
  gboolean submitted; /* the broker may have jobs */
  char *failure;      /* that was noted; NULL: connected */
  const EnsMonitor *monitor;
} Submitter;

/* ---- What comes ---- */

static void
end (Submitter *self, WorkerSubmission *job, const char *topic, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (job->ended || !worker_parse_end (topic, text, &job->reason, &error)) {
    if (error != NULL)
      ens_monitor_note (self->monitor, "%s", error->message);
    return;
  }
  job->ended = TRUE;
  self->n_ended++;
  if (job->reason != NULL)
    ens_monitor_note (self->monitor, "%s: %s", job->id, job->reason);
}

static void
receive (const PublishMessage *message, guint32 subscriptions, gpointer data)
{
  Submitter *self = data;
  const char *slash = strrchr (message->topic, '/');
  g_autofree char *text = NULL;

  if (slash == NULL || message->size == 0)
    return;
  text = g_strndup (message->payload, message->size);
  for (guint i = 0; i < self->jobs->len; i++) {
    WorkerSubmission *job = self->jobs->pdata[i];

    if (strcmp (job->id, slash + 1) == 0)
      end (self, job, message->topic, text);
  }
}

/* ---- What is sent ---- */

/* empty: cancels the job. */
static gboolean
send_job (Submitter *self, const WorkerSubmission *job, gboolean empty, GError **error)
{
  g_autofree char *topic = g_strdup_printf ("%s/job/%s", self->options.topic, job->id);
  gsize size = empty ? 0 : strlen (job->text);

  return job->ended
         || publish_connection_send (&self->connection,
                                     &(PublishMessage) {topic, job->text, size, TRUE}, error);
}

static gboolean
send_jobs (Submitter *self, gboolean empty, GError **error)
{
  self->submitted = TRUE;
  publish_connection_begin (&self->connection);
  for (guint i = 0; i < self->jobs->len; i++)
    if (!send_job (self, self->jobs->pdata[i], empty, error))
      return FALSE;
  return publish_connection_wait (&self->connection, (gint64)(self->options.timeout / 1000), NULL,
                                  error);
}

static gboolean
check_refusals (Submitter *self, GError **error)
{
  for (guint i = 0; i < self->connection.deliveries->len; i++) {
    const char *refusal = publish_connection_get_refusal (&self->connection, i);

    if (refusal != NULL)
      return publish_connection_fail (&self->connection, refusal, error);
  }
  return TRUE;
}

/* What the broker may have forgotten is sent again. */
static gboolean
connect_broker (Submitter *self, GError **error)
{
  g_autofree char *will =
      g_strdup_printf ("%s/submitter/%s", self->options.topic, self->connection.client_id);
  g_autofree char *ends = g_strdup_printf ("%s/end/+", self->options.topic);

  return publish_connection_open (&self->connection, will, FALSE, self->monitor->cancellable, error)
         && publish_connection_subscribe (&self->connection, ends, 1, error)
         && publish_connection_wait (&self->connection, (gint64)(self->options.timeout / 1000),
                                     self->monitor->cancellable, error)
         && send_jobs (self, FALSE, error) && check_refusals (self, error);
}

/* Each once, not at each try. */
static void
note_failure (Submitter *self, const char *failure)
{
  if (g_strcmp0 (failure, self->failure) == 0)
    return;
  if (failure != NULL)
    ens_monitor_note (self->monitor, "%s; trying again", failure);
  g_free (self->failure);
  self->failure = g_strdup (failure);
}

static void
reconnect (Submitter *self)
{
  g_autoptr (GError) error = NULL;
  GPollFD cancelled;

  publish_connection_close (&self->connection);
  if (g_cancellable_make_pollfd (self->monitor->cancellable, &cancelled)) {
    g_poll (&cancelled, 1, RETRY_MS);
    g_cancellable_release_fd (self->monitor->cancellable);
  }
  if (!connect_broker (self, &error))
    publish_connection_close (&self->connection);
  if (!g_cancellable_is_cancelled (self->monitor->cancellable))
    note_failure (self, error != NULL ? error->message : NULL);
}

static gboolean
wait_for_ends (Submitter *self, GError **error)
{
  while (self->n_ended < self->jobs->len) {
    if (!ens_monitor_progress (self->monitor, STAGE, self->n_ended, self->jobs->len, error))
      return FALSE;
    if (!self->connection.connected
        || !publish_connection_turn (&self->connection, NULL, TICK_MS, self->monitor->cancellable))
      reconnect (self);
  }
  return ens_monitor_progress (self->monitor, STAGE, self->n_ended, self->jobs->len, error);
}

/* Jobs that nobody waits for any more. */
static void
cancel_jobs (Submitter *self)
{
  if (self->connection.connected && send_jobs (self, TRUE, NULL))
    return;
  ens_monitor_note (self->monitor, "%s: the jobs could not be cancelled: workers may still do them",
                    self->options.location);
}

gboolean
worker_submit (const PublishOptions *publish, GPtrArray *jobs, const EnsMonitor *monitor,
               GError **error)
{
  Submitter self = {.jobs = jobs, .monitor = monitor};
  PublishAddress address;
  gboolean done;

  GST_DEBUG_CATEGORY_INIT (publish_debug, "ensembleworker", 0, "jobs from brokers");
  if (!publish_address_parse (publish->location, 1883, 8883, &address, error))
    return FALSE;
  publish_options_copy (publish, &self.options);
  self.options.qos = 1;
  publish_connection_init (&self.connection, &self.options, address);
  self.connection.receive = receive;
  self.connection.receive_data = &self;
  done = connect_broker (&self, error) && wait_for_ends (&self, error);
  if (!done && self.submitted)
    cancel_jobs (&self);
  if (self.connection.connected)
    publish_connection_disconnect (&self.connection);
  publish_connection_close (&self.connection);
  publish_connection_clear (&self.connection);
  publish_options_clear (&self.options);
  g_free (self.failure);
  return done;
}
