/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/search.h"

#include <math.h>
#include <string.h>

#include "classify/fusion.h"
#include "classify/metrics.h"

#define MAX_COMBINATIONS 1001
#define FINEST_STEPS 10

/* Below this two precisions differ by rounding alone. */
#define EQUAL 1e-9

/* ---- Weights of networks ---- */

typedef struct {
  const EnsLabels *truth;
  const float *const *values;
  guint n_networks;
  float *average; /* room for one combination's result */
  float *weights; /* room for one combination */
  float *best_weights;
  double best, best_distance;
} WeightSearch;

/* Ways to share out `steps` equal parts among n: (steps + n - 1) over (n - 1). */
static double
count_combinations (guint steps, guint n)
{
  double count = 1;

  for (guint i = 1; i < n; i++)
    count = count * (steps + i) / i;
  return count;
}

static void
try_weights (WeightSearch *search)
{
  gsize n_values = (gsize)search->truth->n_samples * search->truth->n_classes;
  double distance = 0, precision;

  for (guint n = 0; n < search->n_networks; n++)
    distance += pow (search->weights[n] - 1.0 / search->n_networks, 2);
  for (gsize i = 0; i < n_values; i++) {
    search->average[i] = 0;
    for (guint n = 0; n < search->n_networks; n++)
      search->average[i] += search->weights[n] * search->values[n][i];
  }
  precision = ens_mean_average_precision (search->truth, search->average);
  if (precision > search->best + EQUAL
      || (precision > search->best - EQUAL && distance < search->best_distance - EQUAL)) {
    search->best = precision;
    search->best_distance = distance;
    memcpy (search->best_weights, search->weights, search->n_networks * sizeof (float));
  }
}

/* All ways to share out what is left of `steps` among the networks from `network` on. */
static void
share_out (WeightSearch *search, guint network, guint left, guint steps)
{
  if (network + 1 == search->n_networks) {
    search->weights[network] = (float)left / steps;
    try_weights (search);
    return;
  }
  for (guint part = 0; part <= left; part++) {
    search->weights[network] = (float)part / steps;
    share_out (search, network + 1, left - part, steps);
  }
}

double
ens_search_network_weights (const EnsLabels *truth, const float *const *values, guint n_networks,
                            float *weights)
{
  g_autofree float *average = g_new (float, (gsize)truth->n_samples * truth->n_classes);
  g_autofree float *room = g_new (float, n_networks);
  WeightSearch search = {.truth = truth,
                         .values = values,
                         .n_networks = n_networks,
                         .average = average,
                         .weights = room,
                         .best_weights = weights,
                         .best = -1};
  guint steps = FINEST_STEPS;

  for (guint n = 0; n < n_networks; n++)
    weights[n] = room[n] = 1.0F / n_networks;
  try_weights (&search);
  while (steps > 1 && count_combinations (steps, n_networks) > MAX_COMBINATIONS)
    steps--;
  if (n_networks > 1)
    share_out (&search, 0, steps, steps);
  return search.best;
}

/* ---- The weight of P1 ---- */

double
ens_search_fusion_weight (const EnsLabels *truth, const float *p1, const float *p2, const float *p3,
                          float *w)
{
  static const float grid[] = {0.5F, 0.4F, 0.6F, 0.3F, 0.7F, 0.2F, 0.8F, 0.1F, 0.9F};
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  g_autofree float *p = g_new (float, n_values);
  double best = -1;

  *w = grid[0];
  for (guint g = 0; g < G_N_ELEMENTS (grid); g++) {
    double precision;

    for (gsize i = 0; i < n_values; i++)
      p[i] = ens_fusion_combine (p1[i], p2[i], p3 != NULL ? p3[i] : 0, grid[g]);
    precision = ens_mean_average_precision (truth, p);
    if (precision > best + EQUAL) {
      best = precision;
      *w = grid[g];
    }
  }
  return best;
}
