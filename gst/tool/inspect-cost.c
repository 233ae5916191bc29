/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a frame costs a bundle, and what a camera gets of it. */
#include "engine/limits.h"
#include "ensemble/budget.h"
#include "ensemble/frame-cost.h"
#include "inspect.h"
#include "table.h"
#include "vision/picture.h"

/* The first run also plans. */
#define N_RUNS 3

/* The drawn frame: so many rectangles of any size and colour, and noise of a few levels. */
#define N_RECTANGLES 200
#define MAX_SIDE 400
#define NOISE 8

static void
fill_rectangle (guint8 *pixels, const EnsFrame *frame, GRand *random)
{
  guint left = g_rand_int_range (random, 0, (gint32)frame->width);
  guint top = g_rand_int_range (random, 0, (gint32)frame->height);
  guint right = left + (guint)g_rand_int_range (random, 1, MAX_SIDE);
  guint bottom = top + (guint)g_rand_int_range (random, 1, MAX_SIDE);
  guint32 colour = g_rand_int (random);

  for (guint y = top; y < MIN (bottom, frame->height); y++)
    for (guint x = 3 * left; x < 3 * MIN (right, frame->width); x++)
      pixels[y * frame->strides[0] + x] =
          (guint8)((colour >> 8 * (x % 3) & 0xef) + (guint)g_rand_int_range (random, 0, NOISE));
}

/* (transfer full) */
static EnsPicture *
draw_frame (guint width, guint height)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  guint8 *pixels = ens_picture_get_pixels (picture, 0);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < N_RECTANGLES; i++)
    fill_rectangle (pixels, &picture->frame, random);
  return picture;
}

static gboolean
measure (const EnsFrameSettings *frame, EnsTimings *timings, GError **error)
{
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (frame->ensemble);
  g_autoptr (EnsPicture) picture = draw_frame (frame->width, frame->height);

  for (guint i = 0; i < N_RUNS; i++) {
    g_autoptr (EnsResult) result =
        ens_analysis_run (analysis, &picture->frame, 0, frame->options, error);

    if (result == NULL)
      return FALSE;
    *timings = result->timings;
  }
  return TRUE;
}

static void
print_stages (const EnsWork *work, const EnsStageTimes *estimated, const EnsStageTimes *measured)
{
  g_autoptr (ToolTable) table =
      tool_table_new ("stage|>amount|unit|>seconds estimated|>seconds measured");

  for (guint i = 0; i < ENS_N_STAGES; i++) {
    g_autofree char *amount = ens_format_operations (work->amounts[i]);

    if (!(work->amounts[i] > 0))
      continue;
    tool_table_row (table);
    tool_table_cell (table, "%s", ens_stage_names[i]);
    tool_table_cell (table, "%s", amount);
    tool_table_cell (table, "%s", ens_stage_units[i]);
    tool_table_cell (table, "%.3f", (double)estimated->nanoseconds[i] / 1e9);
    tool_table_cell (table, "%.3f", (double)measured->nanoseconds[i] / 1e9);
  }
  tool_table_print (table);
}

/* Seconds of processor time. */
static double
estimate (const EnsFrameSettings *frame, const EnsExtent *extent)
{
  const EnsAnalyseOptions options = ens_frame_limit (frame, extent);
  const EnsFrameSettings limited = {frame->ensemble, &options, frame->width, frame->height};
  EnsStageTimes times;
  EnsWork work;

  if (!ens_frame_count_work (&limited, &work, NULL))
    return 0;
  times = ens_frame_estimate (frame->ensemble, &work);
  return (double)ens_stage_times_sum (&times) / 1e9;
}

static void
print_choices (const EnsFrameSettings *frame, guint n_processors)
{
  static const guint cameras[] = {1, 4};
  g_autoptr (ToolTable) table = tool_table_new (
      ">cameras|>seconds for a frame|>windows|>sub-images|>scales|>seconds estimated");

  for (guint i = 0; i < G_N_ELEMENTS (cameras); i++) {
    const double budget = ENS_BUDGET_SHARE * n_processors / cameras[i];
    const EnsExtent extent = ens_frame_fit (frame, 1e9 * budget, NULL);

    tool_table_row (table);
    tool_table_cell (table, "%u", cameras[i]);
    tool_table_cell (table, "%.3f", budget);
    tool_table_cell (table, "%u", extent.windows);
    tool_table_cell (table, "%u", extent.sub_images);
    tool_table_cell (table, "%u", extent.scales);
    tool_table_cell (table, "%.3f", estimate (frame, &extent));
  }
  tool_table_print (table);
}

/* "1920x1080". */
static gboolean
parse_size (const char *text, guint *width, guint *height, GError **error)
{
  g_auto (GStrv) sides = g_strsplit (text, "x", 2);
  guint64 values[2];

  for (guint i = 0; i < 2; i++)
    if (sides[i] == NULL
        || !g_ascii_string_to_unsigned (sides[i], 10, 1, ENS_FRAME_MAX_SIZE, &values[i], NULL)) {
      g_set_error (error, TOOL_ERROR_USAGE, 0,
                   "--frame: expected WIDTHxHEIGHT, sides of 1 to %d pixels, found “%s”",
                   ENS_FRAME_MAX_SIZE, text);
      return FALSE;
    }
  *width = (guint)values[0];
  *height = (guint)values[1];
  return TRUE;
}

gboolean
tool_inspect_cost (const char *path, const char *size, const char *device_name, GError **error)
{
  static const EnsAnalyseOptions options = {.windows = -1, .threshold = -1};
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  EnsFrameSettings frame = {.options = &options};
  EnsStageTimes estimated, measured;
  EnsTimings timings;
  EnsExtent all;
  EnsWork work;
  guint n_threads;

  if (!parse_size (size, &frame.width, &frame.height, error))
    return FALSE;
  device = tool_open_device (device_name, 0, error);
  ensemble = device != NULL ? ens_ensemble_open (path, device, error) : NULL;
  frame.ensemble = ensemble;
  if (ensemble == NULL || !ens_frame_count_work (&frame, &work, error))
    return FALSE;
  estimated = ens_frame_estimate (ensemble, &work);
  if (!measure (&frame, &timings, error))
    return FALSE;
  measured = ens_frame_estimate (ensemble, &work);
  all = ens_frame_get_extent (&frame);
  n_threads = ens_thread_pool_get_threads (ens_device_get_pool (device));
  g_print ("\na frame of %ux%u on %s: %u windows, %u sub-images\n"
           "%.3f s of processor time, %.3f s on %u thread%s (a drawn frame)\n",
           frame.width, frame.height, ens_device_get_description (device), all.windows,
           all.sub_images, (double)timings.cpu / 1e9, (double)timings.total / 1e9, n_threads,
           n_threads == 1 ? "" : "s");
  print_stages (&work, &estimated, &measured);
  g_print ("\nat one frame a second a live camera gets by default, of %.0f %% of the processors' "
           "time\n",
           100 * ENS_BUDGET_SHARE);
  print_choices (&frame, n_threads);
  g_print ("(ensembleclassify's inference-period and cpu-budget change that; windows, sub-images "
           "and max-sub-images set it)\n");
  return TRUE;
}
