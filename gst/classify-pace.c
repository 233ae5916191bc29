/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify-pace.h"

#include <string.h>

#include "classify-debug.h"
#include "ensemble/budget.h"
#include "ensemble/latency-control.h"

/* Missed periods are announced at first, then at most so often. */
#define ANNOUNCE_INTERVAL (10 * G_TIME_SPAN_SECOND)

/* Costs waver from frame to frame: after the first frames, the choice is made again now and then,
 * and at once where it gave more, whose cost may have been doubted wrongly. */
#define FIRST_FRAMES 4
#define FRAMES_BETWEEN 8

/* What a choice was made for. */
typedef struct {
  EnsEnsemble *ensemble; /* not owned: compared alone */
  guint width, height;
  gint windows;
  guint sub_images, max_sub_images, n_scales;
  gint64 budget;
} Circumstances;

struct _GstEnsemblePace {
  GstObject *owner;
  /* Of the thread that analyses, which takes its time: a choice may plan networks. */
  Circumstances circumstances;
  guint n_chosen;                   /* frames since they changed */
  EnsExtent all;                    /* what the settings ask for */
  EnsExtent chosen;                 /* what the budget pays for */
  gboolean is_trial;                /* the last choice gives more than the one before */
  gboolean told;                    /* the bus, that something is cut */
  GstEnsemblePaceSettings settings; /* of the last frame */
  EnsLatencyControl control;
  guint64 announced; /* missed results */
  gint64 last_announcement;

  GMutex lock;                   /* guards everything below; held for moments, since video waits */
  EnsExtent used;                /* what load leaves of the chosen */
  gboolean is_guess, under_load; /* how much was looked at of the last frame */
  guint n_still;                 /* frames like it */
  guint64 n_analysed;
  guint64 replaced; /* frames that were wanted, since the last result */
  GstEnsemblePaceStats stats;
};

GstEnsemblePace *
gst_ensemble_pace_new (GstObject *owner)
{
  GstEnsemblePace *pace = g_new0 (GstEnsemblePace, 1);

  pace->owner = owner;
  g_mutex_init (&pace->lock);
  gst_ensemble_pace_reset (pace);
  return pace;
}

void
gst_ensemble_pace_free (GstEnsemblePace *pace)
{
  g_mutex_clear (&pace->lock);
  g_free (pace);
}

void
gst_ensemble_pace_reset (GstEnsemblePace *pace)
{
  g_mutex_lock (&pace->lock);
  pace->circumstances = (Circumstances) {0};
  pace->all = pace->chosen = pace->used = (EnsExtent) {.sub_images = 1, .scales = 1, .frames = 1};
  pace->told = pace->is_trial = FALSE;
  pace->control = (EnsLatencyControl) {0};
  pace->is_guess = pace->under_load = FALSE;
  pace->n_still = 0;
  pace->n_analysed = pace->announced = pace->replaced = 0;
  pace->stats = (GstEnsemblePaceStats) {0};
  pace->last_announcement = 0;
  g_mutex_unlock (&pace->lock);
}

guint
gst_ensemble_pace_get_frames (GstEnsemblePace *pace)
{
  guint frames;

  g_mutex_lock (&pace->lock);
  frames = pace->used.frames;
  g_mutex_unlock (&pace->lock);
  return frames;
}

void
gst_ensemble_pace_get_stats (GstEnsemblePace *pace, GstEnsemblePaceStats *stats)
{
  g_mutex_lock (&pace->lock);
  *stats = pace->stats;
  g_mutex_unlock (&pace->lock);
}

/* ---- Before an analysis ---- */

/* Nanoseconds of processor time for a frame; 0: no limit. */
static gint64
find_budget (EnsEnsemble *ensemble, const GstEnsemblePaceSettings *settings)
{
  if (settings->cpu_budget != GST_ENSEMBLE_CPU_BUDGET_AUTO)
    return settings->cpu_budget;
  return (gint64)((double)settings->period * ens_ensemble_get_processors (ensemble)
                  * ENS_BUDGET_SHARE);
}

