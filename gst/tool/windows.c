/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/boxes.h"
#include "decode.h"
#include "progress.h"
#include "table.h"
#include "tool.h"
#include "vision/recall.h"
#include "vision/selective-search.h"

static const guint list_sizes[] = {10, 100, 1000, 0};
static const float thresholds[] = {0.5f, 0.7f};

typedef struct {
  EnsWindowSearch *search;
  EnsThreadPool *pool;
  GHashTable *classes; /* label → index + 1 */
  EnsRecall *recall;
  guint n_images;
  gint64 microseconds;
} Measurement;

static void
measurement_clear (Measurement *measurement)
{
  g_clear_pointer (&measurement->search, ens_window_search_free);
  g_clear_pointer (&measurement->pool, ens_thread_pool_unref);
  g_clear_pointer (&measurement->classes, g_hash_table_unref);
  g_clear_pointer (&measurement->recall, ens_recall_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Measurement, measurement_clear)

static GHashTable *
number_classes (GPtrArray *images)
{
  GHashTable *classes = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < images->len; i++) {
    const EnsBoxedImage *image = g_ptr_array_index (images, i);

    for (guint b = 0; b < image->boxes->len; b++) {
      char *label = g_array_index (image->boxes, EnsBox, b).label;

      if (!g_hash_table_contains (classes, label))
        g_hash_table_insert (classes, label, GUINT_TO_POINTER (g_hash_table_size (classes) + 1));
    }
  }
  return classes;
}

/* The boxes that count. (transfer full, EnsObject) */
static GArray *
collect_objects (const Measurement *measurement, const EnsBoxedImage *image)
{
  GArray *objects = g_array_new (FALSE, FALSE, sizeof (EnsObject));

  for (guint i = 0; i < image->boxes->len; i++) {
    const EnsBox *box = &g_array_index (image->boxes, EnsBox, i);
    EnsObject object = {.rect = box->rect};

    if (box->difficult || box->crowd || box->rect.width <= 0)
      continue;
    object.class_index =
        GPOINTER_TO_UINT (g_hash_table_lookup (measurement->classes, box->label)) - 1;
    g_array_append_val (objects, object);
  }
  return objects;
}

static gboolean
measure_image (Measurement *measurement, const EnsFrameOpener *opener, const EnsBoxedImage *image,
               GError **error)
{
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (opener, image->path, error);
  g_autoptr (GArray) objects = NULL;
  const EnsWindow *windows;
  gint64 start;
  guint n;

  if (picture == NULL)
    return FALSE;
  start = g_get_monotonic_time ();
  n = ens_window_search_run (measurement->search, &picture->frame, G_MAXUINT, measurement->pool,
                             &windows);
  measurement->microseconds += g_get_monotonic_time () - start;
  measurement->n_images++;
  objects = collect_objects (measurement, image);
  ens_recall_add (measurement->recall, windows, n, (const EnsObject *)objects->data, objects->len);
  return TRUE;
}

static void
print_table (const Measurement *measurement)
{
  const EnsRecall *recall = measurement->recall;
  g_autoptr (ToolTable) table =
      tool_table_new ("best|>windows|>recall at IoU 0.5|>at IoU 0.7|>ABO|>MABO");

  g_print ("%u images, %u boxes of %u classes, %.1f ms an image\n\n", measurement->n_images,
           ens_recall_get_objects (recall), g_hash_table_size (measurement->classes),
           (double)measurement->microseconds / 1e3 / MAX (measurement->n_images, 1));
  for (guint i = 0; i < G_N_ELEMENTS (list_sizes); i++) {
    tool_table_row (table);
    if (list_sizes[i] > 0)
      tool_table_cell (table, "%u", list_sizes[i]);
    else
      tool_table_cell (table, "all");
    tool_table_cell (table, "%.1f", ens_recall_get_windows (recall, i));
    for (guint t = 0; t < G_N_ELEMENTS (thresholds); t++)
      tool_table_cell (table, "%.3f", ens_recall_get_recall (recall, i, t));
    tool_table_cell (table, "%.3f", ens_recall_get_abo (recall, i));
    tool_table_cell (table, "%.3f", ens_recall_get_mabo (recall, i));
  }
  tool_table_print (table);
}

static gboolean
measure (Measurement *measurement, GPtrArray *images, GError **error)
{
  const EnsRecallSettings settings = {.n_lists = G_N_ELEMENTS (list_sizes),
                                      .list_sizes = list_sizes,
                                      .n_thresholds = G_N_ELEMENTS (thresholds),
                                      .thresholds = thresholds};
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (ToolProgress) progress = tool_progress_new ();
  guint n_failed = 0;

  measurement->classes = number_classes (images);
  measurement->recall = ens_recall_new (&settings, g_hash_table_size (measurement->classes));
  for (guint i = 0; i < images->len; i++) {
    g_autoptr (GError) failure = NULL;

    tool_progress_report (progress, "images", i, images->len);
    if (measure_image (measurement, gst_ensemble_decoder_get_opener (decoder), images->pdata[i],
                       &failure))
      continue;
    n_failed++;
    g_printerr ("%s\n", failure->message);
  }
  tool_progress_report (progress, "images", images->len, images->len);
  if (measurement->n_images > 0)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "none of %u images could be read", n_failed);
  return FALSE;
}

typedef struct {
  char *preset;
  gint threads;
} Options;

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_auto (Measurement) measurement = {0};
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) images = NULL;
  EnsWindowsPreset preset = ENS_WINDOWS_BALANCED;

  if (!tool_parse_preset ("--preset", options->preset, &preset, error)
      || !tool_check_least ("--threads", options->threads, 0, error))
    return FALSE;
  images = ens_boxes_load (arguments[0], notes, error);
  if (images == NULL)
    return FALSE;
  for (guint i = 0; i < notes->len; i++)
    g_printerr ("%s\n", (const char *)notes->pdata[i]);
  measurement.search = ens_window_search_new (preset);
  measurement.pool = ens_thread_pool_new ((guint)options->threads);
  if (!measure (&measurement, images, error))
    return FALSE;
  print_table (&measurement);
  return TRUE;
}

static const ToolOption option_table[] = {
    {"preset", 'p', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, preset), "NAME",
     "fast, balanced or quality (balanced)", "fast balanced quality"},
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_windows = {
    .name = "windows",
    .arguments = "DATASET",
    .completions = "/ *.csv *.json",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Measure the recall of region proposals (windows) on known boxes",
    .help = "DATASET is a folder in Pascal VOC's or COCO's layout, one file of COCO's annotations, "
            "or a CSV file with the columns file, width, height, class, xmin, ymin, xmax, ymax "
            "beside a folder of images.",
    .manual = "Of the best 10, 100 and 1000 windows, and of all, it prints how many of the boxes "
              "they cover with at least that intersection over union. ABO is the average best "
              "overlap, MABO its mean over classes.",
    .options = option_table,
    .options_size = sizeof (Options),
    .run = run,
};
