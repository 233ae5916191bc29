#include "table.h"
#include "tool.h"

#include <ensemble/ensemble.h>

#include "decode.h"

typedef struct {
  char *model, *device, *scales_text;
  gint threads, windows, top;
  double interval, threshold;
  gboolean json;
  EnsAnalyseOptions analyse;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->model);
  g_free (options->device);
  g_free (options->scales_text);
  g_free ((gpointer)options->analyse.scales);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* The classes of a result, the likeliest first. */
static int
compare_classes (gconstpointer a, gconstpointer b, gpointer data)
{
  const EnsClassResult *classes = data;
  float left = classes[*(const guint *)a].p, right = classes[*(const guint *)b].p;

  return left > right ? -1 : left < right;
}

static char *
format_time (guint64 pts)
{
  if (pts == G_MAXUINT64)
    return g_strdup ("");
  return g_strdup_printf ("%.2f s", (double)pts / 1e9);
}

static void
add_rows (ToolTable *table, const char *path, const EnsResult *result, guint top)
{
  g_autofree guint *order = g_new (guint, result->n_classes);
  g_autofree char *time = format_time (result->pts);

  for (guint i = 0; i < result->n_classes; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint)result->n_classes, sizeof *order, compare_classes,
                     result->classes);
  for (guint i = 0; i < MIN (top, result->n_classes); i++) {
    const EnsClassResult *class = &result->classes[order[i]];

    tool_table_row (table);
    tool_table_cell (table, "%s", i == 0 ? path : "");
    tool_table_cell (table, "%s", i == 0 ? time : "");
    tool_table_cell (table, "%s", class->present ? "*" : "");
    tool_table_cell (table, "%s", class->name);
    tool_table_cell (table, "%.3f", class->p);
    tool_table_cell (table, "%.3f", class->p1);
    tool_table_cell (table, "%.3f", class->p2);
    if (class->window >= 0)
      tool_table_cell (table, "%.3f", class->p3);
  }
}

static void
print_result (ToolTable *table, const char *path, const EnsResult *result, const Options *options)
{
  if (options->json) {
    g_autofree char *line = ens_result_to_json (result, (guint)options->top);

    g_print ("%s\n", line);
  } else {
    add_rows (table, path, result, options->top > 0 ? (guint)options->top : 5);
  }
}

typedef struct {
  const Options *options;
  const EnsFrameOpener *opener;
  EnsAnalysis *analysis;
} Classifier;

/* Analyses a still, or a video's pictures at the interval. */
static gboolean
classify_file (Classifier *classifier, const char *path, GError **error)
{
  const Options *options = classifier->options;
  g_autoptr (EnsFrameSource) source = ens_frame_opener_open (classifier->opener, path, error);
  g_autoptr (ToolTable) table = tool_table_new ("file|>time||class|>P|>P1|>P2|>P3");
  double next = 0;

  if (source == NULL)
    return FALSE;
  for (;;) {
    g_autoptr (EnsPicture) picture = NULL;
    g_autoptr (EnsResult) result = NULL;
    double seconds;

    if (!ens_frame_source_next (source, &picture, error))
      return FALSE;
    if (picture == NULL)
      break;
    seconds = picture->pts == G_MAXUINT64 ? next : (double)picture->pts / 1e9;
    if (seconds < next)
      continue;
    next = seconds + options->interval;
    result = ens_analysis_run (classifier->analysis, &picture->frame, picture->pts,
                               &options->analyse, error);
    if (result == NULL)
      return FALSE;
    result->source = g_strdup (path);
    print_result (table, path, result, options);
  }
  if (!options->json)
    tool_table_print (table);
  return TRUE;
}

/* Goes on after a file that fails, and fails in the end. */
static gboolean
classify_files (Classifier *classifier, char **paths, GError **error)
{
  guint n_failed = 0, n = 0;

  for (; paths[n] != NULL; n++) {
    g_autoptr (GError) failure = NULL;

    if (classify_file (classifier, paths[n], &failure))
      continue;
    n_failed++;
    g_printerr ("%s\n", failure->message);
  }
  if (n_failed > 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%u of %u files could not be classified",
                 n_failed, n);
  return n_failed == 0;
}

static gboolean
check_options (Options *options, GError **error)
{
  guint *scales = NULL;

  if (options->model == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--model=BUNDLE is needed: a folder made by “train”");
    return FALSE;
  }
  if (options->windows < -1 || options->threads < 0 || options->top < 0 || options->interval < 0) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "numbers must not be negative");
    return FALSE;
  }
  if (!tool_parse_sizes (options->scales_text, "--scales", &scales, &options->analyse.n_scales,
                         error))
    return FALSE;
  options->analyse.scales = scales;
  options->analyse.windows = options->windows;
  options->analyse.threshold = (float)options->threshold;
  return TRUE;
}

static gboolean
run (const ToolCommand *command, int argc, char **argv, GError **error)
{
  g_auto (Options)
      options = {.windows = -1, .threshold = -1, .interval = 1, .analyse = ENS_ANALYSE_DEFAULTS};
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options.model, "The ensemble", "BUNDLE"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print one line of JSON a picture", NULL},
      {"interval", 'i', 0, G_OPTION_ARG_DOUBLE, &options.interval,
       "Of videos, analyse a picture every so often (1; 0: all)", "SECONDS"},
      {"top", 'n', 0, G_OPTION_ARG_INT, &options.top,
       "Print the likeliest classes only (5; with --json all)", "N"},
      {"windows", 'w', 0, G_OPTION_ARG_INT, &options.windows, "Windows (the bundle's; 0: none)",
       "N"},
      {"scales", 's', 0, G_OPTION_ARG_STRING, &options.scales_text,
       "Shorter sides of the whole picture (the bundle's)", "N,…"},
      {"threshold", 't', 0, G_OPTION_ARG_DOUBLE, &options.threshold,
       "A class is present from this probability on (the bundle's)", "P"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
       "auto, cpu, vulkan or vulkan:N (auto)", "DEVICE"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &options.threads, "Threads on the CPU (all processors)",
       "N"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (GstEnsembleDecoder) decoder = NULL;

  if (!tool_parse (command, entries, &argc, &argv, 1, G_MAXUINT, error)
      || !check_options (&options, error))
    return FALSE;
  device =
      ens_device_open (options.device ? options.device : "auto", (guint)options.threads, error);
  if (device == NULL)
    return FALSE;
  ensemble = ens_ensemble_open (options.model, device, error);
  if (ensemble == NULL)
    return FALSE;
  analysis = ens_analysis_new (ensemble);
  decoder = gst_ensemble_decoder_new ();
  return classify_files (
      &(Classifier) {&options, gst_ensemble_decoder_get_opener (decoder), analysis}, argv + 1,
      error);
}

const ToolCommand tool_classify = {
    .name = "classify",
    .arguments = "FILE…",
    .summary = "Tag pictures and videos",
    .details =
        "* marks classes that are present. P is the ensemble's probability, P1 that of the "
        "retrained\nnetworks, P2 that of the original networks, P3 the largest over the windows.",
    .run = run,
};
