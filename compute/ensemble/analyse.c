/* The method, from a frame to probabilities; paragraph numbers in brackets are those of its source.
 *
 * M1.1       an ensemble of networks: original ones, and ones retrained on the user's classes
 * M1.2–M1.5  each network: taps, scales, linear classifiers, calibrated sigmoid (member.c)
 * M1.6       the weighted average over networks of a role: P1 and P2
 * M1.7       the largest probability over windows: P3
 * M1.8       P = w·P1 + (1 - w)·max (P2, P3), against a threshold
 *
 * Source: Image Classification Method, Electronic Device, and Storage Medium, US 2018/0012107 A1.
 */
#include <string.h>

#include "classify/fusion.h"
#include "ensemble/bundle-files.h"
#include "ensemble/ensemble-private.h"

struct _EnsAnalysis {
  EnsEnsemble *ensemble;
  EnsMemberRun **runs; /* as many as networks */
  EnsWindowSearch *search;
};

/* One frame on its way through. */
typedef struct {
  EnsAnalysis *analysis;
  const EnsBundle *bundle;
  const EnsFrame *frame;
  const EnsAnalyseOptions *options;
  EnsResult *result;
} Run;

EnsAnalysis *
ens_analysis_new (EnsEnsemble *ensemble)
{
  EnsAnalysis *analysis = g_new0 (EnsAnalysis, 1);

  analysis->ensemble = ens_ensemble_ref (ensemble);
  analysis->runs = g_new0 (EnsMemberRun *, ensemble->bundle->n_networks);
  for (guint n = 0; n < ensemble->bundle->n_networks; n++)
    analysis->runs[n] = ens_member_run_new (ensemble->members[n]);
  analysis->search = ens_window_search_new (ensemble->bundle->windows_preset);
  return analysis;
}

void
ens_analysis_free (EnsAnalysis *analysis)
{
  if (analysis == NULL)
    return;
  for (guint n = 0; n < analysis->ensemble->bundle->n_networks; n++)
    ens_member_run_free (analysis->runs[n]);
  g_free (analysis->runs);
  ens_window_search_free (analysis->search);
  ens_ensemble_unref (analysis->ensemble);
  g_free (analysis);
}

/* ---- The networks of a role (M1.6) ---- */

typedef struct {
  guint n;
  guint index[ENS_MAX_NETWORKS]; /* in the bundle */
  float weights[ENS_MAX_NETWORKS];
} Team;

static Team
gather (const Run *run, EnsRole role, gboolean for_windows)
{
  Team team = {0};

  for (guint n = 0; n < run->bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &run->bundle->networks[n];

    if (network->role != role
        || (for_windows && !ens_member_takes_windows (run->analysis->ensemble->members[n])))
      continue;
    team.index[team.n] = n;
    team.weights[team.n++] = network->weight;
  }
  return team;
}

/* ---- The whole frame (M1.2–M1.6) ---- */

/* Each network's probabilities [30–34, 38–47]. */
static gboolean
judge_whole (Run *run, GError **error)
{
  for (guint n = 0; n < run->bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &run->bundle->networks[n];
    gboolean own = run->options->n_scales == 0;

    if (!ens_member_run_whole (
            run->analysis->runs[n], run->frame, own ? network->scales : run->options->scales,
            own ? network->n_scales : run->options->n_scales,
            run->result->networks[n].probabilities, &run->result->timings, error))
      return FALSE;
  }
  return TRUE;
}

/* P1 or P2: the weighted average over the networks of a role [35–36]. */
static void
average_role (const Run *run, EnsRole role, float *average)
{
  Team team = gather (run, role, FALSE);
  const float *probabilities[ENS_MAX_NETWORKS];

  for (guint i = 0; i < team.n; i++)
    probabilities[i] = run->result->networks[team.index[i]].probabilities;
  ens_fusion_average (probabilities, team.weights, team.n, run->bundle->n_classes, average);
}

/* ---- Windows (M1.7) ---- */

/* Windows of the frame, at most as many as wanted [58–60]. (transfer full) */
static EnsWindow *
find_windows (const Run *run, guint *n_windows, gint64 *nanoseconds)
{
  const EnsAnalyseOptions *options = run->options;
  EnsAnalysis *analysis = run->analysis;
  guint wanted = options->windows >= 0 ? (guint)options->windows : run->bundle->windows;
  gint64 start = g_get_monotonic_time ();
  const EnsWindow *found;
  EnsWindow *windows = NULL;

  *n_windows = 0;
  if (gather (run, ENS_ROLE_RETRAINED, TRUE).n == 0)
    return NULL;
  if (options->regions != NULL) {
    *n_windows = options->windows < 0 ? options->n_regions : MIN (wanted, options->n_regions);
    windows = g_new0 (EnsWindow, *n_windows);
    for (guint w = 0; w < *n_windows; w++)
      windows[w].rect = options->regions[w];
  } else if (wanted > 0) {
    *n_windows = ens_window_search_run (analysis->search, run->frame, wanted,
                                        ens_device_get_pool (analysis->ensemble->device), &found);
    windows = g_memdup2 (found, *n_windows * sizeof *found);
  }
  *nanoseconds = 1000 * (g_get_monotonic_time () - start);
  return windows;
}

