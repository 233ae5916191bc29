/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method, from a frame to probabilities; paragraph numbers in brackets are those of its source.
 *
 * M1.1       an ensemble of networks: original ones, and ones retrained on the user's classes
 * M1.9       a large frame is divided into sub-images (tiles), and each goes through what follows
 *            (sub-images.c)
 * M1.2–M1.5  each network: taps, scales, linear classifiers, calibrated sigmoid (member.c)
 * M1.6       the weighted average over networks of a role: P1 and P2 (frame-fusion.c)
 * M1.7       the largest probability over windows (region proposals): P3 (frame-windows.c)
 * M1.8       P1, P2 and P3 become P (classify/fusion.h), against a threshold (frame-fusion.c)
 * M1.9       the sub-images' P are a map; the frame's P is the map's maximum (frame-fusion.c)
 * M5         what the networks see is the frame, or the frame adapted by a style (style.c)
 * M2         a class is withheld where the image is not similar enough to its training images
 *            (frame-fusion.c)
 *
 * A frame that is not divided is its own only sub-image; if the whole frame is classified too, it
 * is another, outside the map.
 *
 * Source: Image Classification Method, Electronic Device, and Storage Medium, US 2018/0012107 A1.
 */
#include <string.h>

#include "base/cancel.h"
#include "engine/device-private.h"
#include "engine/jobs.h"
#include "ensemble/bundle-private.h"
#include "ensemble/ensemble-private.h"
#include "ensemble/frame-crop.h"
#include "ensemble/frame-embedding.h"
#include "ensemble/frame-fusion.h"
#include "ensemble/still-tiles.h"

struct _EnsAnalysis {
  EnsEnsemble *ensemble;
  EnsJobs *jobs;           /* of a frame */
  EnsBatchSeat *seat;      /* among the ensemble's analyses */
  EnsMemberJobs **members; /* as many as networks */
  EnsWindowSearch *search;
  EnsStyleRun *style;
  EnsStillTiles *still;
  EnsKeptEmbedding embedding;
  guint refused[ENS_MAX_SCALES]; /* given scales that could not be planned, the latest ones */
  guint n_refused;
  EnsWork work;    /* done for the last frame */
  gint64 planning; /* the same */
};

/* The state of one frame's analysis. */
typedef struct {
  EnsAnalysis *analysis;
  const EnsBundle *bundle;
  const EnsFrame *frame;
  const EnsAnalyseOptions *options;
  EnsSubImages *sub_images;
  const gboolean *still; /* of each sub-image: has what it had in the frame before */
  EnsTileValues values;
  EnsResult *result;
  gint embedding; /* the network that it is of; -1: none is wanted */
  EnsEmbeddingRun embedding_run;
  gint64 planning;
  EnsWork work; /* done so far, and in what processor time */
  EnsStageTimes times;
} FrameState;

