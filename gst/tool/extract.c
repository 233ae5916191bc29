/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"
#include "features-job.h"
#include "monitor.h"
#include "network-list.h"
#include "tool.h"
#include "worker/job.h"
#include "worker/submit.h"

#include <stdio.h>

typedef struct {
  char **networks, **lists;
  char *cache, *preset, *unrelated, *share, *workers, *topic, *user, *secret, *tls_ca, *tls_cert,
      *tls_key, *device;
  gint threads, windows, shares;
} Options;

static gboolean
parse_share (const char *text, EnsFitShare *share, GError **error)
{
  int end = 0;

  *share = (EnsFitShare) {0, 1};
  if (text == NULL
      || (sscanf (text, "%u/%u%n", &share->index, &share->n, &end) == 2 && text[end] == '\0'
          && share->index >= 1 && share->index <= share->n)) {
    share->index -= text != NULL;
    return TRUE;
  }
  g_set_error (error, TOOL_ERROR_USAGE, 0,
               "--share expects I/N, such as 2/3 for the second of three shares; found “%s”", text);
  return FALSE;
}

static gboolean
check_shares (gint n, GError **error)
{
  if (!tool_check_least ("--shares", n, 1, error))
    return FALSE;
  if (n <= WORKER_MAX_SHARES)
    return TRUE;
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--shares expects at most %d, got %d", WORKER_MAX_SHARES,
               n);
  return FALSE;
}

static gboolean
check_workers (const Options *options, GError **error)
{
  if (options->workers == NULL
      || (options->cache != NULL && options->share == NULL
          && (g_str_has_prefix (options->workers, "mqtt://")
              || g_str_has_prefix (options->workers, "mqtts://"))))
    return TRUE;
  if (options->cache == NULL)
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--cache=FOLDER is needed: a folder that all workers share");
  else if (options->share != NULL)
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--share and --workers exclude each other");
  else
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--workers expects mqtt://HOST or mqtts://HOST, found “%s”", options->workers);
  return FALSE;
}

/* Workers have other current folders. (transfer full) */
static char *
make_absolute (const char *path)
{
  return path != NULL ? g_canonicalize_filename (path, NULL) : NULL;
}

/* (transfer full) */
static char **
make_all_absolute (char *const *paths)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (; paths != NULL && *paths != NULL; paths++)
    g_ptr_array_add (list, make_absolute (*paths));
  g_ptr_array_add (list, NULL);
  return list->len > 1 ? (char **)g_ptr_array_steal (list, NULL) : NULL;
}

/* NULL: an option is wrong. (transfer full) */
static WorkerFeatures *
describe (const Options *options, const char *dataset, GError **error)
{
  g_autoptr (WorkerFeatures) features = g_new0 (WorkerFeatures, 1);

  features->preset = ENS_WINDOWS_BALANCED;
  if (!tool_check_least ("--windows", options->windows, 0, error)
      || !check_shares (options->shares, error)
      || !tool_parse_preset ("--windows-preset", options->preset, &features->preset, error)
      || !parse_share (options->share, &features->share, error) || !check_workers (options, error)
      || !tool_networks_check_any (options->networks != NULL || options->lists != NULL, error))
    return NULL;
  features->dataset = make_absolute (dataset);
  features->networks = make_all_absolute (options->networks);
  features->lists = make_all_absolute (options->lists);
  features->unrelated = make_absolute (options->unrelated);
  features->cache = make_absolute (options->cache);
  features->windows = (guint)options->windows;
  return g_steal_pointer (&features);
}

/* ---- By workers ---- */

static void
free_submission (gpointer data)
{
  WorkerSubmission *submission = data;

  g_free (submission->id);
  g_free (submission->text);
  g_free (submission->reason);
  g_free (submission);
}

/* WorkerSubmission, one for each share. (transfer full) */
static GPtrArray *
divide (WorkerFeatures *features, guint n)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func (free_submission);
  g_autofree char *uuid = g_uuid_string_random ();

  features->share.n = n;
  for (features->share.index = 0; features->share.index < n; features->share.index++) {
    WorkerSubmission *job = g_new0 (WorkerSubmission, 1);

    job->id = g_strdup_printf ("features-%.8s-%u", uuid, features->share.index + 1);
    job->text = worker_format_features (job->id, features);
    g_ptr_array_add (jobs, job);
  }
  return jobs;
}

static gboolean
check_failures (const GPtrArray *jobs, GError **error)
{
  const WorkerSubmission *failed = NULL;
  guint n = 0;

  for (guint i = 0; i < jobs->len; i++)
    if (((const WorkerSubmission *)jobs->pdata[i])->reason != NULL && n++ == 0)
      failed = jobs->pdata[i];
  if (n == 0)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%u of %u shares failed, whose features train extracts itself; the first: %s", n,
               jobs->len, failed->reason);
  return FALSE;
}

