/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-fusion.h"

#include <math.h>
#include <string.h>

#include "classify/fusion.h"
#include "ensemble/bundle-private.h"

/* ---- Averages over networks (M1.6) ---- */

/* P1 or P2 of all sub-images: the weighted average over the networks of a role [35–36]. (transfer
 * full) */
static float *
average_role (const EnsFrameFusion *frame, EnsRole role)
{
  EnsRoleNetworks networks = ens_bundle_list_role (frame->bundle, role);
  gsize n_values = (gsize)ens_sub_images_get_size (frame->sub_images) * frame->bundle->n_classes;
  const float *probabilities[ENS_MAX_NETWORKS];
  float *average = g_new (float, n_values);

  for (guint i = 0; i < networks.n; i++)
    probabilities[i] = ens_tile_values_get (frame->values, networks.index[i]);
  ens_fusion_average (
      &(EnsFusionInputs) {frame->bundle->fusion, networks.n, probabilities, networks.weights},
      n_values, average);
  return average;
}

/* What no network of the role knows is 0. */
static void
forget_strangers (const EnsBundle *bundle, EnsRole role, guint n_rows, float *probabilities)
{
  for (guint row = 0; bundle->n_zero_shot > 0 && row < n_rows; row++)
    for (guint c = 0; c < bundle->n_classes; c++)
      if (!ens_bundle_role_knows (bundle, role, c))
        probabilities[(gsize)row * bundle->n_classes + c] = 0;
}

/* The average of each window, likewise [61–64]. */
static void
average_windows (const EnsFrameFusion *frame)
{
  EnsResult *result = frame->result;
  EnsRoleNetworks networks = ens_bundle_list_role (frame->bundle, ENS_ROLE_RETRAINED);
  gsize n_values = (gsize)result->n_windows * result->n_classes;
  const float *probabilities[ENS_MAX_NETWORKS];

  for (guint i = 0; i < networks.n; i++)
    probabilities[i] = &frame->values->window_values[i * n_values];
  ens_fusion_average (
      &(EnsFusionInputs) {frame->bundle->fusion, networks.n, probabilities, networks.weights},
      n_values, result->window_probabilities);
  forget_strangers (frame->bundle, ENS_ROLE_RETRAINED, result->n_windows,
                    result->window_probabilities);
}

/* Of all sub-images P2 of what original networks know, and of zero-shot classes. (transfer full) */
static float *
average_others (const EnsFrameFusion *frame)
{
  const EnsBundle *bundle = frame->bundle;
  float *p2 = average_role (frame, ENS_ROLE_ORIGINAL);
  g_autofree float *zero_shot =
      bundle->n_zero_shot > 0 ? average_role (frame, ENS_ROLE_ZERO_SHOT) : NULL;

  for (guint s = 0; zero_shot != NULL && s < ens_sub_images_get_size (frame->sub_images); s++) {
    gsize first = (gsize)(s + 1) * bundle->n_classes - bundle->n_zero_shot;

    memcpy (&p2[first], &zero_shot[first], bundle->n_zero_shot * sizeof *p2);
  }
  return p2;
}

/* ---- The gate (M2) ---- */

static gboolean
window_counts (const EnsBundle *bundle, const EnsClassResult *class)
{
  if (bundle->fusion == ENS_FUSION_LOG_ODDS)
    return bundle->window_share > 0;
  return class->p3 > class->p2 && bundle->window_weight < 1;
}

/* The similarity of what made P: the sub-image, or the best window where that counted. */
static float
find_similarity (const EnsFrameFusion *frame, guint sub_image, guint c, const EnsClassResult *class)
{
  guint n_classes = frame->bundle->n_classes;
  float similarity = frame->values->similarities[(gsize)sub_image * n_classes + c];

  if (frame->values->window_similarities == NULL || class->window < 0
      || !window_counts (frame->bundle, class))
    return similarity;
  return fmaxf (similarity,
                frame->values->window_similarities[(gsize) class->window * n_classes + c]);
}

static void
ask_gate (const EnsFrameFusion *frame, guint sub_image, guint c, EnsClassResult *class)
{
  const EnsGateRange *range;

  if (frame->values->similarities == NULL)
    return;
  range = &frame->bundle->gate->ranges[c];
  if (isnan (range->low))
    return;
  class->similarity = find_similarity (frame, sub_image, c, class);
  class->range_low = range->low;
  class->range_high = range->high;
  class->withheld = class->present && !frame->options->no_gate
                    && !ens_gate_range_accepts (range, class->similarity);
  class->present = class->present && !class->withheld;
}

