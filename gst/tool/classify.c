/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"
#include "ensemble/ensemble.h"
#include "map-pictures.h"
#include "table.h"
#include "tool.h"

typedef struct {
  char *model, *one_class, *style, *embedding, *device, *scales, *sub_images, *map, *gate;
  gint threads, windows, top, max_sub_images;
  gint64 max_operations;
  double interval, threshold;
  gboolean json;
} Options;

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
    if (i == 1 && result->map != NULL)
      tool_table_cell (table, "in %u × %u tiles", result->map->columns, result->map->rows);
    else
      tool_table_cell (table, "%s", i == 0 ? path : "");
    tool_table_cell (table, "%s", i == 0 ? time : "");
    tool_table_cell (table, "%s", class->present ? "*" : class->withheld ? "–" : "");
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
  const EnsAnalyseOptions *analyse;
  const EnsFrameOpener *opener;
  EnsAnalysis *analysis;
  ToolMapPictures *maps; /* NULL: none wanted */
} Classifier;

/* Of the likeliest classes alone if --top was given, else of all. */
static gboolean
write_maps (const Classifier *classifier, const char *path, EnsResult *result, GError **error)
{
  g_autoptr (EnsResult) top = NULL;

  if (classifier->maps == NULL || result->map == NULL)
    return TRUE;
  top = ens_result_top (result, (guint)classifier->options->top);
  return tool_map_pictures_write (classifier->maps, path, top, error);
}

/* Analyses a still, or a video's pictures at the interval. */
static gboolean
classify_file (Classifier *classifier, const char *path, GError **error)
{
  const Options *options = classifier->options;
  g_autoptr (EnsFrameSource) source = ens_frame_opener_open (classifier->opener, path, error);
  g_autoptr (ToolTable) table = tool_table_new ("file|>time||class|>P|>P1|>P2|>P3");
  EnsFrameInterval interval = {options->interval};

  if (source == NULL)
    return FALSE;
  for (;;) {
    g_autoptr (EnsPicture) picture = NULL;
    g_autoptr (EnsResult) result = NULL;

    if (!ens_frame_source_next_due (source, &interval, &picture, error))
      return FALSE;
    if (picture == NULL)
      break;
    result = ens_analysis_run (classifier->analysis, &picture->frame, picture->pts,
                               classifier->analyse, error);
    if (result == NULL)
      return FALSE;
    result->source = g_strdup (path);
    print_result (table, path, result, options);
    if (!write_maps (classifier, path, result, error))
      return FALSE;
  }
  if (!interval.begun)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: holds no picture", path);
  else if (!options->json)
    tool_table_print (table);
  return interval.begun;
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

/* There are maps of divided frames alone, so --map divides them, unless --sub-images says
 * otherwise. */
static gboolean
parse_sub_images (const Options *options, EnsSubImagesMode *mode, GError **error)
{
  guint choice = options->map != NULL ? ENS_SUB_IMAGES_ON : ENS_SUB_IMAGES_AUTO;

  if (!tool_parse_choice ("--sub-images", options->sub_images, ens_sub_images_names, &choice,
                          error))
    return FALSE;
  *mode = (EnsSubImagesMode)choice;
  return TRUE;
}

static gboolean
parse_gate (const Options *options, gboolean *no_gate, GError **error)
{
  static const char *const names[] = {"on", "off", NULL};
  guint choice = 0;

  if (!tool_parse_choice ("--gate", options->gate, names, &choice, error))
    return FALSE;
  *no_gate = choice == 1;
  return TRUE;
}

/* The scales belong to the caller. */
static gboolean
read_options (const Options *options, guint **scales, EnsAnalyseOptions *analyse, GError **error)
{
  *analyse = ENS_ANALYSE_DEFAULTS;
  if (!tool_require_model (options->model, error)
      || !tool_check_least ("--interval", options->interval, 0, error)
      || !tool_check_least ("--top", options->top, 0, error)
      || !tool_check_least ("--windows", options->windows, -1, error)
      || !tool_check_least ("--max-sub-images", options->max_sub_images, 0, error)
      || !tool_check_least ("--max-operations", (double)options->max_operations, 0, error)
      || !parse_sub_images (options, &analyse->sub_images, error)
      || !parse_gate (options, &analyse->no_gate, error)
      || !tool_parse_sizes (options->scales, "--scales", scales, &analyse->n_scales, error))
    return FALSE;
  if (analyse->n_scales > ENS_MAX_SCALES) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--scales expects at most %d sizes, got %u",
                 ENS_MAX_SCALES, analyse->n_scales);
    return FALSE;
  }
  analyse->scales = *scales;
  analyse->windows = options->windows;
  analyse->max_sub_images = (guint)options->max_sub_images;
  analyse->threshold = (float)options->threshold;
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsAnalyseOptions analyse;
  g_autofree guint *scales = NULL;
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsStyle) style = NULL;
  g_autoptr (EnsAnalysis) analysis = NULL;
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (ToolMapPictures) maps = NULL;

  if (!read_options (options, &scales, &analyse, error))
    return FALSE;
  device = tool_open_device (options->device, options->threads, error);
  if (device != NULL)
    ens_device_set_limits (device, &(EnsLimits) {.operations = (guint64)options->max_operations});
  ensemble =
      device ? ens_ensemble_open_class (options->model, options->one_class, device, error) : NULL;
  if (ensemble == NULL)
    return FALSE;
  tool_warn (ens_ensemble_get_notes (ensemble));
  if (!ens_ensemble_open_style (ensemble, options->style, &style, error)
      || (options->embedding != NULL
          && ens_ensemble_find_network (ensemble, options->embedding, error) < 0))
    return FALSE;
  analyse.style = style;
  analyse.embedding = options->embedding;
  if (options->map != NULL) {
    maps = tool_map_pictures_new (options->map, error);
    if (maps == NULL)
      return FALSE;
  }
  analysis = ens_analysis_new (ensemble);
  decoder = gst_ensemble_decoder_new ();
  return classify_files (
      &(Classifier) {options, &analyse, gst_ensemble_decoder_get_opener (decoder), analysis, maps},
      arguments, error);
}