static gboolean
hand_out (const Options *options, WorkerFeatures *features, GError **error)
{
  g_autoptr (GPtrArray) jobs = divide (features, (guint)options->shares);
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_auto (PublishOptions) publish;

  publish_options_init (&publish);
  g_free (publish.location);
  g_free (publish.topic);
  publish.location = g_strdup (options->workers);
  publish.topic = g_strdup (options->topic != NULL ? options->topic : "gst-ensemble/jobs");
  publish.user = g_strdup (options->user);
  publish.secret = g_strdup (options->secret);
  publish.tls_ca = g_strdup (options->tls_ca);
  publish.tls_cert = g_strdup (options->tls_cert);
  publish.tls_key = g_strdup (options->tls_key);
  return publish_options_check (&publish, error)
         && worker_submit (&publish, jobs, tool_monitor_get (monitor), error)
         && check_failures (jobs, error);
}

/* ---- Here ---- */

/* A new one each time: those of before may be locked by others, who read them. (transfer full) */
static char *
name_part (const EnsFitShare *share)
{
  return share->n > 1
             ? g_strdup_printf ("share-%u-of-%u-%08x", share->index + 1, share->n, g_random_int ())
             : NULL;
}

static gboolean
extract_here (const Options *options, const WorkerFeatures *features, GError **error)
{
  g_autoptr (EnsDevice) device = tool_open_device (options->device, options->threads, error);
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (ToolMonitor) monitor = NULL;
  g_autofree char *part = name_part (&features->share);

  if (device == NULL)
    return FALSE;
  decoder = gst_ensemble_decoder_new ();
  monitor = tool_monitor_new ();
  return tool_extract_features (features, part, device, gst_ensemble_decoder_get_opener (decoder),
                                tool_monitor_get (monitor), error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (WorkerFeatures) features = describe (options, arguments[0], error);

  if (features == NULL)
    return FALSE;
  return options->workers != NULL ? hand_out (options, features, error)
                                  : extract_here (options, features, error);
}

static const ToolOption option_table[] = {
    {"network", 'n', G_OPTION_ARG_STRING_ARRAY, G_STRUCT_OFFSET (Options, networks), "FILE[,…]",
     "A network and what it expects; once for each", "*.onnx"},
    {"networks", 0, G_OPTION_ARG_FILENAME_ARRAY, G_STRUCT_OFFSET (Options, lists), "FILE.json",
     "The same from a file", "*.json"},
    {"windows", 'w', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, windows), "N",
     "Region proposals of a picture (100; 0: none)"},
    {"windows-preset", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, preset), "NAME",
     "fast, balanced or quality (balanced)", "fast balanced quality"},
    {"unrelated", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, unrelated), "FOLDER",
     "Pictures of no class, to choose the gate by", "/"},
    {"cache", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, cache), "FOLDER",
     "Where features are kept (the user's cache folder)", "/"},
    {"share", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, share), "I/N",
     "Here, the I-th of N shares alone"},
    {"workers", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, workers), "BROKER",
     "By workers, which take jobs from mqtt://HOST"},
    {"shares", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, shares), "N",
     "Jobs that workers get (16)"},
    {"topic", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, topic), "TOPIC",
     "Parent of all topics (gst-ensemble/jobs)"},
    {"user", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, user), "NAME",
     "User name at the broker"},
    {"secret", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, secret), "WHERE",
     "Password: file:PATH or env:NAME"},
    {"tls-ca", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, tls_ca), "FILE.pem",
     "Authorities (the system's)", "*.pem"},
    {"tls-cert", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, tls_cert), "FILE.pem",
     "The client's certificate", "*.pem"},
    {"tls-key", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, tls_key), "FILE.pem", "Its key",
     "*.pem"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_extract = {
    .name = "extract",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Extract features for train, on one machine or several",
    .help = "Give it the options of train that it has; train then finds the features in the cache.",
    .manual =
        "Extracting features is what takes train its time. On several machines that share a "
        "folder, "
        "data set and networks under the same paths, and whose user is the same:\n\n"
        "  gst-ensemble-1.0 worker mqtt://broker                    # on each machine\n"
        "  gst-ensemble-1.0 extract /net/photos -n /net/a.onnx,role=original \\\n"
        "    --cache=/net/features --workers=mqtt://broker\n"
        "  gst-ensemble-1.0 train /net/photos -n /net/a.onnx,role=original \\\n"
        "    --cache=/net/features -o site.ensemble\n\n"
        "Each job is a share of the pictures; a share whose worker dies goes to another one, which "
        "keeps what there is. Without a broker, run extract --share=1/3, 2/3, 3/3 with the same "
        "cache. What a share lacks train extracts itself. Processors of one kind give the same "
        "bundle, to the bit, as train alone; those of different kinds round differently.",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.windows = 100, .shares = 16},
    .run = run,
};