static Circumstances
get_circumstances (const EnsFrameSettings *frame, gint64 budget)
{
  const EnsAnalyseOptions *options = frame->options;

  return (Circumstances) {.ensemble = frame->ensemble,
                          .width = frame->width,
                          .height = frame->height,
                          .windows = options->windows,
                          .sub_images = options->sub_images,
                          .max_sub_images = options->max_sub_images,
                          .n_scales = options->n_scales,
                          .budget = budget};
}

static gboolean
are_same (const Circumstances *a, const Circumstances *b)
{
  return a->ensemble == b->ensemble && a->width == b->width && a->height == b->height
         && a->windows == b->windows && a->sub_images == b->sub_images
         && a->max_sub_images == b->max_sub_images && a->n_scales == b->n_scales;
}

/* Seconds of processor time that so much of a frame takes. */
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
  return (double)ens_stage_times_sum (&times) / GST_SECOND;
}

static const char *
plural (guint n)
{
  return n == 1 ? "" : "s";
}

/* "100 windows, 32 sub-images and 3 scales". (transfer full) */
static char *
describe_extent (const EnsExtent *extent)
{
  return g_strdup_printf ("%u window%s, %u sub-image%s and %u scale%s", extent->windows,
                          plural (extent->windows), extent->sub_images, plural (extent->sub_images),
                          extent->scales, plural (extent->scales));
}

/* What a frame costs, and what is done about it. (transfer full) */
static char *
describe (const GstEnsemblePace *pace, const EnsFrameSettings *frame)
{
  g_autofree char *all = describe_extent (&pace->all), *chosen = describe_extent (&pace->chosen);
  const double budget = (double)pace->circumstances.budget / GST_SECOND;
  const double cost = estimate (frame, &pace->all);

  if (budget <= 0)
    return g_strdup_printf ("A frame of %ux%u takes %.3g s of processor time with %s, and no "
                            "cpu-budget bounds that",
                            frame->width, frame->height, cost, all);
  if (memcmp (&pace->all, &pace->chosen, sizeof pace->all) == 0)
    return g_strdup_printf ("A frame of %ux%u takes %.3g s of processor time with %s, and the "
                            "cpu-budget has %.3g s for it",
                            frame->width, frame->height, cost, all, budget);
  return g_strdup_printf (
      "A frame of %ux%u takes %.3g s of processor time with %s, and the cpu-budget has %.3g s for "
      "it: it gets %s, %.3g s. For more set inference-period longer, cpu-budget, windows, scales "
      "or "
      "max-sub-images (cpu-budget=0: what the bundle says)",
      frame->width, frame->height, cost, all, budget, chosen, estimate (frame, &pace->chosen));
}

static gboolean
must_choose (const GstEnsemblePace *pace, const Circumstances *now)
{
  return !are_same (&pace->circumstances, now) || pace->circumstances.budget != now->budget
         || pace->is_trial || pace->n_chosen < FIRST_FRAMES || pace->n_chosen % FRAMES_BETWEEN == 0;
}

/* Returns what the bus should hear, if anything. (transfer full) */
static char *
choose (GstEnsemblePace *pace, const EnsFrameSettings *frame, const Circumstances *now)
{
  const gboolean same = are_same (&pace->circumstances, now);
  const EnsExtent before = pace->chosen;
  g_autofree char *text = NULL;

  pace->circumstances = *now;
  pace->all = ens_frame_get_extent (frame);
  pace->chosen = ens_frame_fit (frame, (double)now->budget, same ? &before : NULL);
  /* Upstream's regions are as many as there are: more of them are no trial. */
  pace->is_trial =
      same
      && ((frame->options->regions == NULL && pace->chosen.windows > before.windows)
          || pace->chosen.sub_images > before.sub_images || pace->chosen.scales > before.scales);
  if (same && pace->n_chosen != FIRST_FRAMES - 1
      && memcmp (&before, &pace->chosen, sizeof before) == 0)
    return NULL;
  text = describe (pace, frame);
  GST_INFO_OBJECT (pace->owner, "%s", text);
  /* The first frames' costs are a guess. */
  if (pace->told || pace->n_chosen < FIRST_FRAMES - 1
      || memcmp (&pace->all, &pace->chosen, sizeof pace->all) == 0)
    return NULL;
  pace->told = TRUE;
  return g_steal_pointer (&text);
}