static void
frame_state_clear (FrameState *state)
{
  g_clear_pointer (&state->sub_images, ens_sub_images_free);
  ens_tile_values_clear (&state->values);
  ens_embedding_run_clear (&state->embedding_run);
  g_clear_pointer (&state->result, ens_result_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FrameState, frame_state_clear)

EnsAnalysis *
ens_analysis_new (EnsEnsemble *ensemble)
{
  EnsAnalysis *analysis = g_new0 (EnsAnalysis, 1);

  analysis->ensemble = ens_ensemble_ref (ensemble);
  analysis->jobs = ens_jobs_new (ensemble->device, TRUE);
  analysis->members = g_new0 (EnsMemberJobs *, ensemble->bundle->n_networks);
  for (guint n = 0; n < ensemble->bundle->n_networks; n++)
    analysis->members[n] = ens_member_jobs_new_among (ensemble->members[n], analysis->jobs);
  analysis->search = ens_window_search_new (ensemble->bundle->windows_preset);
  analysis->style = ens_style_run_new (ensemble->device);
  analysis->still = ens_still_tiles_new ();
  ens_kept_embedding_clear (&analysis->embedding);
  analysis->seat = ens_batcher_join (ensemble->batcher);
  ens_ensemble_count_analyses (ensemble, 1);
  return analysis;
}

void
ens_analysis_free (EnsAnalysis *analysis)
{
  if (analysis == NULL)
    return;
  for (guint n = 0; n < analysis->ensemble->bundle->n_networks; n++)
    ens_member_jobs_free (analysis->members[n]);
  g_free (analysis->members);
  ens_jobs_free (analysis->jobs);
  ens_batch_seat_leave (analysis->seat);
  ens_window_search_free (analysis->search);
  ens_style_run_free (analysis->style);
  ens_still_tiles_free (analysis->still);
  ens_kept_embedding_clear (&analysis->embedding);
  ens_ensemble_count_analyses (analysis->ensemble, -1);
  ens_ensemble_unref (analysis->ensemble);
  g_free (analysis);
}

EnsEnsemble *
ens_analysis_get_ensemble (const EnsAnalysis *analysis)
{
  return analysis->ensemble;
}

const EnsWork *
ens_analysis_get_work (const EnsAnalysis *analysis)
{
  return &analysis->work;
}

double
ens_analysis_get_batch (const EnsAnalysis *analysis)
{
  const EnsJobTimes *times = ens_jobs_get_times (analysis->jobs);

  return times->runs > 0 ? (double)times->frames / times->runs : 0;
}

/* ---- Whole sub-images (M1.2–M1.5) ---- */

/* Whether a sub-image is the frame whose features by this network are wanted. */
static gboolean
is_embedded (const FrameState *state, guint n, guint sub_image)
{
  return state->embedding == (gint)n
         && ens_sub_images_find_whole (state->sub_images) == (gint)sub_image;
}

/* One network's probabilities of n sub-images of one size, from the first on [30–34, 38–47]. */
static gboolean
classify_sub_images (FrameState *state, guint n, guint first, guint n_sub_images, GError **error)
{
  guint n_scales;
  const guint *scales =
      ens_ensemble_get_scales (state->analysis->ensemble, n, state->options, &n_scales);
  gsize offset = (gsize)first * state->bundle->n_classes;
  const EnsMemberImages images = {
      .frame = state->frame,
      .rects = &state->sub_images->rects[first],
      .n_rects = n_sub_images,
      .scales = scales,
      .n_scales = n_scales,
      .similarities =
          state->values.similarities != NULL ? &state->values.similarities[offset] : NULL,
      .features = is_embedded (state, n, first) ? state->result->embedding->values : NULL,
  };
  float *probabilities = ens_tile_values_get (&state->values, n) + offset;

  return ens_member_jobs_run_whole (state->analysis->members[n], &images, probabilities, error);
}

/* How many sub-images from `first` on are all still, or all not. */
static guint
count_alike (const FrameState *state, guint first, guint end)
{
  guint n = 1;

  while (first + n < end && state->still[first + n] == state->still[first])
    n++;
  return n;
}

/* Those from first to end - 1 that are not still. */
static gboolean
classify_moved (FrameState *state, guint n, guint first, guint end, GError **error)
{
  for (guint count; first < end; first += count) {
    count = count_alike (state, first, end);
    if (!state->still[first] && !classify_sub_images (state, n, first, count, error))
      return FALSE;
  }
  return TRUE;
}

/* The sub-images of the map, and the frame as one, if that is wanted too. */
static gboolean
classify_whole (FrameState *state, GError **error)
{
  guint n_map = ens_sub_images_get_map_size (state->sub_images);

  for (guint n = 0; n < state->bundle->n_networks; n++)
    if (!classify_moved (state, n, 0, n_map, error)
        || (state->sub_images->with_whole && !classify_moved (state, n, n_map, n_map + 1, error)))
      return FALSE;
  return TRUE;
}

static guint
count_still (const FrameState *state)
{
  guint n = 0;

  for (guint s = 0; s < ens_sub_images_get_size (state->sub_images); s++)
    n += state->still[s] ? 1 : 0;
  return n;
}

/* What classifying has not given: the embedding of a frame that is divided, or still. */
static gboolean
embed (FrameState *state, GError **error)
{
  gint whole = ens_sub_images_find_whole (state->sub_images);
  gboolean still = count_still (state) == ens_sub_images_get_size (state->sub_images);
  guint n = (guint)state->embedding;
  EnsMemberImages image = {.frame = state->frame, .rects = &ENS_RECT_WHOLE, .n_rects = 1};

  if (state->embedding < 0 || (whole >= 0 && !state->still[whole])
      || (still
          && ens_kept_embedding_restore (&state->analysis->embedding, state->embedding,
                                         state->result)))
    return TRUE;
  image.scales =
      ens_ensemble_get_scales (state->analysis->ensemble, n, state->options, &image.n_scales);
  image.features = state->result->embedding->values;
  return ens_embedding_run_add (&state->embedding_run, state->analysis->ensemble->members[n],
                                state->analysis->members[n], &image, error);
}

/* ---- Windows (M1.7) ---- */

/* Windows of all sub-images, at most as many as wanted [58–60]. (transfer full) */
static EnsFrameWindows *
find_windows (const FrameState *state, EnsThreadPool *pool)
{
  const EnsAnalyseOptions *options = state->options;
  guint wanted = options->windows >= 0 ? (guint)options->windows : state->bundle->windows;

  if (!ens_ensemble_takes_windows (state->analysis->ensemble))
    return ens_frame_windows_none (state->sub_images);
  if (options->regions != NULL)
    return ens_frame_windows_given (state->sub_images, options->regions,
                                    options->windows < 0 ? options->n_regions
                                                         : MIN (wanted, options->n_regions));
  return ens_frame_windows_search (&(EnsFrameWindowsSource) {
      .frame = state->frame,
      .sub_images = state->sub_images,
      .count = wanted,
      .search = state->analysis->search,
      .pool = pool,
      .still = state->still,
      .before = ens_still_tiles_get_windows (state->analysis->still),
  });
}

/* The same, and what it costs. */
static EnsFrameWindows *
search_windows (FrameState *state, EnsThreadPool *pool)
{
  gint64 start = ens_thread_pool_get_cpu_time ();
  EnsFrameWindows *windows = find_windows (state, pool);

  if (state->options->regions != NULL || ens_frame_windows_get_size (windows) == 0)
    return windows;
  state->work.amounts[ENS_STAGE_SEARCH] =
      ens_sub_images_count_pixels (state->sub_images, state->bundle->windows_preset, state->still);
  state->times.nanoseconds[ENS_STAGE_SEARCH] = ens_thread_pool_get_cpu_time () - start;
  return windows;
}

/* Windows that were searched are still where their sub-images are. */
static gboolean
windows_are_reused (const FrameState *state)
{
  return state->options->regions == NULL;
}

/* The probabilities of n windows by one of the retrained networks, the i-th of them. */
static gboolean
classify_some_windows (FrameState *state, guint i, guint first, guint n, GError **error)
{
  EnsResult *result = state->result;
  EnsRoleNetworks networks = ens_bundle_list_role (state->bundle, ENS_ROLE_RETRAINED);
  g_autofree EnsRect *rects = g_new (EnsRect, n);
  EnsMemberImages windows = {state->frame, rects, n};
  float *values =
      &state->values.window_values[((gsize)i * result->n_windows + first) * result->n_classes];

  for (guint w = 0; w < n; w++)
    rects[w] = result->windows[first + w].rect;
  if (ens_member_has_gate (state->analysis->ensemble->members[networks.index[i]]))
    windows.similarities = &state->values.window_similarities[(gsize)first * result->n_classes];
  return ens_member_jobs_run_windows (state->analysis->members[networks.index[i]], &windows, values,
                                      error);
}

/* The windows of sub-images that are not still, as many at once as possible. */
static gboolean
classify_moved_windows (FrameState *state, guint i, GError **error)
{
  const guint *first = state->values.windows->first;
  const guint n_sub_images = ens_sub_images_get_size (state->sub_images);

  if (!windows_are_reused (state))
    return classify_some_windows (state, i, 0, state->result->n_windows, error);
  for (guint s = 0, count; s < n_sub_images; s += count) {
    guint n_windows;

    count = count_alike (state, s, n_sub_images);
    n_windows = first[s + count] - first[s];
    if (!state->still[s] && n_windows > 0
        && !classify_some_windows (state, i, first[s], n_windows, error))
      return FALSE;
  }
  return TRUE;
}

/* Each window's probabilities by the retrained networks [61–64]. */
static gboolean
classify_windows (FrameState *state, GError **error)
{
  EnsResult *result = state->result;
  EnsRoleNetworks networks = ens_bundle_list_role (state->bundle, ENS_ROLE_RETRAINED);
  gsize n_values = (gsize)result->n_windows * result->n_classes;

  state->values.n_window_networks = networks.n;
  state->values.window_values = g_new (float, n_values *networks.n);
  for (guint i = 0; i < networks.n; i++) {
    if (ens_member_has_gate (state->analysis->ensemble->members[networks.index[i]]))
      state->values.window_similarities = g_new (float, n_values);
    if (!classify_moved_windows (state, i, error))
      return FALSE;
  }
  return TRUE;
}

/* What the jobs have done since the last call. */
static void
count_stage (FrameState *state, EnsStage stage)
{
  const EnsJobTimes *times = ens_jobs_get_times (state->analysis->jobs);
  double *amounts = state->work.amounts;
  gint64 *spent = state->times.nanoseconds;
  EnsStage other = stage == ENS_STAGE_WHOLE ? ENS_STAGE_WINDOWS : ENS_STAGE_WHOLE;

  amounts[stage] = times->operations - amounts[other];
  spent[stage] = times->networks_cpu - spent[other];
  amounts[ENS_STAGE_PREPARE] = times->pixels;
  spent[ENS_STAGE_PREPARE] = times->prepare_cpu;
}

/* Jobs that wait run together, whatever stage they are of. */
static void
share_out (FrameState *state)
{
  const EnsJobTimes *times = ens_jobs_get_times (state->analysis->jobs);

  for (EnsStage stage = ENS_STAGE_WHOLE; stage <= ENS_STAGE_WINDOWS; stage++)
    if (times->operations > 0)
      state->times.nanoseconds[stage] =
          (gint64)((double)times->networks_cpu * state->work.amounts[stage] / times->operations);
}

/* All networks on all their images. On a GPU they run together, after all images are preprocessed.
 */
static gboolean
classify_all (FrameState *state, GError **error)
{
  EnsJobs *jobs = state->analysis->jobs;

  if (!classify_whole (state, error) || !embed (state, error))
    return FALSE;
  count_stage (state, ENS_STAGE_WHOLE);
  if ((state->result->n_windows > 0 && !classify_windows (state, error))
      || !ens_jobs_run (jobs, error))
    return FALSE;
  count_stage (state, state->result->n_windows > 0 ? ENS_STAGE_WINDOWS : ENS_STAGE_WHOLE);
  if (ens_jobs_wait (jobs))
    share_out (state);
  ens_still_tiles_restore (state->analysis->still, &state->values, windows_are_reused (state));
  return TRUE;
}

/* The same, in batches with other analyses if the options say so. */
static gboolean
classify (FrameState *state, GError **error)
{
  const EnsBatchSettings batch = {state->options->batch_size, state->options->batch_timeout};
  EnsBatchSeat *seat = state->analysis->seat;
  EnsJobs *jobs = state->analysis->jobs;
  gboolean done;

  ens_jobs_discard (jobs); /* what an error has left */
  ens_jobs_set_cancellable (jobs, state->options->cancellable);
  ens_jobs_set_seat (jobs, batch.size > 1 ? seat : NULL);
  ens_batch_seat_begin (seat, &batch);
  done = classify_all (state, error);
  ens_batch_seat_end (seat);
  return done;
}

/* ---- A frame ---- */

static void
add_map (EnsResult *result, const EnsSubImages *sub_images)
{
  EnsProbabilityMap *map;

  ens_result_add_map (result, sub_images->columns, sub_images->rows);
  map = result->map;
  for (guint i = 0; i < map->columns; i++)
    map->x[i] = sub_images->rects[i].x;
  for (guint i = 0; i < map->rows; i++)
    map->y[i] = sub_images->rects[i * map->columns].y;
  map->width = sub_images->rects[0].width;
  map->height = sub_images->rects[0].height;
}

/* What the windows are, if they were given. */
static void
name_regions (EnsResult *result, const EnsFrameWindows *windows, const EnsRegionOrigin *origins)
{
  if (origins == NULL || windows->given == NULL)
    return;
  result->regions = g_new0 (EnsRegionOrigin, result->n_windows);
  for (guint w = 0; w < result->n_windows; w++)
    result->regions[w] = origins[windows->given[w]];
}

static gint
find_embedding (const FrameState *state)
{
  const char *name = state->options->embedding;

  return name != NULL ? ens_ensemble_find_network (state->analysis->ensemble, name, NULL) : -1;
}

/* (transfer full) */
static EnsResult *
make_result (const FrameState *state, guint64 pts)
{
  const EnsBundle *bundle = state->bundle;
  guint n_windows = ens_frame_windows_get_size (state->values.windows);
  const char *names[ENS_MAX_NETWORKS];
  EnsResult *result;

  for (guint n = 0; n < bundle->n_networks; n++)
    names[n] = bundle->networks[n].name;
  result = ens_result_new ((const char *const *)bundle->classes, bundle->n_classes, names,
                           bundle->n_networks, n_windows);
  if (n_windows > 0)
    memcpy (result->windows, state->values.windows->windows, n_windows * sizeof *result->windows);
  name_regions (result, state->values.windows, state->options->origins);
  if (ens_sub_images_get_size (state->sub_images) > 1
      || state->options->sub_images == ENS_SUB_IMAGES_ON)
    add_map (result, state->sub_images);
  result->pts = pts;
  result->width = state->frame->width;
  result->height = state->frame->height;
  result->bundle = g_strdup (bundle->name);
  result->version = g_strdup (bundle->version);
  if (state->options->style != NULL)
    result->style = g_strdup (ens_style_get_name (state->options->style));
  if (state->embedding >= 0)
    ens_result_add_embedding (
        result, (guint)state->embedding,
        ens_member_get_n_features (state->analysis->ensemble->members[state->embedding]));
  return result;
}

/* For what is computed of sub-images. */
static void
make_room (FrameState *state)
{
  const EnsBundle *bundle = state->bundle;
  const gsize n_values = (gsize)ens_sub_images_get_size (state->sub_images) * bundle->n_classes;

  state->values.n_networks = bundle->n_networks;
  state->values.n_classes = bundle->n_classes;
  state->values.probabilities = g_new (float, n_values * bundle->n_networks);
  if (bundle->gate != NULL)
    state->values.similarities = g_new (float, n_values);
}

/* What the networks see, from here on (M5). */
static gboolean
adapt (FrameState *state, GError **error)
{
  gint64 start = ens_thread_pool_get_cpu_time ();

  if (state->options->style == NULL
      || count_still (state) == ens_sub_images_get_size (state->sub_images))
    return TRUE;
  state->frame = ens_style_run (state->analysis->style, state->options->style, state->frame,
                                state->options->cancellable, error);
  state->planning = ens_style_run_get_planning (state->analysis->style);
  state->work.amounts[ENS_STAGE_STYLE] = 1;
  state->times.nanoseconds[ENS_STAGE_STYLE] = ens_thread_pool_get_cpu_time () - start;
  return state->frame != NULL;
}

/* adapted: whether it came as far as the scales. */
static EnsResult *
analyse (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
         const EnsAnalyseOptions *options, gboolean *adapted, GError **error)
{
  const EnsBundle *bundle = analysis->ensemble->bundle;
  g_auto (FrameState) state = {analysis, bundle, frame, options};
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new_cancellable (
      ens_device_get_pool (analysis->ensemble->device), options->cancellable);
  gint64 start = g_get_monotonic_time (), start_cpu = ens_thread_pool_get_cpu_time ();
  gint64 found, prepared;
  const EnsJobTimes *times;

  *adapted = FALSE;
  state.sub_images = ens_sub_images_new (bundle, state.options, frame->width, frame->height);
  state.still = ens_still_tiles_find (analysis->still, frame, state.sub_images, options);
  state.values.windows = search_windows (&state, pool);
  found = g_get_monotonic_time ();
  if (!ens_check_cancelled (options->cancellable, error) || !adapt (&state, error))
    return NULL;
  *adapted = TRUE;
  prepared = g_get_monotonic_time ();
  state.embedding = find_embedding (&state);
  state.result = make_result (&state, pts);
  make_room (&state);
  if (!classify (&state, error))
    return NULL;
  ens_frame_fuse (
      &(EnsFrameFusion) {bundle, options, state.sub_images, &state.values, state.result}, pool);
  if (!ens_check_cancelled (options->cancellable, error))
    return NULL;
  state.result->reused = count_still (&state);
  ens_still_tiles_keep (analysis->still, frame, &state.values);
  ens_kept_embedding_keep (&analysis->embedding, state.embedding, state.result);
  times = ens_jobs_get_times (analysis->jobs);
  state.result->timings = (EnsTimings) {.windows = 1000 * (found - start),
                                        .prepare = times->prepare + 1000 * (prepared - found),
                                        .networks = times->networks,
                                        .total = 1000 * (g_get_monotonic_time () - start),
                                        .cpu = ens_thread_pool_get_cpu_time () - start_cpu};
  analysis->work = state.work;
  analysis->planning = state.planning + times->planning;
  ens_costs_learn (analysis->ensemble->costs, &state.work, &state.times);
  return g_steal_pointer (&state.result);
}

gint64
ens_analysis_get_planning (const EnsAnalysis *analysis)
{
  return analysis->planning;
}

/* ---- Scales that can't be had ---- */

static gboolean
are_refused (const EnsAnalysis *analysis, const EnsAnalyseOptions *options)
{
  return options->n_scales == analysis->n_refused
         && memcmp (options->scales, analysis->refused, options->n_scales * sizeof *options->scales)
                == 0;
}

/* Whether given scales are at fault: then the bundle's own take their place from now on. */
static gboolean
refuse_scales (EnsAnalysis *analysis, const EnsAnalyseOptions *options, const GError *reason)
{
  if (options->n_scales == 0
      || (!g_error_matches (reason, ENS_ERROR, ENS_ERROR_SHAPE)
          && !g_error_matches (reason, ENS_ERROR, ENS_ERROR_RESOURCE)))
    return FALSE;
  analysis->n_refused = options->n_scales;
  memcpy (analysis->refused, options->scales, options->n_scales * sizeof *options->scales);
  ens_device_warn (analysis->ensemble->device, "the bundle's scales are used, because: %s",
                   reason->message);
  return TRUE;
}

static EnsResult *
analyse_at_scales (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                   const EnsAnalyseOptions *options, GError **error)
{
  EnsAnalyseOptions given = *options;
  g_autoptr (GError) reason = NULL;
  gboolean adapted;
  EnsResult *result;

  if (given.n_scales > 0 && are_refused (analysis, &given))
    given.n_scales = 0;
  result = analyse (analysis, frame, pts, &given, &adapted, &reason);
  if (result != NULL)
    return result;
  if (adapted && refuse_scales (analysis, &given, reason)) {
    given.n_scales = 0;
    return analyse (analysis, frame, pts, &given, &adapted, error);
  }
  g_propagate_error (error, g_steal_pointer (&reason));
  return NULL;
}

EnsResult *
ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                  const EnsAnalyseOptions *options, GError **error)
{
  g_auto (EnsFrameCrop) crop = {0};
  EnsResult *result;

  g_return_val_if_fail (options == NULL || options->n_scales <= ENS_MAX_SCALES, NULL);

  if (!ens_frame_validate (frame, error))
    return NULL;
  ens_frame_crop_init (&crop, frame, options != NULL ? options : &ENS_ANALYSE_DEFAULTS);
  result = analyse_at_scales (analysis, &crop.frame, pts, &crop.options, error);
  if (result != NULL)
    ens_frame_crop_place_result (&crop, result);
  return result;
}