/* ---- Fusion (M1.8) and the largest over the map (M1.9) ---- */

/* A class in a sub-image takes the place of what was found of it in earlier ones, if it is likelier
 * here [71]. */
static void
keep_maximum (const EnsFrameFusion *frame, guint sub_image, guint c, const EnsClassResult *found)
{
  EnsResult *result = frame->result;
  EnsClassResult *class = &result->classes[c];

  if (found->sub_image >= 0)
    result->map->probabilities[(gsize)sub_image * result->n_classes + c] = found->p;
  if (sub_image > 0 && !(found->p > class->p))
    return;
  *class = *found;
  for (guint n = 0; n < result->n_networks; n++)
    result->networks[n].probabilities[c] =
        ens_bundle_role_knows (frame->bundle, frame->bundle->networks[n].role, c)
            ? ens_tile_values_get (frame->values, n)[(gsize)sub_image * result->n_classes + c]
            : NAN;
}

/* p1 and p2 are those of this sub-image. */
static void
fuse (const EnsFrameFusion *frame, guint sub_image, const float *p1, const float *p2)
{
  const EnsBundle *bundle = frame->bundle;
  EnsResult *result = frame->result;
  guint n_classes = bundle->n_classes;
  guint first = frame->values->windows->first[sub_image];
  guint n_windows = frame->values->windows->first[sub_image + 1] - first;
  g_autofree float *p3 = g_new (float, n_classes);
  g_autofree float *p = g_new (float, n_classes);
  g_autofree gint *best = g_new (gint, n_classes);
  const float *thresholds = ens_bundle_get_thresholds (bundle, n_windows > 0);
  gboolean in_map =
      result->map != NULL && sub_image < ens_sub_images_get_map_size (frame->sub_images);

  ens_fusion_maximum (&result->window_probabilities[(gsize)first * n_classes], n_windows, n_classes,
                      p3, best);
  ens_bundle_fuse (bundle, p1, p2, n_windows > 0 ? p3 : NULL, p);
  for (guint c = 0; c < n_classes; c++) {
    EnsClassResult class = {.name = result->classes[c].name,
                            .p1 = p1[c],
                            .p2 = p2[c],
                            .p3 = p3[c],
                            .similarity = NAN,
                            .range_low = NAN,
                            .range_high = NAN};

    class.window = best[c] >= 0 && ens_bundle_role_knows (bundle, ENS_ROLE_RETRAINED, c)
                       ? (gint)first + best[c]
                       : -1;
    class.sub_image = in_map ? (gint)sub_image : -1;
    class.p = p[c];
    class.threshold = frame->options->threshold >= 0 ? frame->options->threshold : thresholds[c];
    class.present = class.p >= class.threshold;
    ask_gate (frame, sub_image, c, &class);
    keep_maximum (frame, sub_image, c, &class);
  }
}

static void
fuse_all (const EnsFrameFusion *frame)
{
  g_autofree float *p1 = average_role (frame, ENS_ROLE_RETRAINED);
  g_autofree float *p2 = average_others (frame);

  forget_strangers (frame->bundle, ENS_ROLE_RETRAINED, ens_sub_images_get_size (frame->sub_images),
                    p1);
  for (guint s = 0; s < ens_sub_images_get_size (frame->sub_images); s++) {
    gsize first = (gsize)s * frame->bundle->n_classes;

    fuse (frame, s, &p1[first], &p2[first]);
  }
}

/* The window that goes with a present class is the object's. */
static void
find_object (const EnsFrameFusion *frame, guint c)
{
  EnsResult *result = frame->result;
  EnsClassResult *class = &result->classes[c];
  const guint *first = frame->values->windows->first;
  const EnsRect *within;

  if (!class->present || class->window < 0)
    return;
  while ((guint) class->window >= first[1])
    first++;
  within = &frame->sub_images->rects[first - frame->values->windows->first];
  class->window = (gint)first[0]
                  + (gint)ens_windows_find_object (
                      &result->windows[first[0]], first[1] - first[0], within,
                      &result->window_probabilities[(gsize)first[0] * result->n_classes + c],
                      result->n_classes);
}

void
ens_frame_fuse (const EnsFrameFusion *frame, EnsThreadPool *pool)
{
  if (frame->result->n_windows > 0)
    average_windows (frame);
  fuse_all (frame);
  for (guint c = 0; c < frame->bundle->n_classes && !ens_thread_pool_is_cancelled (pool); c++)
    find_object (frame, c);
}
