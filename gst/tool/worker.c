/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/worker.h"

#include "decode.h"
#include "features-job.h"
#include "monitor.h"
#include "tool.h"

typedef struct {
  char *model, *group, *topic, *device;
  char *user, *secret, *tls_ca, *tls_cert, *tls_key, *client_id;
  char **allow;
  double lease, keep;
  gint threads, jobs;
} Options;

static gboolean
check_options (const Options *options, GError **error)
{
  return tool_check_least ("--lease", options->lease, 1, error)
         && tool_check_least ("--keep", options->keep, 1, error)
         && tool_check_least ("--jobs", options->jobs, 0, error);
}

static void
set (char **member, const char *value)
{
  if (value == NULL)
    return;
  g_free (*member);
  *member = g_strdup (value);
}

static void
fill_publish (const Options *options, const char *location, PublishOptions *publish)
{
  set (&publish->location, location);
  set (&publish->topic, options->topic != NULL ? options->topic : "gst-ensemble/jobs");
  set (&publish->user, options->user);
  set (&publish->secret, options->secret);
  set (&publish->tls_ca, options->tls_ca);
  set (&publish->tls_cert, options->tls_cert);
  set (&publish->tls_key, options->tls_key);
  set (&publish->client_id, options->client_id);
}

/* (transfer full) */
static WorkerQueue *
make_queue (const Options *options, const char *location, GError **error)
{
  g_auto (PublishOptions) publish;

  publish_options_init (&publish);
  fill_publish (options, location, &publish);
  return worker_queue_new (
      &(WorkerQueueParams) {&publish, options->group != NULL ? options->group : "workers",
                            (gint64)(options->lease * G_TIME_SPAN_SECOND),
                            (gint64)(options->keep * G_TIME_SPAN_SECOND)},
      error);
}

static void
note (const char *text, gpointer data)
{
  ens_monitor_note (data, "%s", text);
}

static gboolean
work (const Options *options, WorkerQueue *queue, EnsDevice *device, EnsEnsemble *ensemble,
      GError **error)
{
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  const EnsMonitor *listener = tool_monitor_get (monitor);

  return worker_run (&(WorkerParams) {queue,
                                      {device, ensemble, gst_ensemble_decoder_get_opener (decoder),
                                       tool_extract_features},
                                      (const char *const *)options->allow,
                                      (guint)options->jobs,
                                      (gint64)(options->lease * G_TIME_SPAN_SECOND),
                                      note,
                                      (gpointer)listener},
                     listener->cancellable, error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  WorkerQueue *queue;
  gboolean done = FALSE;

  if (!check_options (options, error))
    return FALSE;
  queue = make_queue (options, arguments[0], error);
  if (queue == NULL)
    return FALSE;
  device = tool_open_device (options->device, options->threads, error);
  if (device != NULL && options->model != NULL)
    ensemble = ens_ensemble_open (options->model, device, error);
  if (ensemble != NULL)
    tool_warn (ens_ensemble_get_notes (ensemble));
  if (ensemble != NULL || (device != NULL && options->model == NULL))
    done = work (options, queue, device, ensemble, error);
  queue->klass->free (queue);
  return done;
}

#define TEXT(name, member, value, summary)                                          \
  {                                                                                 \
    name, 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, member), value, summary \
  }
#define PEM(name, member, summary)                                                          \
  {                                                                                         \
    name, 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, member), "FILE.pem", summary, \
        "*.pem"                                                                             \
  }

static const ToolOption option_table[] = {
    {"model", 'm', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, model), "BUNDLE",
     "The ensemble of jobs that name none", "/"},
    TEXT ("group", group, "NAME", "Workers that share jobs (workers)"),
    TEXT ("topic", topic, "TOPIC", "MQTT: parent of all topics (gst-ensemble/jobs)"),
    {"lease", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, lease), "SECONDS",
     "A silent worker loses its job after this time (15)"},
    {"keep", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, keep), "SECONDS",
     "MQTT: how long a job's end is kept (86400)"},
    {"allow", 0, G_OPTION_ARG_STRING_ARRAY, G_STRUCT_OFFSET (Options, allow), "PREFIX",
     "What jobs' URIs and bundles begin with; repeatable"},
    {"jobs", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, jobs), "N",
     "Stop after so many jobs (0: never)"},
    TEXT ("user", user, "NAME", "User name at the broker"),
    TEXT ("secret", secret, "WHERE", "Password: file:PATH or env:NAME"),
    PEM ("tls-ca", tls_ca, "Authorities (the system's)"),
    PEM ("tls-cert", tls_cert, "The client's certificate"),
    PEM ("tls-key", tls_key, "Its key"),
    TEXT ("client-id", client_id, "ID", "This worker's name (a unique one)"),
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_worker = {
    .name = "worker",
    .arguments = "BROKER",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Tag files, or extract features, as jobs from a broker say",
    .help = "BROKER is mqtt://HOST or kafka://HOST:PORT/TOPIC (mqtts, kafkas: TLS).",
    .manual =
        "Workers share jobs: lines of JSON with an id, a URI and settings, which are published to "
        "the topic gst-ensemble/jobs/job/ID (MQTT 5, retained) or to TOPIC (Kafka). Results, with "
        "job and sequence, progress, and how the job ended come back below the same topic, or in "
        "TOPIC-results. A worker that gets SIGINT or SIGTERM hands its job back; the job of one "
        "that dies is taken over. A result may come twice: drop what you have by job and "
        "sequence.\n\n"
        "  mosquitto_pub -V 5 -q 1 -r -t gst-ensemble/jobs/job/film-7 -m \\\n"
        "    '{\"schema\": \"gst-ensemble/job/1\", \"id\": \"film-7\", \"uri\": "
        "\"/films/7.mp4\"}'\n"
        "  gst-ensemble-1.0 worker -m site.ensemble --allow=/films/ mqtt://broker",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.lease = 15, .keep = 86400},
    .run = run,
};