/* Each window's probabilities: the weighted average over the retrained networks [61–64]. */
static gboolean
judge_windows (Run *run, GError **error)
{
  EnsResult *result = run->result;
  Team team = gather (run, ENS_ROLE_RETRAINED, TRUE);
  gsize n_values = (gsize)result->n_windows * result->n_classes;
  g_autofree EnsRect *rects = g_new (EnsRect, result->n_windows);
  g_autofree float *values = g_new (float, n_values *team.n);
  const float *probabilities[ENS_MAX_NETWORKS];

  for (guint w = 0; w < result->n_windows; w++)
    rects[w] = result->windows[w].rect;
  for (guint i = 0; i < team.n; i++) {
    probabilities[i] = &values[i * n_values];
    if (!ens_member_run_windows (run->analysis->runs[team.index[i]], run->frame, rects,
                                 result->n_windows, &values[i * n_values], &result->timings, error))
      return FALSE;
  }
  ens_fusion_average (probabilities, team.weights, team.n, n_values, result->window_probabilities);
  return TRUE;
}

/* ---- Fusion (M1.6–M1.8) ---- */

static void
fuse (Run *run)
{
  const EnsBundle *bundle = run->bundle;
  EnsResult *result = run->result;
  guint n_classes = bundle->n_classes;
  g_autofree float *p1 = g_new (float, n_classes);
  g_autofree float *p2 = g_new (float, n_classes);
  g_autofree float *p3 = g_new (float, n_classes);
  g_autofree gint *best = g_new (gint, n_classes);
  float w = result->n_windows > 0 ? bundle->window_weight : bundle->whole_weight;

  average_role (run, ENS_ROLE_RETRAINED, p1);
  average_role (run, ENS_ROLE_ORIGINAL, p2);
  ens_fusion_maximum (result->window_probabilities, result->n_windows, n_classes, p3, best);
  for (guint c = 0; c < n_classes; c++) {
    EnsClassResult *class = &result->classes[c];

    class->p1 = p1[c];
    class->p2 = p2[c];
    class->p3 = p3[c];
    class->window = best[c];
    class->p = ens_fusion_combine (p1[c], p2[c], p3[c], w);
    class->threshold =
        run->options->threshold >= 0 ? run->options->threshold : bundle->thresholds[c];
    class->present = class->p >= class->threshold;
  }
}

/* ---- A frame ---- */

/* (transfer full) */
static EnsResult *
make_result (const Run *run, EnsWindow *windows, guint n_windows)
{
  const EnsBundle *bundle = run->bundle;
  const char *names[ENS_MAX_NETWORKS];
  EnsResult *result;

  for (guint n = 0; n < bundle->n_networks; n++)
    names[n] = bundle->networks[n].name;
  result = ens_result_new ((const char *const *)bundle->classes, bundle->n_classes, names,
                           bundle->n_networks, n_windows);
  if (n_windows > 0)
    memcpy (result->windows, windows, n_windows * sizeof *windows);
  result->width = run->frame->width;
  result->height = run->frame->height;
  result->bundle = g_strdup (bundle->name);
  result->version = g_strdup (bundle->version);
  return result;
}

EnsResult *
ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                  const EnsAnalyseOptions *options, GError **error)
{
  const EnsAnalyseOptions defaults = ENS_ANALYSE_DEFAULTS;
  Run run = {analysis, analysis->ensemble->bundle, frame, options != NULL ? options : &defaults};
  g_autofree EnsWindow *windows = NULL;
  g_autoptr (EnsResult) result = NULL;
  gint64 start = g_get_monotonic_time (), searching = 0;
  guint n_windows;

  g_return_val_if_fail (run.options->n_scales <= ENS_MAX_SCALES, NULL);

  if (!ens_frame_validate (frame, error))
    return NULL;
  windows = find_windows (&run, &n_windows, &searching);
  run.result = result = make_result (&run, windows, n_windows);
  result->pts = pts;
  result->timings.windows = searching;
  if (!judge_whole (&run, error) || (n_windows > 0 && !judge_windows (&run, error)))
    return NULL;
  fuse (&run);
  result->timings.total = 1000 * (g_get_monotonic_time () - start);
  return g_steal_pointer (&result);
}