static const ToolOption option_table[] = {
    TOOL_OPTION_MODEL (Options),
    TOOL_OPTION_ONE_CLASS (Options),
    TOOL_OPTION_STYLE (Options),
    {"json", 'j', G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, json), NULL,
     "Print one line of JSON a picture"},
    {"embedding", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, embedding), "NETWORK",
     "Its features of the picture, with --json"},
    {"interval", 'i', G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, interval), "SECONDS",
     "Time between analysed frames of a video (1; 0: all)"},
    {"top", 'n', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, top), "N",
     "Print the likeliest classes (5; with --json all)"},
    {"windows", 'w', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, windows), "N",
     "Region proposals at most (the bundle's; 0: none)"},
    {"scales", 's', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, scales), "N,…",
     "Input scales: shorter sides (the bundle's)"},
    {"sub-images", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, sub_images), "MODE",
     "Tile pictures: auto (large ones), off, on, both", "auto off on both"},
    {"max-sub-images", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, max_sub_images), "N",
     "Tiles of a picture at most (the bundle's)"},
    {"map", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, map), "FOLDER",
     "Write a heat map of each class; tiles all pictures", "/"},
    {"threshold", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, threshold), "P",
     "P from which on a class is present (the bundle's)"},
    {"gate", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, gate), "MODE",
     "Withhold unrelated classes: on or off (on)", "on off"},
    {"max-operations", 0, G_OPTION_ARG_INT64, G_STRUCT_OFFSET (Options, max_operations), "N",
     "Operations of a network on an image at most (4e12)"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_classify = {
    .name = "classify",
    .arguments = "FILE…",
    .completions = "*",
    .min_arguments = 1,
    .max_arguments = G_MAXUINT,
    .summary = "Tag pictures and videos",
    .help =
        "FILE is a picture, a video or a URI that GStreamer plays. A star marks present classes, "
        "a dash those that the gate withholds. P is the ensemble's probability, P1 the retrained "
        "networks', P2 the original ones', P3 the best window's.",
    .manual = "A picture with at least four times the pixels of the training pictures is divided "
              "into overlapping sub-images (tiles) about as large as those, which share the "
              "windows; P is the maximum over the tiles. The figures are in the bundle's "
              "ensemble.json under “sub_images”. Use --sub-images=off where the subject fills the "
              "picture, and --sub-images=both where subjects of both sizes occur: a large picture "
              "is then classified tiled and whole, and the higher probability wins.\n\n"
              "A bundle with a gate withholds classes from pictures that resemble none of their "
              "training pictures; --json says how similar a picture is, which similarities are "
              "accepted, and why a class is withheld. --gate=off reports it all the same.\n\n"
              "--embedding adds the features of a network of the bundle to the JSON, for search by "
              "similarity: they are those of the whole picture, before the classifiers.\n\n"
              "--map writes heat maps: FILE-CLASS.png, for videos FILE-SECONDS-CLASS.png, black "
              "where the "
              "class's probability is 0, white where it is 1. With --top, those classes alone.\n\n"
              "After a file that can't be read it goes on with the next, and exits with 1 in the "
              "end.\n\n"
              "  gst-ensemble-1.0 classify -m site.ensemble --json street.mp4 | jq .classes\n"
              "  gst-ensemble-1.0 classify -m site.ensemble --map maps --top 3 square.jpg",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.windows = -1, .threshold = -1, .interval = 1},
    .run = run,
};