static guint
less (guint all, guint used)
{
  return all > used ? all - used : 0;
}

EnsAnalyseOptions
gst_ensemble_pace_limit (GstEnsemblePace *pace, const EnsFrameSettings *frame,
                         const GstEnsemblePaceSettings *settings, EnsCut *cut)
{
  const Circumstances now = get_circumstances (frame, find_budget (frame->ensemble, settings));
  g_autofree char *text = NULL;
  EnsExtent used;

  if (!are_same (&pace->circumstances, &now))
    pace->n_chosen = 0;
  if (must_choose (pace, &now))
    text = choose (pace, frame, &now);
  /* Upstream's regions are as many as there are. */
  if (frame->options->regions != NULL)
    pace->all.windows = pace->chosen.windows = ens_frame_get_extent (frame).windows;
  pace->n_chosen++;
  pace->settings = *settings;
  used = ens_extent_cut (&pace->chosen, pace->control.level);
  *cut = (EnsCut) {.windows = less (pace->all.windows, used.windows),
                   .sub_images = less (pace->all.sub_images, used.sub_images),
                   .scales = less (pace->all.scales, used.scales),
                   .frames = used.frames - 1};
  g_mutex_lock (&pace->lock);
  pace->used = used;
  pace->is_guess = pace->n_chosen < FIRST_FRAMES;
  pace->under_load = pace->control.level > 0;
  pace->n_still = 0;
  pace->stats.now = *cut;
  g_mutex_unlock (&pace->lock);
  if (text != NULL)
    GST_ELEMENT_INFO (GST_ELEMENT (pace->owner), RESOURCE, SETTINGS, ("%s", text), (NULL));
  return ens_frame_limit (frame, &used);
}

/* ---- After it ---- */

gboolean
gst_ensemble_pace_wants_again (GstEnsemblePace *pace, const EnsCut *cut)
{
  gboolean wanted = FALSE;

  if (cut == NULL)
    return FALSE;
  g_mutex_lock (&pace->lock);
  if (pace->is_guess)
    wanted = TRUE;
  else if (pace->under_load)
    wanted = ++pace->n_still % FRAMES_BETWEEN == 0;
  g_mutex_unlock (&pace->lock);
  return wanted;
}

typedef struct {
  const char *verb, *property;
} Advice;

/* Lock held. What makes most of the cost and can be changed. */
static Advice
find_advice (const GstEnsemblePace *pace)
{
  const EnsExtent *used = &pace->used;
  const gboolean some_left = used->sub_images > 1 || used->windows > 0 || used->scales > 1;

  if (!some_left)
    return (Advice) {"raise", "inference-period"};
  if (pace->settings.cpu_budget == GST_ENSEMBLE_CPU_BUDGET_NONE)
    return (Advice) {"set", "cpu-budget"};
  if (pace->settings.cpu_budget != GST_ENSEMBLE_CPU_BUDGET_AUTO)
    return (Advice) {"lower", "cpu-budget"};
  if (used->sub_images > 1)
    return (Advice) {"lower", "max-sub-images"};
  return (Advice) {"lower", used->windows > 0 ? "windows" : "scales"};
}

static GstClockTime
get_period (const GstEnsemblePaceSettings *settings)
{
  return settings->period * MAX (settings->frames, 1);
}

/* Lock held. NULL: nothing to say now. (transfer full) */
static GstStructure *
announce (GstEnsemblePace *pace, const EnsResult *result, gint64 latency)
{
  const gint64 now = g_get_monotonic_time ();
  const guint64 since = pace->stats.missed - pace->announced;
  const Advice advice = find_advice (pace);
  const GstClockTime period = get_period (&pace->settings);
  g_autofree char *text = NULL;

  if (since == 0 || (pace->announced > 0 && now - pace->last_announcement < ANNOUNCE_INTERVAL))
    return NULL;
  text = g_strdup_printf ("%" G_GUINT64_FORMAT
                          " results have missed their period of %.3g s; the last frame took %.3g s "
                          "of processor time, its result came after %.3g s; %s %s",
                          pace->stats.missed, (double)period / GST_SECOND,
                          (double)result->timings.cpu / GST_SECOND, (double)latency / GST_SECOND,
                          advice.verb, advice.property);
  pace->announced = pace->stats.missed;
  pace->last_announcement = now;
  return gst_structure_new ("ensemble-period-missed", "missed", G_TYPE_UINT64, pace->stats.missed,
                            "missed-since-last", G_TYPE_UINT64, since, "analysed", G_TYPE_UINT64,
                            pace->n_analysed, "period", G_TYPE_UINT64, period, "latency",
                            G_TYPE_UINT64, (guint64)latency, "cpu", G_TYPE_UINT64,
                            (guint64)result->timings.cpu, "property", G_TYPE_STRING,
                            advice.property, "text", G_TYPE_STRING, text, NULL);
}

/* Lock held. */
static void
control_latency (GstEnsemblePace *pace, gint64 latency)
{
  const guint before = pace->control.level;
  const EnsLatencyMeasurement measured = {.now = 1000 * g_get_monotonic_time (),
                                          .latency = latency,
                                          .budget = (gint64)pace->settings.latency_budget,
                                          .n_levels = ens_extent_count_levels (&pace->chosen)};
  const guint level = ens_latency_control_step (&pace->control, &measured);

  pace->used = ens_extent_cut (&pace->chosen, level);
  if (level != before)
    GST_INFO_OBJECT (pace->owner,
                     "a latency of %" GST_TIME_FORMAT " changes the level from %u to %u of %u: %u "
                     "windows, %u sub-images, %u scales, one frame of %u",
                     GST_TIME_ARGS ((GstClockTime)latency), before, level, measured.n_levels,
                     pace->used.windows, pace->used.sub_images, pace->used.scales,
                     pace->used.frames);
}

/* Lock held. */
static void
count_missed (GstEnsemblePace *pace, gint64 latency, gint64 planning)
{
  const gint64 period = (gint64)get_period (&pace->settings);

  if (period == 0)
    return;
  if (latency - planning > period)
    pace->stats.missed++;
  if (planning <= period)
    pace->stats.missed += pace->replaced;
}

void
gst_ensemble_pace_finish (GstEnsemblePace *pace, const EnsResult *result, gint64 latency,
                          gint64 planning)
{
  GstStructure *message = NULL;

  g_mutex_lock (&pace->lock);
  /* The first analysis also plans. */
  if (pace->n_analysed++ > 0) {
    count_missed (pace, latency, planning);
    control_latency (pace, latency - planning);
    message = announce (pace, result, latency);
  }
  pace->replaced = 0;
  pace->stats.cut += result->cut != NULL;
  g_mutex_unlock (&pace->lock);
  if (message == NULL)
    return;
  GST_WARNING_OBJECT (pace->owner, "%s", gst_structure_get_string (message, "text"));
  gst_element_post_message (GST_ELEMENT (pace->owner),
                            gst_message_new_element (pace->owner, message));
}

void
gst_ensemble_pace_skip (GstEnsemblePace *pace, const GstEnsemblePaceSettings *settings)
{
  g_mutex_lock (&pace->lock);
  if (settings->strict && settings->period > 0 && pace->n_analysed > 0)
    pace->replaced++;
  g_mutex_unlock (&pace->lock);
}
